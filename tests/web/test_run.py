"""Runs: the list, and one of them with its log, its error and its buttons."""

import shlex
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cronzimus.house import House
from cronzimus.models.log_line import LogLine, Stream
from cronzimus.models.run import Run
from cronzimus.web.run import curl
from tests.api.fakes import document
from tests.web.conftest import TOKENS
from tests.web.pages import press, read

ERROR = """{"type": "ValueError", "message": "no rows", "category": "BUSINESS", "fingerprint": "abc123",
  "traceback": "File <x>, line 1"}"""

BEGIN = """
UPDATE cronzimus.runs
   SET state = 'running', attempt = 1, worker_id = 'w1', started_at = now(), lease_until = now() + interval '1 hour'
 WHERE id = %(id)s
"""
FAIL = (
    "UPDATE cronzimus.runs SET state = 'failed', error = %(error)s::jsonb, ended_at = now() WHERE id = %(id)s"
)


@pytest.fixture
def run(house: House, hourly: str) -> Run:
    """A run that waits, with two lines in its log."""
    run = house.runs.trigger(hourly, params={"n": 1}, by="test")
    house.operating.log_writer.put(
        [line(run, "looked at 7 <rows>", "DEBUG"), line(run, "that took long", "WARNING")]
    )
    house.operating.log_writer.step()
    return run


def line(run: Run, text: str, level: str) -> LogLine:
    return LogLine(run.id, run.job_id, 1, datetime.now(UTC), Stream.LOG, level, "tests", text)


def begin(house: House, run: Run) -> None:
    """What a worker writes when it begins a run."""
    house.operating.database.execute(BEGIN, {"id": run.id})


def fail(house: House, run: Run) -> None:
    """What a worker writes when it ends one."""
    begin(house, run)
    house.operating.database.execute(FAIL, {"id": run.id, "error": ERROR})


def test_a_run_shows_what_it_is(web: FlaskClient, run: Run) -> None:
    page = read(web, f"/runs/{run.id}")
    assert page.one("h1").text == "Run of hourly pending"
    assert page.one("h1").one("span", **{"data-state": f"run/{run.id}"}).text == "pending"
    facts = page.one("dl", **{"class": "facts"}).text
    assert str(run.id) in facts and "manual" in facts and run.trace_id in facts
    assert "No worker has begun it." in page.text


def test_its_log_is_there_without_scripts(web: FlaskClient, run: Run) -> None:
    log = read(web, f"/runs/{run.id}").one("pre", id="log")
    assert "looked at 7 <rows>" in log.text and "that took long" in log.text
    assert log.attributes["data-follow"] == f"/api/v1/runs/{run.id}/logs/stream"
    assert int(log.attributes["data-after"]) > 0 and "data-open" in log.attributes


def test_a_level_leaves_lesser_lines_out(web: FlaskClient, run: Run) -> None:
    page = read(web, f"/runs/{run.id}?level=WARNING")
    log = page.one("pre", id="log")
    assert "that took long" in log.text and "looked at" not in log.text
    assert log.attributes["data-follow"].endswith("/stream?level=WARNING")
    assert page.all("a", href=f"/api/v1/runs/{run.id}/logs/download?level=WARNING")


def test_a_level_nobody_knows_is_refused(web: FlaskClient, run: Run) -> None:
    answer = web.get(f"/runs/{run.id}?level=LOUD", headers={"Accept": "text/html"})
    assert answer.status_code == 422 and "level" in answer.text


def test_a_failure_shows_its_error_and_folds_the_traceback(web: FlaskClient, house: House, run: Run) -> None:
    fail(house, run)
    section = read(web, f"/runs/{run.id}").one("section", id="error")
    assert "ValueError : no rows" in section.text and "abc123" in section.text
    assert "File <x>, line 1" in section.one("details").text


def test_a_running_attempt_is_in_the_table(web: FlaskClient, house: House, run: Run) -> None:
    begin(house, run)
    table = read(web, f"/runs/{run.id}").one("section", **{"aria-labelledby": "attempts-title"})
    assert table.one("tbody").one("tr").text.startswith("1 running w1")


def test_a_waiting_run_is_cancelled(web: FlaskClient, house: House, run: Run) -> None:
    here = f"/runs/{run.id}"
    answer = press(web, here, f"{here}/cancel")
    assert (answer.status_code, answer.headers["Location"]) == (303, here)
    assert house.history.run(run.id).state == "cancelled"
    page = read(web, here)
    assert "The run of hourly is cancelled" in page.one("div", id="toasts").text
    assert "data-open" not in page.one("pre", id="log").attributes


def test_a_run_that_ended_is_started_again(web: FlaskClient, house: House, run: Run) -> None:
    fail(house, run)
    answer = press(web, f"/runs/{run.id}", f"/runs/{run.id}/retry")
    page = read(web, answer.headers["Location"])
    assert page.one("h1").text == "Run of hourly pending"
    assert page.one("dl", **{"class": "facts"}).all("a", href=f"/runs/{run.id}")


def test_only_what_can_be_done_is_offered(web: FlaskClient, house: House, run: Run) -> None:
    here = f"/runs/{run.id}"
    assert [one.attributes["action"] for one in read(web, here).all("form", method="post")] == [
        f"{here}/cancel"
    ]
    fail(house, run)
    assert [one.attributes["action"] for one in read(web, here).all("form", method="post")] == [
        f"{here}/retry"
    ]


@pytest.mark.parametrize("verb", ["cancel", "retry"])
def test_readers_may_not(site: Callable[..., Flask], run: Run, verb: str) -> None:
    web = site(environment="production", api={"auth": {"tokens": TOKENS}}).test_client()
    answer = web.post(f"/runs/{run.id}/{verb}", headers={"Authorization": "Bearer read-key"})
    assert answer.status_code == 403


@pytest.mark.parametrize("verb", ["cancel", "retry"])
def test_a_forged_form_is_refused(web: FlaskClient, house: House, run: Run, verb: str) -> None:
    assert web.post(f"/runs/{run.id}/{verb}").status_code == 403
    assert house.history.run(run.id).state == "pending"


@pytest.mark.parametrize("path", ["/runs/none", "/runs/00000000-0000-7000-8000-000000000000"])
def test_what_is_not_there_is_not_found(web: FlaskClient, path: str) -> None:
    assert web.get(path, headers={"Accept": "text/html"}).status_code == 404


def test_the_list_is_filtered_by_its_address(web: FlaskClient, run: Run) -> None:
    assert web.post("/api/v1/jobs", json=document("other")).status_code == 201
    other = web.post("/api/v1/jobs/other/run").get_json()["run_id"]
    rows = [one.attributes["id"] for one in read(web, "/runs").one("tbody").all("tr")]
    assert rows == [f"run-{other}", f"run-{run.id}"]
    page = read(web, "/runs?job_id=hourly&state=pending")
    assert [one.attributes["id"] for one in page.one("tbody").all("tr")] == [f"run-{run.id}"]
    assert page.one("link", rel="alternate").attributes["href"] == "/api/v1/runs?job_id=hourly&state=pending"
    assert "No run matches." in read(web, "/runs?state=lost").text


def test_the_list_has_pages(web: FlaskClient, house: House, run: Run) -> None:
    house.runs.trigger("hourly", by="test")
    page = read(web, "/runs?limit=1")
    assert page.one("a", rel="next").attributes["href"] == "/runs?limit=1&offset=1"


def test_the_command_starts_the_same_again(run: Run) -> None:
    words = shlex.split(curl(run))
    assert words[:3] == ["curl", "-X", "POST"] and words[3].endswith("/api/v1/jobs/hourly/run")
    assert words[-2:] == ["-d", '{"params": {"n": 1}}']
