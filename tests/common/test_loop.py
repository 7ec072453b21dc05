"""A loop goes on whatever its step does, and ends when it is told to."""

import threading
from queue import SimpleQueue

from cronzimus.common.loop import Loop


def ignore(_: str, __: Exception) -> None:
    """Errors are expected here."""


def test_step_is_repeated_until_stopped() -> None:
    steps: SimpleQueue[int] = SimpleQueue()
    loop = Loop("l", lambda: steps.put(1) or 0.0, on_error=ignore)
    loop.start()
    for _ in range(3):
        steps.get(timeout=10)
    assert loop.stop(10) and not loop.alive


def test_wake_begins_the_next_step_at_once() -> None:
    steps: SimpleQueue[int] = SimpleQueue()
    loop = Loop("l", lambda: steps.put(1), on_error=ignore)
    loop.start()
    steps.get(timeout=10)
    loop.wake()
    steps.get(timeout=10)
    assert loop.stop(10)


def test_failing_step_is_reported_and_tried_again() -> None:
    failures: SimpleQueue[tuple[str, str]] = SimpleQueue()

    def fail() -> float:
        raise ValueError("no")

    loop = Loop("broken", fail, on_error=lambda name, error: failures.put((name, str(error))))
    loop.start()
    assert [failures.get(timeout=10) for _ in range(3)] == [("broken", "no")] * 3
    assert loop.alive and loop.stop(10)


def test_only_completed_steps_count_as_life() -> None:
    failed = threading.Event()

    def fail() -> float:
        raise ValueError("no")

    loop = Loop("l", fail, on_error=lambda *_: failed.set())
    born = loop.last_completed
    loop.start()
    started = loop.last_completed
    assert failed.wait(10) and born <= started == loop.last_completed
    loop.stop(10)


def test_starting_twice_makes_one_thread() -> None:
    before = threading.active_count()
    loop = Loop("l", lambda: None, on_error=ignore)
    loop.start()
    loop.start()
    assert threading.active_count() == before + 1
    loop.stop(10)


def test_loop_may_be_started_again() -> None:
    steps: SimpleQueue[int] = SimpleQueue()
    loop = Loop("l", lambda: steps.put(1), on_error=ignore)
    for _ in range(20):
        loop.start()
        steps.get(timeout=10)
        assert loop.stop(10)


def test_stopping_what_never_ran_is_fine() -> None:
    assert Loop("l", lambda: None, on_error=ignore).stop(1)


def test_step_may_stop_its_own_loop() -> None:
    stopped = threading.Event()

    def step() -> None:
        loop.stop(1)
        stopped.set()

    loop = Loop("l", step, on_error=ignore)
    loop.start()
    assert stopped.wait(10)
    assert loop.stop(10)
