"""What an engine delivers waits in the line, and what has left is told by a thread of its own."""

import threading
from collections.abc import Iterator, Sequence
from uuid import UUID

import pytest

from cronzimus.utils.ids import new_id
from cronzimus.workers.engine import Delivery
from cronzimus.workers.engines.inline import InlineEngine
from cronzimus.workers.intake import Intake
from tests.heart import until


class SlowEngine(InlineEngine):
    """Takes reports when the test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.may = threading.Event()
        self.reports: list[tuple[str, list[UUID]]] = []

    def report(self, worker_id: str, run_ids: Sequence[UUID]) -> None:
        """Wait for the test."""
        assert self.may.wait(20)
        self.reports.append((worker_id, list(run_ids)))


@pytest.fixture
def engine() -> SlowEngine:
    return SlowEngine()


@pytest.fixture
def line() -> InlineEngine:
    return InlineEngine()


@pytest.fixture
def intake(engine: SlowEngine, line: InlineEngine) -> Iterator[Intake]:
    intake = Intake(engine, line, "w1", on_error=lambda name, error: None)
    yield intake
    engine.may.set()
    intake.stop()


def test_deliveries_of_this_worker_wait_in_the_line(
    intake: Intake, engine: SlowEngine, line: InlineEngine
) -> None:
    intake.start()
    mine, other = new_id(), new_id()
    engine.send([Delivery("w1", (mine,)), Delivery("w2", (other,)), Delivery("w1", (mine,))])
    assert line.take(9) == [mine]


def test_worker_that_receives_nothing_takes_what_it_is_given(
    intake: Intake, engine: SlowEngine, line: InlineEngine
) -> None:
    intake.start(receive=False)
    mine, other = new_id(), new_id()
    engine.send([Delivery("w1", (other,))])
    intake.take([mine])
    assert line.take(9) == [mine]


def test_telling_waits_for_nobody(intake: Intake, engine: SlowEngine) -> None:
    intake.start()
    first, second = new_id(), new_id()
    intake.left([first])
    intake.left([second])
    assert engine.reports == []
    engine.may.set()
    until(lambda: [one for _, ids in engine.reports for one in ids] == [first, second])
    assert {worker for worker, _ in engine.reports} == {"w1"}


def test_what_is_left_to_tell_is_told_at_the_end(intake: Intake, engine: SlowEngine) -> None:
    engine.may.set()
    run_id = new_id()
    intake.left([run_id])
    intake.stop()
    intake.stop()
    assert engine.reports == [("w1", [run_id])]
