"""The desk: what is offered goes into the line or wakes the dispatcher; what comes for here goes into the line."""

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from cronzimus.desk import Desk
from cronzimus.models.run import Offer
from cronzimus.settings import Settings
from cronzimus.utils.ids import new_id
from cronzimus.workers.engine import Delivery
from cronzimus.workers.engines.inline import InlineEngine
from tests.heart import Heart, until


@pytest.fixture
def line() -> InlineEngine:
    """Where runs wait that execute here."""
    return InlineEngine()


def desk_of(heart: Heart, line: InlineEngine, **settings: Any) -> Desk:
    """A desk of a process that is a worker too."""
    engine = InlineEngine()

    def take(run_ids: Sequence[UUID]) -> None:
        line.offer([Offer(run_id, None) for run_id in run_ids])

    engine.receive("me", take)
    living = SimpleNamespace(announcer=SimpleNamespace(announce=lambda event: None))
    executing: Any = SimpleNamespace(
        engine=engine, offer=line.offer, worker_id="me", intake=SimpleNamespace(take=take), living=living
    )
    return Desk(Settings.model_validate(settings), heart.database, heart.definitions, executing)


@pytest.fixture
def desk(heart: Heart, line: InlineEngine) -> Iterator[Desk]:
    """A desk at work."""
    desk = desk_of(heart, line)
    desk.start()
    yield desk
    desk.stop()


def test_components_say_how_the_desk_stands(heart: Heart, line: InlineEngine) -> None:
    desk = desk_of(heart, line)
    assert desk.components() == {"dispatcher": "stopped", "queue": "up"}
    off = desk_of(heart, line, dispatcher={"enabled": False})
    assert off.components()["dispatcher"] == "off"


def test_components_name_what_nobody_can_take(heart: Heart, desk: Desk) -> None:
    assert desk.components()["dispatcher"] == "running"
    heart.add(trigger={"type": "manual"}, runs_on="workers")
    heart.runs.trigger("a", by="t")
    desk.hear("")
    assert until(lambda: desk.components()["dispatcher"] == "NO_ELIGIBLE_WORKER")


def test_what_needs_no_dispatcher_goes_into_the_line(desk: Desk, line: InlineEngine) -> None:
    plain, gated = new_id(), new_id()
    desk.offer([Offer(plain, None), Offer(gated, None, gated=True)])
    assert line.take(10) == [plain]


def test_a_delivery_for_this_worker_goes_into_the_line(desk: Desk, line: InlineEngine) -> None:
    run_id = new_id()
    desk.engine.send([Delivery("me", (run_id,)), Delivery("another", (new_id(),))])
    assert line.take(10) == [run_id]


def test_a_gated_offer_wakes_the_dispatcher(heart: Heart, desk: Desk, line: InlineEngine) -> None:
    heart.add(trigger={"type": "manual"}, limits={"mutex": "m"})
    run = heart.runs.trigger("a", by="t")
    desk.offer(heart.offered)
    assert until(lambda: line.take(10)) == [run.id]


def test_a_notification_wakes_it_too(heart: Heart, desk: Desk, line: InlineEngine) -> None:
    heart.add(trigger={"type": "manual"}, limits={"mutex": "m"})
    run = heart.runs.trigger("a", by="t")
    desk.hear("")
    assert until(lambda: line.take(10)) == [run.id]


def test_a_report_wakes_it_too(heart: Heart, desk: Desk, line: InlineEngine) -> None:
    heart.add(trigger={"type": "manual"}, limits={"mutex": "m"})
    run = heart.runs.trigger("a", by="t")
    desk.engine.report("w1", [new_id()])
    assert until(lambda: line.take(10)) == [run.id]
