"""Pages of the past: every filter narrows, every total is the whole."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from cronzimus.errors import NotFound
from cronzimus.models.run import RunState
from tests.heart import Heart

MANUAL = {"type": "manual"}


@pytest.fixture
def past(heart: Heart) -> Heart:
    """Two jobs, four runs: two ended, one running, one waiting."""
    heart.add("one", trigger=MANUAL, policy={"overlap": "allow"})
    heart.add("two", trigger=MANUAL, kind="sql", params={"statement": "SELECT 1"})
    for job_id in ("one", "one", "one", "two"):
        heart.runs.trigger(job_id, by="t")
    first, second, _ = heart.claim(heart.offered[:3])
    heart.end(first)
    heart.end(second, RunState.FAILED)
    return heart


def test_runs_come_newest_first_with_their_total(past: Heart) -> None:
    page = past.history.runs(limit=2)
    assert page.total == 4 and [run.job_id for run in page.items] == ["two", "one"]
    ids = [run.id for run in past.history.runs().items]
    assert ids == sorted(ids, reverse=True)


def test_offset_goes_on_where_the_page_ended(past: Heart) -> None:
    whole = past.history.runs().items
    assert past.history.runs(limit=2, offset=2).items == whole[2:]
    assert past.history.runs(limit=2, offset=9).total == 4


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"job_id": "one"}, 3),
        ({"kind": "sql"}, 1),
        ({"state": "failed"}, 1),
        ({"state": "running"}, 1),
        ({"cause": "manual"}, 4),
        ({"cause": "schedule"}, 0),
        ({"worker_id": "w"}, 3),
        ({"job_id": "one", "state": "success"}, 1),
        ({"since": datetime.now(UTC) + timedelta(days=1)}, 0),
        ({"until": datetime.now(UTC) - timedelta(days=1)}, 0),
        ({"since": datetime.now(UTC) - timedelta(days=1)}, 4),
    ],
)
def test_filters_narrow_the_runs(past: Heart, filters: dict[str, object], count: int) -> None:
    page = past.history.runs(**filters)  # type: ignore[arg-type]
    assert (len(page.items), page.total) == (count, count)


def test_unknown_run_is_not_found(heart: Heart) -> None:
    with pytest.raises(NotFound):
        heart.history.run(uuid4())
    assert heart.history.attempts(uuid4()) == ()
    assert heart.history.versions("nope") == ()


def test_firings_are_filtered_and_a_range_belongs_to_each_of_its_instants(heart: Heart) -> None:
    heart.add()
    due_at = heart.make_due("a", "date_trunc('second', clock_timestamp()) - interval '10 minutes'")
    heart.fire()
    rows = heart.history.firings(job_id="a")
    assert rows.total == 3 and rows.items[0].decision == "fired"
    inside = due_at + timedelta(minutes=2)
    (summary,) = heart.history.firings(since=inside, until=inside + timedelta(seconds=1)).items
    assert summary.decision == "missed" and summary.first_due_at == due_at and summary.instants > 100
    assert heart.history.firings(decision="fired").total == 1
    assert heart.history.firings(reason="misfire").total == 1
    assert heart.history.firings(limit=1, offset=1).total == 3
