"""Who ran when, from real rows."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from cronzimus.common.db import Database
from cronzimus.services.timeline import Timelines
from cronzimus.utils.ids import first_id_at

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def timelines(database: Database) -> Timelines:
    return Timelines(database)


def put(
    database: Database, queued: datetime, ended: datetime | None, job: str = "a", worker: str = "w"
) -> UUID:
    """A run that waited a second and ran until it ended."""
    run_id = UUID(int=first_id_at(queued).int + 1)
    state = "success" if ended else "running"
    database.execute(
        "INSERT INTO cronzimus.runs (id, job_id, job_version, cause, state, attempt, worker_id, lease_until,"
        " queued_at, started_at, ended_at, trace_id) VALUES (%s, %s, 1, 'manual', %s, 1, %s, now(), %s, %s, %s, '')",
        [run_id, job, state, worker, queued, queued + timedelta(seconds=1), ended],
    )
    return run_id


@pytest.mark.parametrize(
    ("queued", "ended", "found"),
    [
        (NOON + HOUR / 2, NOON + HOUR / 2 + timedelta(seconds=9), True),
        (NOON - HOUR, NOON + timedelta(seconds=1), True),
        (NOON - HOUR, NOON - timedelta(seconds=1), False),
        (NOON + HOUR * 2, NOON + HOUR * 3, False),
        (NOON - timedelta(days=30), None, True),
        (NOON + HOUR, None, False),
    ],
)
def test_runs_are_found_that_were_open_then(
    timelines: Timelines, database: Database, queued: datetime, ended: datetime | None, found: bool
) -> None:
    run_id = put(database, queued, ended)
    runs = timelines.between(NOON, NOON + HOUR).runs
    assert [run.id for run in runs] == ([run_id] if found else [])


def test_filters_and_the_limit(timelines: Timelines, database: Database) -> None:
    first = put(database, NOON, NOON + HOUR, "a", "w1")
    second = put(database, NOON + timedelta(seconds=2), None, "b", "w2")
    whole = timelines.between(NOON, NOON + HOUR)
    assert [run.id for run in whole.runs] == [second, first] and not whole.cut
    assert [run.id for run in timelines.between(NOON, NOON + HOUR, job_id="a").runs] == [first]
    assert [run.id for run in timelines.between(NOON, NOON + HOUR, worker_id="w2").runs] == [second]
    cut = timelines.between(NOON, NOON + HOUR, limit=1)
    assert [run.id for run in cut.runs] == [second] and cut.cut


@pytest.mark.parametrize("since", [datetime.min, datetime(739, 3, 13), datetime(1970, 1, 1)])
def test_nothing_ran_in_times_before_computers(timelines: Timelines, since: datetime) -> None:
    start = since.replace(tzinfo=UTC)
    assert timelines.between(start, start + HOUR).runs == ()
