"""A backfill is begun: first it is told what would run."""

from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from cronzimus.common.db import Database
from cronzimus.house import House
from tests.web.pages import Element, Page, press, read

FORM = "/jobs/hourly/backfill"
TWELVE = "from=2026-03-01T00:00Z&to=2026-03-01T11:00Z&outcomes=missing&outcomes=failed&max_running=2"


def refused(web: FlaskClient, query: str, status: int = 422) -> Element:
    answer = web.get(f"{FORM}?{query}", headers={"Accept": "text/html"})
    assert answer.status_code == status
    return Page(answer.text).root


def begin(web: FlaskClient, query: str, **values: str) -> str:
    """Where the answer leads."""
    form = read(web, f"{FORM}?{query}").one("form", method="post", action=FORM)
    sent: dict[str, list[str]] = {}
    for one in form.all("input"):
        sent.setdefault(one.attributes["name"], []).append(one.attributes["value"])
    answer = web.post(FORM, data={**sent, **values}, headers={"Accept": "text/html"})
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def test_a_job_leads_to_the_form_of_its_last_day(web: FlaskClient, hourly: str) -> None:
    assert read(web, "/jobs/hourly").one("a", href=FORM).text == "Backfill"
    page = read(web, FORM)
    moments = [
        datetime.fromisoformat(page.one("input", name=name).attributes["value"]) for name in ("from", "to")
    ]
    assert moments[1] - moments[0] == timedelta(days=1)
    assert timedelta(0) <= datetime.now(UTC) - moments[1] < timedelta(minutes=5)
    taken = [
        one.attributes["value"] for one in page.all("input", name="outcomes") if "checked" in one.attributes
    ]
    assert taken == ["missing", "missed", "failed"]
    assert page.one("main").all("form", method="post") == []


def test_a_dry_run_tells_the_first_and_the_last_and_changes_nothing(
    web: FlaskClient, house: House, hourly: str
) -> None:
    shown = read(web, f"{FORM}?{TWELVE}").one("section", id="estimate")
    hours = [one.attributes["datetime"][11:13] for one in shown.all("time")]
    assert hours == ["00", "01", "02", "03", "04", "07", "08", "09", "10", "11"]
    assert "12 instants" in shown.text and "2 more" in shown.text and "missing" in shown.text
    assert house.operating.backfills.list().total == house.history.runs().total == 0


def test_few_are_told_whole(web: FlaskClient, hourly: str) -> None:
    query = TWELVE.replace("T11:", "T05:") + "&reverse=1"
    shown = read(web, f"{FORM}?{query}").one("section", id="estimate")
    hours = [one.attributes["datetime"][11:13] for one in shown.all("time")]
    assert hours == ["05", "04", "03", "02", "01", "00"] and "more" not in shown.text


def test_how_long_it_may_take_is_told(web: FlaskClient, hourly: str, database: Database) -> None:
    web.post("/api/v1/jobs/hourly/run")
    database.execute(
        "UPDATE cronzimus.runs SET state = 'success', started_at = queued_at, ended_at = queued_at + interval '10 s'"
    )
    assert "in about 1 min" in read(web, f"{FORM}?{TWELVE}").one("section", id="estimate").text


def test_what_was_shown_begins(web: FlaskClient, house: House, hourly: str) -> None:
    place = begin(web, f"{TWELVE}&reverse=1")
    (backfill,) = house.operating.backfills.list().items
    assert place == f"/backfills/{backfill.id}"
    assert (backfill.total, backfill.max_running, backfill.reverse) == (12, 2, True)
    assert backfill.outcomes == ["missing", "failed"] and backfill.created_by == "api"


@pytest.mark.parametrize("expected", ["11", ""])
def test_what_was_not_shown_does_not_begin(
    web: FlaskClient, house: House, hourly: str, expected: str
) -> None:
    answer = press(web, f"{FORM}?{TWELVE}", FORM, expected=expected)
    page = Page(answer.text).root
    assert (
        answer.status_code == 409 and "try it dry again" in page.one("p", **{"class": "lead notice bad"}).text
    )
    assert page.one("input", name="from").attributes["value"] == "2026-03-01T00:00Z"
    assert house.operating.backfills.list().total == 0


def test_nothing_to_run_is_said(web: FlaskClient, hourly: str) -> None:
    page = read(web, f"{FORM}?{TWELVE.replace('missing', 'skipped')}")
    assert "Nothing of the job in this range" in page.one("section", id="estimate").text
    assert page.one("main").all("form", method="post") == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (("from=2026-03-01T00:00Z", "from=yesterday"), "from"),
        (("max_running=2", "max_running=0"), "max_running"),
        (("max_running=2", "max_running=some"), "max_running"),
        (("outcomes=missing&outcomes=failed", ""), "outcomes"),
        (("outcomes=missing", "outcomes=odd"), "outcomes"),
        (("from=2026", "from=1926"), "from"),
    ],
)
def test_mistakes_stand_beside_their_field(
    web: FlaskClient, hourly: str, change: tuple[str, str], field: str
) -> None:
    page = refused(web, TWELVE.replace(*change))
    assert page.one(id=field).attributes["aria-invalid"] == "true"
    assert page.one("span", id=f"{field}-note", **{"class": "fault"}).text
    assert page.one(id=field).attributes["aria-describedby"] == f"{field}-note"
    assert page.one("input", name="to").attributes["value"] == "2026-03-01T11:00Z"


def test_a_range_that_ends_before_it_begins_is_refused(web: FlaskClient, hourly: str) -> None:
    page = refused(web, TWELVE.replace("to=2026-03-01", "to=2026-02-01"))
    assert "to lies before from" in page.one("p", **{"class": "lead notice bad"}).text


def test_a_broken_job_is_not_filled(web: FlaskClient, hourly: str, database: Database) -> None:
    database.execute("UPDATE cronzimus.jobs SET status = 'broken', status_reason = 'gone'")
    assert "is broken: gone" in refused(web, TWELVE, 409).text
    assert read(web, "/jobs/hourly").all("a", href=FORM) == []


def test_forged_forms_and_jobs_that_are_not_there_are_refused(web: FlaskClient, hourly: str) -> None:
    assert web.post(FORM, data={"from": "2026-03-01"}).status_code == 403
    assert web.get("/jobs/other/backfill").status_code == 404
