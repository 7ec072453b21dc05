import threading
from collections.abc import Callable, Iterator

import pytest

from cronzimus.workers.pool import Abandoned, Pool


@pytest.fixture
def pool() -> Iterator[Pool]:
    one = Pool(2)
    yield one
    one.close()


class Gate:
    """A task that waits to be let through."""

    def __init__(self) -> None:
        self.started, self.go, self.ended = threading.Event(), threading.Event(), threading.Event()
        self.thread: threading.Thread | None = None
        self.raised: BaseException | None = None

    def __call__(self) -> None:
        self.thread = threading.current_thread()
        self.started.set()
        try:
            self.go.wait(20)
        except BaseException as error:
            self.raised = error
            raise
        finally:
            self.ended.set()


class Spin(Gate):
    """A task that never ends by itself, in Python."""

    def __call__(self) -> None:
        self.thread = threading.current_thread()
        self.started.set()
        try:
            while not self.go.is_set():
                pass
        except BaseException as error:
            self.raised = error
            raise
        finally:
            self.ended.set()


def done(pool: Pool, task: Callable[[], None] = lambda: None) -> bool:
    """Whether a task submitted now is carried out."""
    event = threading.Event()
    pool.submit(lambda: (task(), event.set()) and None)
    return event.wait(20)


def named(prefix: str) -> int:
    """How many threads carry a name."""
    return len([thread for thread in threading.enumerate() if thread.name.startswith(prefix)])


def test_submit_carries_a_task_out(pool: Pool) -> None:
    assert done(pool)


def test_tasks_of_one_pool_run_at_the_same_time(pool: Pool) -> None:
    barrier = threading.Barrier(3)
    for _ in range(2):
        pool.submit(lambda: barrier.wait(20) and None)
    barrier.wait(20)


def test_no_more_tasks_than_places_run_at_one_time(pool: Pool) -> None:
    gates = [Gate() for _ in range(3)]
    for gate in gates:
        pool.submit(gate)
    assert gates[0].started.wait(20) and gates[1].started.wait(20)
    assert not gates[2].started.is_set()
    gates[0].go.set()
    assert gates[2].started.wait(20)
    for gate in gates:
        gate.go.set()


def test_threads_are_made_when_needed() -> None:
    pool = Pool(50, name="cronzimus-test-lazy")
    assert named("cronzimus-test-lazy") == 0
    assert done(pool)
    assert named("cronzimus-test-lazy") == 1
    pool.close()


def test_threads_are_daemons(pool: Pool) -> None:
    gate = Gate()
    pool.submit(gate)
    gate.started.wait(20)
    assert gate.thread is not None and gate.thread.daemon
    gate.go.set()


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(1), KeyboardInterrupt(), Abandoned()])
def test_task_that_raises_costs_nobody_its_place(pool: Pool, error: BaseException) -> None:
    def bad() -> None:
        raise error

    for _ in range(10):
        pool.submit(bad)
    barrier = threading.Barrier(3)
    for _ in range(2):
        pool.submit(lambda: barrier.wait(20) and None)
    barrier.wait(20)


def test_abandon_gives_the_place_back_at_once(pool: Pool) -> None:
    stuck = [Gate(), Gate()]
    for gate in stuck:
        pool.submit(gate)
        assert gate.started.wait(20)
    assert pool.abandon(stuck[0])
    assert done(pool)
    assert not stuck[0].ended.is_set(), "the stuck one is still stuck"
    for gate in stuck:
        gate.go.set()


def test_abandon_interrupts_a_task_that_executes_python(pool: Pool) -> None:
    spin = Spin()
    pool.submit(spin)
    assert spin.started.wait(20)
    assert pool.abandon(spin)
    assert spin.ended.wait(20)
    assert isinstance(spin.raised, Abandoned)


def test_abandoned_thread_takes_no_further_task(pool: Pool) -> None:
    stuck = Gate()
    pool.submit(stuck)
    assert stuck.started.wait(20)
    pool.abandon(stuck)
    stuck.go.set()
    assert stuck.thread is not None
    stuck.thread.join(20)
    assert not stuck.thread.is_alive()


def test_abandoned_counts_threads_that_still_run(pool: Pool) -> None:
    stuck = Gate()
    pool.submit(stuck)
    assert stuck.started.wait(20)
    pool.abandon(stuck)
    assert pool.abandoned == 1
    stuck.go.set()
    assert stuck.thread is not None
    stuck.thread.join(20)
    assert pool.abandoned == 0


def test_abandon_refuses_what_is_not_executing(pool: Pool) -> None:
    ended, waiting = Gate(), Gate()
    ended.go.set()
    assert done(pool, ended)
    assert not pool.abandon(ended)
    assert not pool.abandon(waiting)


def test_abandon_happens_once(pool: Pool) -> None:
    stuck = Gate()
    pool.submit(stuck)
    assert stuck.started.wait(20)
    assert pool.abandon(stuck)
    assert not pool.abandon(stuck)
    stuck.go.set()


def test_pool_outlives_many_abandonments(pool: Pool) -> None:
    for _ in range(20):
        spin = Spin()
        pool.submit(spin)
        assert spin.started.wait(20)
        assert pool.abandon(spin)
    assert done(pool)


def test_close_lets_every_thread_end() -> None:
    pool = Pool(3)
    gates = [Gate() for _ in range(3)]
    for gate in gates:
        pool.submit(gate)
        assert gate.started.wait(20)
        gate.go.set()
    pool.close()
    for gate in gates:
        assert gate.thread is not None
        gate.thread.join(20)
        assert not gate.thread.is_alive()


def test_close_lets_tasks_in_line_come_first() -> None:
    pool, seen = Pool(1), threading.Event()
    gate = Gate()
    pool.submit(gate)
    pool.submit(seen.set)
    pool.close()
    gate.go.set()
    assert seen.wait(20)
