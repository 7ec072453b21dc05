"""The pages of backfills."""

from uuid import UUID

import pytest
from flask.testing import FlaskClient

from cronzimus.common.db import Database
from cronzimus.house import House
from cronzimus.models.backfill import BackfillRequest
from cronzimus.services.audit import Audit
from tests.web.pages import Element, Page, press, read


def begin(house: House, hours: int = 12, job_id: str = "hourly") -> UUID:
    asked = {"job_id": job_id, "from": "2026-03-01T00:00Z", "to": f"2026-03-01T{hours - 1:02}:00Z"}
    return house.operating.backfills.start(BackfillRequest.model_validate(asked), by="ann").id


def end_some(database: Database, backfill_id: UUID) -> None:
    """Three of its instants went well, two did not, one has an open run; the other runs are gone by now."""
    for state, places in (("success", (1, 2, 3)), ("failed", (4, 5))):
        database.execute(
            "UPDATE cronzimus.backfill_items SET run_id = gen_random_uuid(), outcome = %s"
            " WHERE backfill_id = %s AND place = ANY(%s)",
            [state, backfill_id, list(places)],
        )
    run_id = "0199c2a4-5d10-7000-8000-0000000000b1"
    database.execute(
        "INSERT INTO cronzimus.runs (id, job_id, job_version, due_at, cause, state, trace_id)"
        " VALUES (%s, 'hourly', 1, '2026-03-01T05:00Z', 'backfill', 'pending', 't')",
        [run_id],
    )
    database.execute(
        "UPDATE cronzimus.backfill_items SET run_id = %s WHERE backfill_id = %s AND place = 6",
        [run_id, backfill_id],
    )


def rows(main: Element) -> list[Element]:
    return [row for row in main.all("tr") if "data-row" in row.attributes]


def test_none_is_said(web: FlaskClient) -> None:
    assert "No backfill was begun." in read(web, "/backfills").one("main").text
    assert "No backfill matches." in read(web, "/backfills?state=done").one("main").text


def test_backfills_are_listed_with_how_far_they_are(
    web: FlaskClient, house: House, hourly: str, database: Database
) -> None:
    backfill_id = begin(house)
    end_some(database, backfill_id)
    (row,) = rows(read(web, "/backfills").one("main"))
    assert row.one("a", href="/jobs/hourly") and row.one("a", href=f"/backfills/{backfill_id}")
    bar = row.one("svg", **{"class": "filled"})
    assert bar.attributes["aria-label"] == "Of 12 instants 3 done, 2 failed, 1 running, 6 left"
    parts = [
        (one.attributes["class"], one.attributes["x"], one.attributes["width"]) for one in bar.all("rect")
    ]
    assert parts == [
        ("f-success", "0", "3"),
        ("f-failed", "3", "2"),
        ("f-running", "5", "1"),
        ("f-none", "6", "6"),
    ]
    assert "5 of 12, 2 failed" in row.text and "by ann" in row.text
    assert row.one("span", **{"data-state": f"backfill/{backfill_id}"}).text == "running"


def test_the_list_is_filtered_and_live(web: FlaskClient, house: House, hourly: str) -> None:
    begin(house)
    assert len(rows(read(web, "/backfills?job_id=hourly&state=running"))) == 1
    assert rows(read(web, "/backfills?job_id=other")) == rows(read(web, "/backfills?state=paused")) == []
    assert read(web, "/backfills").one("body").attributes["data-topics"] == "backfill"


def test_one_shows_its_instants_and_what_waits(
    web: FlaskClient, house: House, hourly: str, database: Database
) -> None:
    backfill_id = begin(house)
    end_some(database, backfill_id)
    page = read(web, f"/backfills/{backfill_id}?limit=7")
    assert page.one("body").attributes["data-job"] == "hourly"
    states = [row.all("td")[2].text for row in rows(page)]
    assert states == ["success"] * 3 + ["failed"] * 2 + ["pending", "waits"]
    assert page.one("nav", **{"class": "paging"}).one("a", rel="next")
    waiting = page.one("section", **{"aria-labelledby": "waiting-title"})
    assert "6 wait" in waiting.text and len(waiting.all("li")) == 6
    assert waiting.all("time")[0].attributes["datetime"] == "2026-03-01T06:00:00+00:00"


def test_its_runs_are_found_where_runs_are(
    web: FlaskClient, house: House, hourly: str, database: Database
) -> None:
    backfill_id = begin(house)
    end_some(database, backfill_id)
    links = read(web, f"/backfills/{backfill_id}").one("main").all("a")
    (runs,) = [one.attributes["href"] for one in links if one.text == "Runs of backfills of hourly"]
    assert len(rows(read(web, runs))) == 1


@pytest.mark.parametrize("place", ["/backfills", "/backfills/{}"])
def test_it_is_paused_resumed_and_cancelled(web: FlaskClient, house: House, hourly: str, place: str) -> None:
    backfill_id = begin(house)
    path = place.format(backfill_id)
    for verb, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        answer = press(web, path, f"/backfills/{backfill_id}/{verb}")
        assert answer.status_code == 303 and answer.headers["Location"].startswith(path)
        assert house.operating.backfills.get(backfill_id).state == state
    assert read(web, path).one("main").all("form", method="post") == []
    assert house.operating.backfills.get(backfill_id).ended_at is not None
    record = Audit(house.operating.database).list(target=f"backfill/{backfill_id}").items
    assert [one.action.partition(".")[2] for one in record] == ["cancel", "resume", "pause", "start"]


def test_what_has_ended_is_not_turned(web: FlaskClient, house: House, hourly: str) -> None:
    backfill_id = begin(house)
    form = read(web, f"/backfills/{backfill_id}").one("form", action=f"/backfills/{backfill_id}/pause")
    token = form.one("input", name="csrf_token").attributes["value"]
    house.operating.backfills.cancel(backfill_id, by="ann")
    answer = web.post(
        f"/backfills/{backfill_id}/pause", data={"csrf_token": token}, headers={"Accept": "text/html"}
    )
    assert answer.status_code == 409 and "has ended already" in Page(answer.text).root.text
    page = read(web, f"/backfills/{backfill_id}")
    assert "not run" in page.text and page.all("section", **{"aria-labelledby": "waiting-title"}) == []


def test_a_forged_form_turns_nothing(web: FlaskClient, house: House, hourly: str) -> None:
    backfill_id = begin(house)
    assert web.post(f"/backfills/{backfill_id}/cancel").status_code == 403
    assert house.operating.backfills.get(backfill_id).state == "running"


@pytest.mark.parametrize("backfill_id", ["7", "01a1fd02-9521-72e2-9b52-c3d573379412"])
def test_one_that_nobody_began_is_not_found(web: FlaskClient, backfill_id: str) -> None:
    assert web.get(f"/backfills/{backfill_id}", headers={"Accept": "text/html"}).status_code == 404
