import threading
from collections.abc import Callable, Iterator

import pytest

from cronzimus.models.run import Held, RunState
from cronzimus.utils.ids import new_id
from cronzimus.workers.heartbeat import Heartbeat
from cronzimus.workers.outcome import Stop
from cronzimus.workers.roster import LiveAttempt
from tests.workers.support import BOARD, PATIENCE, Ledger, claim, context, definition, start_run, working
from tests.workers.test_warden import Room


class Pulse:
    """A heartbeat on a ledger in memory, beaten by the test."""

    def __init__(self, room: Room) -> None:
        self.ledger, self.room = Ledger(), room
        self.reporting: list[Held] = []
        self.heartbeat = Heartbeat(
            self.ledger,
            room.roster,
            room.warden,
            lambda: self.reporting,
            worker_id="w1",
            lease_seconds=9.0,
            on_error=lambda name, error: room.errors.append(error),
        )

    def beat(self) -> float:
        return self.heartbeat._beat()


@pytest.fixture
def room() -> Iterator[Room]:
    one = Room()
    yield one
    one.warden.loop.stop()
    one.pool.close()
    assert one.errors == []


@pytest.fixture
def pulse(room: Room) -> Pulse:
    return Pulse(room)


def waiting_attempt(room: Room, **facts: object) -> LiveAttempt:
    attempt = LiveAttempt(claim(**facts), lambda one: None)
    room.roster.add(attempt)
    return attempt


def test_beat_renews_everything_held(pulse: Pulse, room: Room) -> None:
    waiting = waiting_attempt(room)
    pulse.reporting = [Held(new_id(), 1)]
    pulse.beat()
    assert pulse.ledger.renewed == [(waiting.held, *pulse.reporting)]


def test_beat_comes_three_times_a_lease(pulse: Pulse, room: Room) -> None:
    waiting_attempt(room)
    assert pulse.beat() == 3.0


def test_beat_asks_nothing_when_nothing_is_held(pulse: Pulse) -> None:
    assert pulse.beat() == 3.0
    assert pulse.ledger.renewed == []


def test_beat_comes_sooner_after_an_outage(pulse: Pulse, room: Room) -> None:
    waiting_attempt(room)
    pulse.ledger.down = True
    assert pulse.beat() == 0.5


def test_lost_attempt_is_halted_and_not_reported(pulse: Pulse, room: Room) -> None:
    attempt = room.begin(lambda run: run.wait_cancelled(PATIENCE), grace=PATIENCE)
    pulse.ledger.lost = {attempt.claim.run_id}
    pulse.beat()
    assert attempt.stop is Stop.LOST
    assert attempt.run is not None and attempt.run.cancelled


def test_lost_attempt_that_waits_never_starts(pulse: Pulse, room: Room) -> None:
    attempt = waiting_attempt(room)
    pulse.ledger.lost = {attempt.claim.run_id}
    pulse.beat()
    assert not room.roster.start(attempt)
    assert room.reported()[0].stop is Stop.LOST


def test_news_of_an_older_attempt_leave_the_newer_alone(pulse: Pulse, room: Room) -> None:
    run_id = new_id()
    newer = waiting_attempt(room, run_id=run_id, attempt=2)
    pulse.heartbeat._lose(Held(run_id, 1))
    assert newer.stop is None
    assert room.roster.start(newer)


def test_run_that_ended_itself_is_not_lost(pulse: Pulse, room: Room) -> None:
    """Its own transaction closed it: the ledger no longer lists it, and that is no reason to stop it."""
    attempt = room.begin(lambda run: run.wait_cancelled(PATIENCE), grace=PATIENCE)
    assert attempt.run is not None
    attempt.run.committed = True
    pulse.heartbeat._lose(attempt.held)
    assert attempt.stop is None
    room.warden.halt(attempt, Stop.CANCELLED)


def test_cancel_request_is_carried_out(pulse: Pulse, room: Room) -> None:
    attempt = room.begin(lambda run: run.wait_cancelled(PATIENCE), grace=PATIENCE)
    pulse.ledger.cancel_wanted = {attempt.claim.run_id}
    pulse.beat()
    assert attempt.stop is Stop.CANCELLED


def test_cancel_request_for_a_waiting_run_ends_it(pulse: Pulse, room: Room) -> None:
    attempt = waiting_attempt(room)
    pulse.ledger.cancel_wanted = {attempt.claim.run_id}
    pulse.beat()
    assert room.reported()[1].state is RunState.CANCELLED


def test_heartbeat_goes_on_while_a_run_executes() -> None:
    ledger = Ledger(definition("gate", args=["heartbeat"]))
    with working(ledger, lease_seconds=0.15) as (_, engine):
        run_id = start_run(ledger, engine)
        ledger.wait(lambda: len(ledger.renewed) >= 5)
        assert {held.run_id for beat in ledger.renewed for held in beat} == {run_id}
        BOARD.raise_flag("heartbeat-go")
        assert ledger.final(run_id) is RunState.SUCCESS


def test_heartbeat_is_not_delayed_by_a_slow_exchange() -> None:
    ledger = Ledger(definition("gate", args=["slow-exchange"]))
    go = threading.Event()
    with working(ledger, lease_seconds=0.15) as (_, engine):
        run_id = start_run(ledger, engine)
        assert BOARD.wait("slow-exchange-started")
        ledger.exchange = held_up(ledger.exchange, go)  # type: ignore[method-assign]
        start_run(ledger, engine)
        before = len(ledger.renewed)
        ledger.wait(lambda: len(ledger.renewed) >= before + 3)
        go.set()
        BOARD.raise_flag("slow-exchange-go")
        assert ledger.final(run_id) is RunState.SUCCESS


def held_up(exchange: Callable[..., object], go: threading.Event) -> Callable[..., object]:
    def slow(*args: object, **kwargs: object) -> object:
        go.wait(PATIENCE)
        return exchange(*args, **kwargs)

    return slow


def test_context_is_not_needed_to_hold_a_lease(pulse: Pulse, room: Room) -> None:
    attempt = waiting_attempt(room)
    assert attempt.run is None
    attempt.bind(context())
    pulse.beat()
    assert pulse.ledger.renewed == [(attempt.held,)]
