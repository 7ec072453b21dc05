"""The page of one job."""

import pytest
from flask.testing import FlaskClient

from cronzimus.common.db import Database
from cronzimus.house import House
from tests.api.fakes import document
from tests.web.pages import press, read

BERLIN = {"type": "cron", "expression": "30 2 28 3 *", "timezone": "Europe/Berlin"}


def add(web: FlaskClient, job_id: str, **changes: object) -> None:
    answer = web.post("/api/v1/jobs", json=document(job_id, **changes))
    assert answer.status_code == 201, answer.text


def put_row(database: Database, decision: str = "skipped", reason: str | None = "overlap") -> None:
    database.execute(
        "INSERT INTO cronzimus.firings (job_id, due_at, first_due_at, decision, reason, epoch, decided_by, job_version)"
        " VALUES ('hourly', '2026-03-01T12:00Z', '2026-03-01T12:00Z', %s, %s, 3, 'replica', 1)",
        [decision, reason],
    )


def test_a_job_is_told_in_words(web: FlaskClient) -> None:
    add(web, "dawn", trigger=BERLIN, description="At <dawn>", tags=["sun"])
    main = read(web, "/jobs/dawn").one("main")
    assert main.one("h1").text == "dawn active"
    assert "02:30" in main.text and "(Europe/Berlin)" in main.text
    assert "At <dawn>" in main.text and "function cronzimus.controller.task:task" in main.text
    assert main.one("a", href="/jobs?tag=sun")


def test_the_next_ten_are_on_the_job_s_clock_with_marks(web: FlaskClient) -> None:
    add(web, "dawn", trigger={**BERLIN, "expression": "30 2 * 3,10 SUN"})
    coming = read(web, "/jobs/dawn").one("section", **{"aria-labelledby": "coming-title"})
    rows = coming.one("tbody").all("tr")
    assert len(rows) == 10
    marked = [row.text for row in rows if "DST" in row.text]
    assert [one for one in marked if "03:00:00 +02:00" in one and "DST gap" in one]
    assert [one for one in marked if "02:30:00 +02:00" in one and "DST repeated, first" in one]


def test_what_has_no_future_says_so(web: FlaskClient, hourly: str) -> None:
    add(web, "manual", trigger={"type": "manual"})
    assert "It runs only when it is started." in read(web, "/jobs/manual").text
    web.post("/api/v1/jobs/hourly/pause")
    assert "Nothing is due while it is paused." in read(web, "/jobs/hourly").text


def test_the_reason_of_a_skipped_instant_is_found(web: FlaskClient, hourly: str, database: Database) -> None:
    put_row(database)
    ledger = read(web, "/jobs/hourly").one("section", id="ledger")
    row = ledger.one("tbody").one("tr")
    assert "skipped" in row.text and "overlap : an earlier run of it was not finished" in row.text
    link = next(one.attributes["href"] for one in row.all("a") if one.text == "why?")
    why = read(web, link.partition("#")[0]).one("p", id="why")
    assert "skipped (overlap): an earlier run of it was not finished" in why.text
    assert web.get(why.one("a").attributes["href"]).status_code == 200


def test_outcomes_and_durations_are_drawn_and_told(web: FlaskClient, hourly: str, database: Database) -> None:
    for _ in range(2):
        web.post("/api/v1/jobs/hourly/run")
    database.execute(
        "UPDATE cronzimus.runs SET state = 'success', started_at = queued_at, ended_at = queued_at + interval '2 s'"
    )
    page = read(web, "/jobs/hourly")
    assert "1 success" in page.one("svg", **{"class": "calendar"}).attributes["aria-label"]
    assert len(page.one("svg", **{"class": "calendar"}).all("rect", **{"class": "f-success"})) == 1
    points = page.one("table", id="durations").one("tbody").all("tr")
    assert [point.attributes["data-y"] for point in points] == ["2.0", "2.0"]
    assert page.one("div", **{"data-chart": "durations"}).attributes["role"] == "img"


def test_secrets_of_a_definition_are_masked(web: FlaskClient) -> None:
    params = {"command": ["true", "--password=hunter22x"], "env": {"DSN": "postgresql://u:hunter22x@db/x"}}
    add(web, "shell", kind="shell", params=params)
    page = web.get("/jobs/shell", headers={"Accept": "text/html"}).text
    assert "hunter22x" not in page and "postgresql://u:***@db/x" in page


def test_forms_pause_resume_run_and_delete(web: FlaskClient, house: House, hourly: str) -> None:
    here = "/jobs/hourly"
    assert press(web, here, f"{here}/pause").headers["Location"] == here
    assert house.timetable.get("hourly").status == "paused"
    assert press(web, here, f"{here}/run").status_code == 303, "a paused job is run by force"
    assert press(web, here, f"{here}/resume").status_code == 303
    assert press(web, here, f"{here}/run").status_code == 303
    assert house.history.runs(job_id="hourly").total == 2
    assert press(web, here, f"{here}/delete").headers["Location"] == "/jobs"
    assert web.get("/api/v1/jobs/hourly").status_code == 404


def test_an_old_row_of_the_ledger_is_reached_by_pages(
    web: FlaskClient, hourly: str, database: Database
) -> None:
    database.execute(
        "INSERT INTO cronzimus.firings (job_id, due_at, first_due_at, decision, reason, epoch, decided_by, job_version)"
        " SELECT 'hourly', t, t, 'skipped', 'paused', 1, 'r', 1"
        " FROM generate_series(now() - interval '30 hours', now(), interval '1 hour') t"
    )
    ledger = read(web, "/jobs/hourly?rows=20").one("section", id="ledger")
    assert len(ledger.one("tbody").all("tr")) == 11
    assert ledger.one("a", rel="prev").attributes["href"] == "/jobs/hourly?rows=0"


@pytest.mark.parametrize("path", ["/jobs/none", "/jobs/Not-A-Slug", "/jobs/%3Cb%3E"])
def test_a_job_that_is_not_there_is_not_found(web: FlaskClient, path: str) -> None:
    answer = web.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 404 and "JOB_NOT_FOUND" in answer.text and "<b>" not in answer.text


def test_a_wrong_moment_is_told(web: FlaskClient, hourly: str) -> None:
    answer = web.get("/jobs/hourly?at=yesterday", headers={"Accept": "text/html"})
    assert answer.status_code == 422 and "ISO 8601" in answer.text
