"""Why runs do not start, in words."""

import pytest

from cronzimus.models.run import Run
from cronzimus.services.holds import Holds
from cronzimus.services.pools import SlotPools
from cronzimus.services.queues import Queues
from tests.heart import Heart


def run_of(heart: Heart, held_by: str | None = None) -> Run:
    run = heart.runs.trigger("a", by="t")
    if held_by is not None:
        statement = (
            "UPDATE cronzimus.runs SET gated = true, ranked_at = queued_at, held_by = %s WHERE id = %s"
        )
        heart.database.execute(statement, [held_by, run.id])
    return heart.history.run(run.id)


@pytest.fixture
def heart(heart: Heart) -> Heart:
    heart.add(trigger={"type": "manual"}, queue="etl")
    return heart


def told(heart: Heart, *runs: Run) -> list[str | None]:
    found = Holds(heart.database).of(runs)
    return [found.get(run.id) for run in runs]


def test_run_that_only_waits_for_its_turn_is_not_held(heart: Heart) -> None:
    assert told(heart, run_of(heart)) == [None] and Holds(heart.database).of([]) == {}


def test_run_says_what_holds_it(heart: Heart) -> None:
    SlotPools(heart.database).define("db", 2, by="t")
    runs = [run_of(heart, held_by) for held_by in ("mutex:m", "slots:3/db", "slots:3/gone", "pool:db")]
    assert told(heart, *runs) == [
        "another run holds the mutex m",
        "it wants 3 slots, the pool db has 2",
        "there is no pool gone",
        "the pool db has no free slot for it",
    ]


def test_plain_run_of_a_halted_queue_is_held_too(heart: Heart) -> None:
    queues = Queues(heart.database, heart.offered.extend)
    before = run_of(heart)
    queues.drain("etl", by="t")
    after = run_of(heart)
    assert told(heart, before, after)[0] is None
    assert str(told(heart, after)[0]).startswith("queue etl is being drained")
    queues.pause("etl", by="t")
    assert told(heart, before, run_of(heart, "queue:etl")) == ["queue etl is paused"] * 2


def test_run_that_goes_on_or_has_ended_is_held_by_nothing(heart: Heart) -> None:
    run = run_of(heart)
    (claim,) = heart.claim(heart.offered[-1:])
    Queues(heart.database, heart.offered.extend).pause("etl", by="t")
    assert told(heart, heart.history.run(run.id)) == [None]
    heart.end(claim)
    assert told(heart, heart.history.run(run.id)) == [None]
