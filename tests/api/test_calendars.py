"""Calendars over HTTP."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.fakes import FakeHouse, document

ROUTE = "/api/v1/calendars"


def add(web: FlaskClient, **fields: Any) -> Any:
    return web.post(ROUTE, json={"id": "ours", "days": ["2026-12-24"], **fields})


def test_calendar_is_made_read_changed_and_removed(web: FlaskClient) -> None:
    answer = add(web, description="ours")
    assert (answer.status_code, answer.headers["Location"]) == (201, f"{ROUTE}/ours")
    assert answer.json["days"] == [{"on": "2026-12-24", "name": ""}] and answer.json["version"] == 1
    assert [one["id"] for one in web.get(ROUTE).json["items"]] == ["ours"]
    seen = web.get(f"{ROUTE}/ours")
    changed = web.put(f"{ROUTE}/ours", json={"weekdays": ["sun"]}, headers={"If-Match": seen.headers["ETag"]})
    assert changed.json["weekdays"] == ["sun"] and changed.json["days"] == []
    stale = web.put(f"{ROUTE}/ours", json={}, headers={"If-Match": seen.headers["ETag"]})
    assert (stale.status_code, stale.json["code"]) == (412, "PRECONDITION_FAILED")
    assert web.delete(f"{ROUTE}/ours", headers={"If-Match": seen.headers["ETag"]}).status_code == 412
    assert web.delete(f"{ROUTE}/ours").status_code == 204
    assert web.get(f"{ROUTE}/ours").json["code"] == "CALENDAR_NOT_FOUND"


def test_faults_are_told_by_field(web: FlaskClient) -> None:
    answer = add(web, days=["24.12."], weekdays=["someday"], holydays=[])
    assert answer.status_code == 422
    assert {fault["field"] for fault in answer.json["errors"]} == {"days.0.on", "weekdays.0", "holydays"}
    answer = web.put(f"{ROUTE}/ours", json={"id": "theirs"})
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "id")
    assert add(web).status_code == 201 and add(web).json["code"] == "CALENDAR_EXISTS"


def test_days_of_a_stretch_are_listed(web: FlaskClient) -> None:
    add(web, weekdays=["sun"])
    answer = web.get(f"{ROUTE}/ours/days?from=2026-12-20&to=2026-12-26").json
    assert answer["items"] == [
        {"day": "2026-12-20", "name": "Sunday"},
        {"day": "2026-12-24", "name": "a day off"},
    ]
    assert 52 <= len(web.get(f"{ROUTE}/ours/days").json["items"]) <= 54
    assert 52 <= len(web.get(f"{ROUTE}/ours/days?to=2026-12-26").json["items"]) <= 54


@pytest.mark.parametrize("query", ["from=soon", "until=2026-01-01", "to=2026-02-30"])
def test_stretch_that_is_none_is_refused(web: FlaskClient, query: str) -> None:
    add(web)
    assert web.get(f"{ROUTE}/ours/days?{query}").status_code == 422


def test_stretch_is_cut_to_ten_years_and_may_be_empty(web: FlaskClient) -> None:
    add(web, weekdays=["sun"])

    def found(query: str) -> int:
        return len(web.get(f"{ROUTE}/ours/days?{query}").json["items"])

    assert found("from=2026-12-26&to=2026-12-24") == 0
    assert 500 < found("from=2026-01-01&to=2099-01-01") < 540
    assert found("from=9999-12-20") == 1 and found("to=0001-01-07") == 1


def test_lists_leave_out_what_files_hold(web: FlaskClient) -> None:
    add(web, ics={"text": "BEGIN:VCALENDAR"})
    assert web.get(ROUTE).json["items"][0]["ics"] == {"url": None, "text": None}
    assert web.get(f"{ROUTE}/ours").json["ics"]["text"] == "BEGIN:VCALENDAR"


def test_calendar_in_use_stays(web: FlaskClient) -> None:
    add(web, id="used")
    answer = web.delete(f"{ROUTE}/used")
    assert (answer.status_code, answer.json["code"]) == (409, "CALENDAR_IN_USE")
    assert "job hourly" in answer.json["detail"]


def test_refresh_answers_with_the_calendar(web: FlaskClient) -> None:
    add(web)
    assert web.post(f"{ROUTE}/ours/refresh").json["id"] == "ours"
    assert web.post(f"{ROUTE}/no/refresh").status_code == 404


def test_what_is_to_come_says_which_instants_are_off(web: FlaskClient, fake: FakeHouse) -> None:
    add(web, weekdays=["sat", "sun"])
    daily = {"type": "cron", "expression": "0 9 * * *"}
    freeze = {"id": "freeze", "start": "08:00", "end": "10:00", "days": ["mon"], "tags": ["db"]}
    assert web.post("/api/v1/blackouts", json=freeze).status_code == 201
    made = web.post("/api/v1/jobs", json=document(trigger=daily, calendar="ours", tags=["db"]))
    assert made.status_code == 201, made.text
    coming = web.get("/api/v1/jobs/hourly?next=14").json["next"]
    by_day = {one["local"][:10]: one for one in coming}
    reasons = [one["reason"] for one in by_day.values()]
    assert reasons.count("calendar") in (4, 5) and reasons.count("blackout") == 2
    off = next(one for one in coming if one["reason"] == "calendar")
    assert not off["fires"] and "day off: " in off["notes"][0] and "in calendar ours" in off["notes"][0]
    shut = next(one for one in coming if one["reason"] == "blackout")
    assert shut["notes"][0].startswith("the blackout freeze until Mon ")
    assert any(one["fires"] and one["notes"] == [] for one in coming)
