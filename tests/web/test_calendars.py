"""The page of time off, and the form of a calendar."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from cronzimus.common.db import Database
from cronzimus.errors import DatabaseUnavailable, Unavailable
from cronzimus.house import House
from cronzimus.models.calendar import Calendar
from cronzimus.services.audit import Audit
from tests.api.fakes import document
from tests.web.pages import Element, Page, press, read

NEW = "/calendars/new"
TODAY = datetime.now(UTC).date()
FILE = "\n".join(
    (
        "BEGIN:VCALENDAR",
        "BEGIN:VEVENT",
        "SUMMARY:Works outing",
        f"DTSTART;VALUE=DATE:{TODAY + timedelta(days=2):%Y%m%d}",
        "END:VEVENT",
        "END:VCALENDAR",
    )
)

Add = Callable[..., Calendar]


@pytest.fixture
def add(house: House) -> Add:
    """Makes a calendar behind the page's back."""

    def made(calendar_id: str = "ours", **fields: object) -> Calendar:
        calendar = Calendar.model_validate({"id": calendar_id, **fields})
        house.operating.calendars.add(calendar, by="ann")
        return calendar

    return made


def row(web: FlaskClient, calendar_id: str = "ours") -> Element:
    return read(web, "/calendars").one("tr", id=f"calendar-{calendar_id}")


def refused(web: FlaskClient, status: int, **values: str) -> Element:
    answer = press(web, NEW, NEW, **values)
    assert answer.status_code == status
    return Page(answer.text).root


def test_nothing_is_said(web: FlaskClient) -> None:
    text = read(web, "/calendars").one("main").text
    assert "No calendar was made." in text and "No blackout of the house" in text


def test_a_calendar_says_what_it_is_made_of_and_its_next_days(web: FlaskClient, add: Add) -> None:
    days = [TODAY + timedelta(days=number) for number in range(1, 8)]
    add("theirs")
    add("berlin", countries=[{"country": "DE", "subdivision": "BE"}, {"country": "AT"}])
    add(
        description="Of <us>",
        days=[{"on": day.isoformat(), "name": f"Day {day.day}"} for day in days],
        ics={"text": FILE},
        includes=["theirs"],
        timezone="Europe/Berlin",
    )
    made_of = row(web).all("td")[0].text
    assert made_of == "7 own dates; an iCalendar file; all of theirs Of <us>"
    assert row(web, "berlin").all("td")[0].text == "holidays of DE-BE, AT"
    coming = row(web).all("td")[1].text
    assert f"{days[0]} Day {days[0].day}" in coming and f"{days[4]}" in coming
    assert f"{days[5]}" not in coming
    assert "Europe/Berlin" in row(web).text
    assert "nothing yet" in row(web, "theirs").text and "none in a year" in row(web, "theirs").text


def test_days_of_every_week_are_not_listed_one_by_one(web: FlaskClient, add: Add) -> None:
    feast = TODAY + timedelta(days=7)
    add(
        weekdays=["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
        days=[{"on": f"{feast:%m-%d}", "name": "Feast"}],
    )
    add("theirs", weekdays=["sun"])
    coming = row(web).all("td")[1].text
    assert coming.startswith(f"every mon, tue, wed, thu, fri, sat, sun {feast} Feast")
    assert row(web, "theirs").all("td")[1].text == "every sun and no other in a year"


def test_the_address_of_a_file_is_shown_without_its_secret(
    web: FlaskClient, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cronzimus.services.days._content", lambda _: FILE.encode())
    add(ics={"url": "https://host/days.ics?token=hunter22x"})
    assert "https://host/days.ics?token=***" in row(web).text
    assert "hunter22x" not in read(web, "/calendars").text


def test_a_calendar_is_made(web: FlaskClient, house: House, add: Add) -> None:
    add("theirs")
    values = {
        "id": "ours",
        "description": "Ours",
        "timezone": "Europe/Berlin",
        "days": "2026-12-24 Christmas Eve\r\n\r\n12-31\r\n",
        "countries": "DE-BE, AT",
        "includes": "theirs",
    }
    form = read(web, NEW).one("form", method="post", action=NEW)
    token = form.one("input", name="csrf_token").attributes["value"]
    answer = web.post(NEW, data={**values, "csrf_token": token, "weekdays": ["sat", "sun"]})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/calendars")
    made = house.operating.calendars.get("ours").document
    assert made["days"] == [{"on": "2026-12-24", "name": "Christmas Eve"}, {"on": "12-31", "name": ""}]
    assert [(one["country"], one["subdivision"]) for one in made["countries"]] == [("DE", "BE"), ("AT", None)]
    assert (made["weekdays"], made["includes"], made["ics"]) == (["sat", "sun"], ["theirs"], None)
    event, _ = Audit(house.operating.database).list(action="calendar.create").items
    assert event.target == "calendar/ours"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"id": "Our Days"}, "id"),
        ({"timezone": "Mars/Base"}, "timezone"),
        ({"days": "12-24\n24.12."}, "days"),
        ({"countries": "Germany"}, "countries"),
        ({"countries": "XX"}, "countries"),
        ({"ics": "file:///etc/passwd"}, "ics"),
        ({"includes": "nobody"}, "includes"),
    ],
)
def test_mistakes_stand_beside_their_field_and_what_was_typed_stays(
    web: FlaskClient, house: House, values: dict[str, str], field: str
) -> None:
    page = refused(web, 422, **{"id": "ours", "description": "As typed", **values})
    assert page.one(id=field).attributes["aria-invalid"] == "true"
    assert page.one("span", id=f"{field}-note", **{"class": "fault"}).text
    assert page.one("input", id="description").attributes["value"] == "As typed"
    assert page.one(id=field).attributes.get("value", page.one("textarea", id="days").text)
    assert house.operating.calendars.list().total == 0


def test_a_name_is_given_once(web: FlaskClient, add: Add) -> None:
    add()
    assert "exists already" in refused(web, 409, id="ours").one("p", **{"class": "lead notice bad"}).text


def test_a_file_that_cannot_be_had_is_told_beside_its_address(
    web: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(_: object) -> bytes:
        raise Unavailable("the calendar cannot be fetched: nobody answers", code="CALENDAR_UNREACHABLE")

    monkeypatch.setattr("cronzimus.services.days._content", nobody)
    page = refused(web, 503, id="ours", ics="https://host/days.ics")
    assert "nobody answers" in page.one("span", id="ics-note").text
    assert page.one("input", id="ics").attributes["value"] == "https://host/days.ics"


def test_without_the_database_the_form_says_so(web: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    read(web, NEW)

    def away(*_: object, **by: str) -> None:
        raise DatabaseUnavailable("the database is away")

    monkeypatch.setattr("cronzimus.services.calendars.Calendars.add", away)
    page = Page(press(web, NEW, NEW, id="ours").text).root
    assert page.one("p", **{"class": "lead"}).text == "the database is away"


def test_a_calendar_is_changed(web: FlaskClient, house: House, add: Add) -> None:
    add(days=[{"on": "12-24", "name": "Eve"}], ics={"text": FILE}, includes=[])
    path = "/calendars/ours/edit"
    page = read(web, path)
    assert page.one("textarea", id="days").text == "12-24 Eve" and page.all("input", name="id")
    assert press(web, path, path, days="12-25", forget_file="").status_code == 303
    made = house.operating.calendars.get("ours").document
    assert made["days"] == [{"on": "12-25", "name": ""}] and made["ics"]["text"] == FILE.strip()
    assert press(web, path, path, forget_file="1").status_code == 303
    assert house.operating.calendars.get("ours").document["ics"] is None
    assert read(web, path).all("input", name="forget_file") == []


def test_a_form_of_an_older_calendar_is_refused(web: FlaskClient, house: House, add: Add) -> None:
    add()
    path = "/calendars/ours/edit"
    form = read(web, path).one("form", method="post", action=path)
    sent = {
        one.attributes["name"]: one.attributes.get("value", "") for one in form.all("input", type="hidden")
    }
    house.operating.calendars.replace(Calendar(id="ours", description="Theirs"), by="ann")
    answer = web.post(path, data={**sent, "description": "Mine"}, headers={"Accept": "text/html"})
    assert answer.status_code == 409
    assert Page(answer.text).root.one("input", id="description").attributes["value"] == "Mine"
    assert house.operating.calendars.get("ours").document["description"] == "Theirs"


def test_a_calendar_that_is_used_stays_and_says_by_what(web: FlaskClient, house: House, add: Add) -> None:
    add()
    web.post("/api/v1/jobs", json=document("weekly", calendar="ours"))
    answer = press(web, "/calendars", "/calendars/ours/delete")
    assert answer.status_code == 409 and "is used by job weekly" in answer.text
    web.delete("/api/v1/jobs/weekly")
    assert press(web, "/calendars", "/calendars/ours/delete").status_code == 303
    assert house.operating.calendars.list().total == 0


def test_sources_are_read_again_and_their_trouble_is_shown(
    web: FlaskClient, house: House, add: Add, monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    add("theirs")
    add(ics={"text": FILE})
    assert read(web, "/calendars").all("form", action="/calendars/theirs/refresh") == []
    database.execute("UPDATE cronzimus.calendars SET refreshed_at = '2026-01-01'")
    assert press(web, "/calendars", "/calendars/ours/refresh").status_code == 303
    assert house.operating.calendars.get("ours").refreshed_at.date() >= TODAY

    def nobody(_: object) -> bytes:
        raise Unavailable("password=hunter22x does not answer", code="CALENDAR_UNREACHABLE")

    monkeypatch.setattr("cronzimus.services.days._content", nobody)
    assert press(web, "/calendars", "/calendars/ours/refresh").status_code == 303
    page = read(web, "/calendars")
    assert "keeps its days" in page.one(id="toasts").text
    assert page.one("p", **{"class": "notice bad"}).text == "password=*** does not answer"


def test_a_forged_form_changes_nothing(web: FlaskClient, house: House, add: Add) -> None:
    add()
    for path in (NEW, "/calendars/ours/edit", "/calendars/ours/delete", "/calendars/ours/refresh"):
        assert web.post(path, data={"id": "more"}).status_code == 403
    assert [one.id for one in house.operating.calendars.list().items] == ["ours"]


@pytest.mark.parametrize("calendar_id", ["nobody", "No Name"])
def test_a_calendar_nobody_made_is_not_found(web: FlaskClient, calendar_id: str) -> None:
    assert web.get(f"/calendars/{calendar_id}/edit").status_code == 404
