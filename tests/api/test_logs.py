"""The log of a run over HTTP: pages, file, stream, search."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from cronzimus.api.logs import text_of
from cronzimus.models.event import Event, Topic
from cronzimus.models.log_line import Stream
from cronzimus.models.run import Run, RunState
from cronzimus.services.run_logs import LineFilter
from tests.api.fakes import NOW, FakeHouse, a_line, a_run

V1 = "/api/v1"


@pytest.fixture
def run(fake: FakeHouse) -> Run:
    """A run that has ended and said three lines."""
    run = fake.runs.put(replace(a_run("nightly"), state=RunState.SUCCESS, ended_at=NOW))
    more = {"stream": Stream.LOG, "level": "WARNING", "logger": "mine"}
    fake.operating.run_logs.lines = [
        a_line(run, 4, "one"),
        a_line(run, 7, "two <&>", **more),
        a_line(run, 9, "Grüße"),
    ]
    return run


def events(text: str) -> list[tuple[str | None, str, Any]]:
    """The events of a stream: id, name, data."""
    found = []
    for part in text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in part.splitlines() if not line.startswith(":"))
        if "event" in fields:
            found.append((fields.get("id"), fields["event"], json.loads(fields["data"])))
    return found


def test_page_shows_lines_first_to_last(web: FlaskClient, run: Run) -> None:
    body = web.get(f"{V1}/runs/{run.id}/logs?limit=2").json
    assert body is not None and body["more"] is True
    assert [line["line"] for line in body["items"]] == ["one", "two <&>"]
    assert body["items"][1] == {
        "seq": 7,
        "run_id": str(run.id),
        "job_id": "nightly",
        "attempt": 1,
        "at": "2026-03-01T12:00:00Z",
        "stream": "log",
        "level": "WARNING",
        "logger": "mine",
        "line": "two <&>",
    }


def test_page_goes_on_where_it_is_told(web: FlaskClient, run: Run) -> None:
    def lines(query: str) -> list[str]:
        body = web.get(f"{V1}/runs/{run.id}/logs?{query}").json
        assert body is not None
        return [line["line"] for line in body["items"]]

    assert lines("after=4") == ["two <&>", "Grüße"]
    assert lines("tail=true&limit=1") == ["Grüße"]
    assert lines("before=9&limit=1") == ["two <&>"]


def test_filters_reach_the_service(web: FlaskClient, run: Run, fake: FakeHouse) -> None:
    web.get(f"{V1}/runs/{run.id}/logs?q=x&level=ERROR&stream=log&attempt=2")
    assert fake.operating.run_logs.asked["wanted"] == LineFilter("x", "ERROR", Stream.LOG, 2)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("level=LOUD", "level"),
        ("stream=tape", "stream"),
        ("attempt=0", "attempt"),
        ("after=-1", "after"),
        ("after=1e3", "after"),
        ("limit=1001", "limit"),
        ("tail=maybe", "tail"),
        ("grep=x", "grep"),
    ],
)
def test_wrong_wishes_are_refused_naming_the_field(
    web: FlaskClient, run: Run, query: str, field: str
) -> None:
    answer = web.get(f"{V1}/runs/{run.id}/logs?{query}")
    assert answer.status_code == 422 and answer.json is not None
    assert answer.json["errors"][0]["field"] == field


@pytest.mark.parametrize("way", ["", "/download", "/stream"])
@pytest.mark.parametrize("run_id", ["01890a5d-ac96-774b-bcce-b302099a8057", "no-uuid"])
def test_log_of_no_run_is_not_found(web: FlaskClient, way: str, run_id: str) -> None:
    answer = web.get(f"{V1}/runs/{run_id}/logs{way}")
    assert answer.status_code == 404 and answer.json is not None
    assert answer.json["code"] == "RUN_NOT_FOUND"


def test_file_has_every_line_and_a_name(web: FlaskClient, run: Run) -> None:
    answer = web.get(f"{V1}/runs/{run.id}/logs/download")
    assert answer.mimetype == "text/plain" and answer.is_streamed
    assert answer.headers["Content-Disposition"] == f'attachment; filename="nightly-{run.id}.log"'
    assert answer.text.splitlines() == [
        "2026-03-01T12:00:00.000Z 1 stdout -        one",
        "2026-03-01T12:00:00.000Z 1 log    WARNING  two <&>",
        "2026-03-01T12:00:00.000Z 1 stdout -        Grüße",
    ]


def test_long_file_is_whole(web: FlaskClient, run: Run, fake: FakeHouse) -> None:
    fake.operating.run_logs.lines = [a_line(run, seq, str(seq)) for seq in range(1, 251)]
    said = web.get(f"{V1}/runs/{run.id}/logs/download").text.splitlines()
    assert [line.split()[-1] for line in said] == [str(seq) for seq in range(1, 251)]


def test_stream_of_an_ended_run_has_every_line_and_ends(web: FlaskClient, run: Run) -> None:
    answer = web.get(f"{V1}/runs/{run.id}/logs/stream")
    assert answer.mimetype == "text/event-stream" and answer.text.startswith("retry: 1000\n\n")
    *lines, end = events(answer.text)
    assert [(id, name, data["line"]) for id, name, data in lines] == [
        ("4", "line", "one"),
        ("7", "line", "two <&>"),
        ("9", "line", "Grüße"),
    ]
    assert end == ("9", "end", {"run_id": str(run.id), "state": "success"})


@pytest.mark.parametrize(
    ("headers", "query", "first"),
    [
        ({"Last-Event-ID": "4"}, "", "7"),
        ({"Last-Event-ID": "4"}, "?after=7", "9"),
        ({"Last-Event-ID": "seven"}, "", "4"),
        ({"Last-Event-ID": "9" * 30}, "", "4"),
        ({}, "?after=4", "7"),
    ],
)
def test_stream_goes_on_where_it_broke(
    web: FlaskClient, run: Run, headers: dict[str, str], query: str, first: str
) -> None:
    answer = web.get(f"{V1}/runs/{run.id}/logs/stream{query}", headers=headers)
    assert events(answer.text)[0][0] == first


def test_stream_of_an_open_run_waits_for_more(web: FlaskClient, run: Run, fake: FakeHouse) -> None:
    fake.runs.put(replace(run, state=RunState.RUNNING, ended_at=None))
    fake.operating.hub.news = (Event(Topic.LOG, str(run.id), run.job_id),)
    names = [name for _, name, _ in events(web.get(f"{V1}/runs/{run.id}/logs/stream").text)]
    assert names == ["line", "line", "line"]


def test_search_goes_through_all_runs(web: FlaskClient, run: Run, fake: FakeHouse) -> None:
    since = datetime(2026, 3, 1, tzinfo=UTC)
    body = web.get(f"{V1}/logs?q=o&job_id=nightly&level=INFO&since=2026-03-01&limit=2").json
    assert body is not None and body["next"] is None
    assert [line["line"] for line in body["items"]] == ["one", "two <&>"]
    asked = fake.operating.run_logs.asked
    assert (asked["wanted"], asked["job_id"]) == (LineFilter("o", "INFO", None), "nightly")
    assert (asked["since"], asked["until"], asked["before"], asked["limit"]) == (since, None, None, 2)


def test_search_is_continued_by_what_it_answered(web: FlaskClient, fake: FakeHouse) -> None:
    fake.operating.run_logs.stopped_at = (NOW, 12)
    first = web.get(f"{V1}/logs")
    assert first.json is not None
    web.get(f"{V1}/logs", query_string={"before": first.json["next"]})
    assert fake.operating.run_logs.asked["before"] == (NOW, 12)


@pytest.mark.parametrize(
    "before", ["x", "2026-03-01T00:00:00Z", "1.2.3", ".5", "1" * 18 + ".5", "1." + "1" * 19]
)
def test_search_is_not_continued_from_anywhere(web: FlaskClient, before: str) -> None:
    answer = web.get(f"{V1}/logs", query_string={"before": before})
    assert answer.status_code == 422 and answer.json is not None
    assert answer.json["errors"][0]["field"] == "before"


def test_line_of_the_file_is_one_line(run: Run) -> None:
    assert text_of(a_line(run, 1, "said")).count("\n") == 1
