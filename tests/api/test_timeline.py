"""The timeline over HTTP."""

from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from cronzimus.api.timeline import TimelineQuery
from tests.api.fakes import FakeHouse

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_timeline_is_of_the_last_hour_unless_told(web: FlaskClient, fake: FakeHouse) -> None:
    body = web.get("/api/v1/timeline").json
    assert body is not None and body["cut"] is False and body["runs"] == []
    since, until = fake.operating.timelines.asked
    assert until - since == timedelta(hours=1)


@pytest.mark.parametrize(
    ("query", "length"),
    [
        (TimelineQuery(), timedelta(hours=1)),
        (TimelineQuery(since=NOON - timedelta(days=2)), timedelta(days=2)),
        (TimelineQuery(since=NOON - timedelta(days=2), until=NOON - timedelta(days=1)), timedelta(days=1)),
    ],
)
def test_stretch(query: TimelineQuery, length: timedelta) -> None:
    since, until = query.stretch(lambda: NOON)
    assert until - since == length


@pytest.mark.parametrize(
    "query",
    [
        "since=2026-03-02T00:00Z&until=2026-03-01T00:00Z",
        "since=2026-03-01T00:00Z&until=2026-03-01T00:00Z",
        "since=2026-01-01T00:00Z&until=2026-03-01T00:00Z",
        "until=0001-01-01T00:00Z",
        "limit=5001",
        "job_id=NO",
    ],
)
def test_stretches_that_make_no_sense_are_refused(web: FlaskClient, query: str) -> None:
    answer = web.get(f"/api/v1/timeline?{query}")
    assert answer.status_code == 422 and answer.json is not None and answer.json["errors"]
