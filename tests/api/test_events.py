"""The stream of events, as far as a client sees it; tests/e2e watches a real one."""

import json

import pytest
from flask.testing import FlaskClient

from cronzimus.api.events import message
from cronzimus.models.event import Event, Topic
from tests.api.fakes import FakeHouse

MINE = Event(Topic.RUN, "r1", "mine", "running")
OTHER = Event(Topic.JOB, "other", "other")


def test_stream_names_each_event_by_its_topic(web: FlaskClient, fake: FakeHouse) -> None:
    fake.operating.hub.news = (MINE, OTHER)
    answer = web.get("/api/v1/events")
    assert answer.mimetype == "text/event-stream" and answer.headers["X-Accel-Buffering"] == "no"
    first, run, job = answer.text.strip().split("\n\n")
    assert first == "retry: 1000"
    name, _, data = run.partition("\n")
    assert name == "event: run" and json.loads(data.removeprefix("data: ")) == MINE.document()
    assert job.startswith("event: job\n")


@pytest.mark.parametrize(
    ("query", "topics"),
    [("topic=job", ["job"]), ("job_id=mine", ["run"]), ("run_id=r1", ["run"]), ("topic=job&run_id=r1", [])],
)
def test_filters_narrow_the_stream(web: FlaskClient, fake: FakeHouse, query: str, topics: list[str]) -> None:
    fake.operating.hub.news = (MINE, OTHER)
    lines = web.get(f"/api/v1/events?{query}").text.splitlines()
    assert [line.removeprefix("event: ") for line in lines if line.startswith("event: ")] == topics


def test_quiet_stream_says_that_it_is_there(web: FlaskClient) -> None:
    assert ": still here" in web.get("/api/v1/events").text


@pytest.mark.parametrize("query", ["topic=weather", "job_id=NOT%20A%20SLUG", "what=ever"])
def test_odd_wishes_are_refused(web: FlaskClient, query: str) -> None:
    assert web.get(f"/api/v1/events?{query}").status_code == 422


def test_message_keeps_lines_apart() -> None:
    assert message("log", b"one\ntwo") == b"event: log\ndata: one\ndata: two\n\n"
