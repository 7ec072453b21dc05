import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cronzimus.errors import DatabaseUnavailable
from cronzimus.models.run import RunState
from cronzimus.utils.ids import new_id
from cronzimus.workers.context import RunContext
from cronzimus.workers.outcome import Outcome, Stop, returned
from cronzimus.workers.pool import Pool
from cronzimus.workers.roster import LiveAttempt, Roster
from cronzimus.workers.warden import Warden
from tests.workers.support import PATIENCE, claim, context


class Control:
    """The database as far as the warden uses it."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, bool]] = []
        self.down = False

    def cancel_backends(self, name: str, *, terminate: bool = False) -> int:
        self.calls.append((name, terminate))
        if self.down:
            raise DatabaseUnavailable("away")
        return 1


class Room:
    """A warden with everything around it, and attempts whose function the test writes."""

    def __init__(self) -> None:
        self.roster, self.pool, self.control = Roster(), Pool(2), Control()
        self.reports: list[tuple[LiveAttempt, Outcome]] = []
        self.told = threading.Condition()
        self.errors: list[Exception] = []
        self.warden = Warden(
            self.roster,
            self.pool,
            self.control,  # type: ignore[arg-type]
            self.report,
            on_error=lambda name, error: self.errors.append(error),
        )
        self.warden.loop.start()

    def report(self, attempt: LiveAttempt, outcome: Outcome) -> None:
        with self.told:
            self.reports.append((attempt, outcome))
            self.roster.leave(attempt)
            self.told.notify_all()

    def begin(self, body: Callable[[RunContext], Any], grace: float = 0.05, **facts: Any) -> LiveAttempt:
        """Start an attempt and wait until it executes."""
        started = threading.Event()

        def perform(attempt: LiveAttempt) -> None:
            self.roster.start(attempt)
            run = context(**facts)
            run.grace_seconds = grace
            attempt.bind(run)
            started.set()
            value = body(run)
            if self.roster.settle(attempt):
                self.report(attempt, returned(value))

        attempt = LiveAttempt(claim(**facts), perform)
        self.roster.add(attempt)
        self.pool.submit(attempt)
        assert started.wait(PATIENCE)
        return attempt

    def reported(self) -> tuple[LiveAttempt, Outcome]:
        """The first report, waited for."""
        with self.told:
            assert self.told.wait_for(lambda: self.reports, PATIENCE)
        return self.reports[0]


@pytest.fixture
def room() -> Iterator[Room]:
    one = Room()
    yield one
    one.warden.loop.stop()
    one.pool.close()
    assert one.errors == []


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Lets a stuck function go at the end of the test."""
    event = threading.Event()
    yield event
    event.set()


def test_halt_tells_the_function(room: Room) -> None:
    attempt = room.begin(lambda run: run.wait_cancelled(PATIENCE), grace=PATIENCE)
    room.warden.halt(attempt, Stop.CANCELLED)
    assert room.reported() == (attempt, returned(True))
    assert attempt.stop is Stop.CANCELLED


def test_halt_keeps_the_first_reason(room: Room) -> None:
    attempt = room.begin(lambda run: run.wait_cancelled(PATIENCE), grace=PATIENCE)
    room.warden.halt(attempt, Stop.TIMEOUT)
    room.warden.halt(attempt, Stop.CANCELLED)
    assert attempt.stop is Stop.TIMEOUT


def test_halt_gives_up_a_function_that_does_not_listen(room: Room, gate: threading.Event) -> None:
    attempt = room.begin(lambda run: gate.wait(PATIENCE))
    room.warden.halt(attempt, Stop.CANCELLED)
    assert room.reported()[1].state is RunState.CANCELLED
    assert room.pool.abandoned == 1


def test_halt_waits_for_the_grace_of_the_run(room: Room, gate: threading.Event) -> None:
    """The function takes more time when it is told to end, as a command does that has to be killed."""

    def slow(run: RunContext) -> str:
        with run.on_cancel(lambda: setattr(run, "grace_seconds", PATIENCE)):
            run.wait_cancelled(PATIENCE)
            gate.wait(PATIENCE)
            return "cleaned up"

    cleaning = room.begin(slow, grace=0.01)
    room.warden.halt(cleaning, Stop.CANCELLED)
    other = room.begin(lambda run: gate.wait(PATIENCE), grace=0.05)
    room.warden.halt(other, Stop.CANCELLED)
    assert room.reported()[0] is other, "the first one's original grace is over by now"
    gate.set()
    with room.told:
        assert room.told.wait_for(lambda: len(room.reports) == 2, PATIENCE)
    assert room.reports[1] == (cleaning, returned("cleaned up"))


def test_late_result_of_a_given_up_function_changes_nothing(room: Room, gate: threading.Event) -> None:
    through = threading.Event()

    def body(run: RunContext) -> str:
        gate.wait(PATIENCE)
        through.set()
        return "late"

    attempt = room.begin(body)
    room.warden.halt(attempt, Stop.TIMEOUT)
    room.reported()
    gate.set()
    assert not room.roster.settle(attempt)
    assert [outcome.state for _, outcome in room.reports] == [RunState.TIMEOUT]


def test_expect_halts_at_the_deadline(room: Room) -> None:
    attempt = room.begin(lambda run: run.wait_cancelled(PATIENCE), grace=PATIENCE)
    room.warden.expect(attempt, time.monotonic() + 0.05)
    room.reported()
    assert attempt.stop is Stop.TIMEOUT


def test_expect_leaves_an_attempt_alone_that_ended_before(room: Room) -> None:
    early = room.begin(lambda run: "done")
    room.reported()
    room.warden.expect(early, time.monotonic())
    late = room.begin(lambda run: run.wait_cancelled(PATIENCE), grace=PATIENCE)
    room.warden.expect(late, time.monotonic() + 0.02)
    with room.told:
        assert room.told.wait_for(lambda: len(room.reports) == 2, PATIENCE)
    assert early.stop is None and late.stop is Stop.TIMEOUT


def test_earlier_deadline_overtakes_a_later_one(room: Room) -> None:
    slow = room.begin(lambda run: run.wait_cancelled(PATIENCE), grace=PATIENCE)
    quick = room.begin(lambda run: run.wait_cancelled(PATIENCE), grace=PATIENCE)
    room.warden.expect(slow, time.monotonic() + 3600)
    room.warden.expect(quick, time.monotonic() + 0.02)
    assert room.reported()[0] is quick
    room.warden.halt(slow, Stop.CANCELLED)


def test_cancel_takes_a_waiting_attempt_out_of_the_line(room: Room) -> None:
    waiting = LiveAttempt(claim(), lambda one: None)
    room.roster.add(waiting)
    assert room.warden.cancel(waiting.claim.run_id)
    assert room.reported()[1].state is RunState.CANCELLED
    assert not room.roster.start(waiting)


def test_cancel_of_an_unknown_run_says_so(room: Room) -> None:
    assert not room.warden.cancel(new_id())


def test_cancel_reaches_every_attempt_of_the_run(room: Room) -> None:
    run_id = new_id()
    attempts = [
        room.begin(lambda run: run.wait_cancelled(PATIENCE), grace=PATIENCE, run_id=run_id, attempt=number)
        for number in (1, 2)
    ]
    assert room.warden.cancel(run_id)
    with room.told:
        assert room.told.wait_for(lambda: len(room.reports) == 2, PATIENCE)
    assert {attempt.stop for attempt in attempts} == {Stop.CANCELLED}


def test_statements_are_cancelled_before_the_thread_is_given_up(room: Room, gate: threading.Event) -> None:
    def body(run: RunContext) -> None:
        run.database
        gate.wait(PATIENCE)

    attempt = room.begin(body)
    assert attempt.run is not None
    attempt.run.database
    room.warden.halt(attempt, Stop.CANCELLED)
    room.reported()
    assert room.control.calls == [(attempt.run.session_name, False), (attempt.run.session_name, True)]


def test_database_is_left_alone_when_the_function_has_none(room: Room, gate: threading.Event) -> None:
    attempt = room.begin(lambda run: gate.wait(PATIENCE))
    room.warden.halt(attempt, Stop.CANCELLED)
    room.reported()
    assert room.control.calls == []


def test_outage_does_not_save_a_run_from_its_end(room: Room, gate: threading.Event) -> None:
    room.control.down = True
    attempt = room.begin(lambda run: gate.wait(PATIENCE))
    assert attempt.run is not None
    attempt.run.database
    room.warden.halt(attempt, Stop.TIMEOUT)
    assert room.reported()[1].state is RunState.TIMEOUT


def test_function_that_ends_in_its_grace_is_not_given_up(room: Room) -> None:
    attempt = room.begin(lambda run: run.wait_cancelled(PATIENCE), grace=0.3)
    room.warden.halt(attempt, Stop.CANCELLED)
    room.reported()
    follower = room.begin(lambda run: run.wait_cancelled(PATIENCE), grace=0.02)
    room.warden.halt(follower, Stop.CANCELLED)
    assert room.pool.abandoned == 0


def test_alarms_of_ended_attempts_do_not_pile_up(room: Room) -> None:
    for _ in range(5000):
        room.warden.expect(LiveAttempt(claim(), lambda one: None), time.monotonic() + 3600)
    assert len(room.warden._alarms) <= 1001


def test_alarms_of_living_attempts_survive_the_clean_up(room: Room) -> None:
    living = room.begin(lambda run: run.wait_cancelled(PATIENCE), grace=PATIENCE)
    room.warden.expect(living, time.monotonic() + 1.0)
    for _ in range(3000):
        room.warden.expect(LiveAttempt(claim(), lambda one: None), time.monotonic() + 3600)
    assert room.reported()[0] is living
    assert living.stop is Stop.TIMEOUT
