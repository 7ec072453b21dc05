"""Holidays of countries and whole-day events of iCalendar files, made into dates."""

from datetime import date
from typing import Any

import pytest

from cronzimus.errors import Invalid, Unavailable
from cronzimus.models.calendar import Calendar, DaysOff
from cronzimus.services import days as module
from cronzimus.services.days import named_by, needs_refresh
from tests.common.web import plain, serving

TODAY = date(2026, 11, 21)

ICS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//EN
BEGIN:VEVENT
UID:1
DTSTART;VALUE=DATE:20261224
DTEND;VALUE=DATE:20261227
SUMMARY:Works outing\\, three days
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTART;VALUE=DATE:20260105
RRULE:FREQ=YEARLY
SUMMARY:Stocktaking
END:VEVENT
BEGIN:VEVENT
UID:3
DTSTART:20261130T090000Z
DTEND:20261130T100000Z
SUMMARY:A meeting
END:VEVENT
BEGIN:VEVENT
UID:4
DTSTART;VALUE=DATE:20261201
STATUS:CANCELLED
SUMMARY:Called off
END:VEVENT
BEGIN:VEVENT
UID:5
DTSTART;VALUE=DATE:20261202
END:VEVENT
END:VCALENDAR
"""


def days(**fields: Any) -> DaysOff:
    return named_by(Calendar.model_validate({"id": "ours", **fields}), TODAY)


def test_holidays_of_a_country_and_of_a_part_of_it() -> None:
    berlin = days(countries=[{"country": "DE", "subdivision": "BE"}])
    bavaria = days(countries=[{"country": "DE", "subdivision": "BY"}])
    assert berlin.name_of(date(2027, 3, 8)) and not bavaria.name_of(date(2027, 3, 8))
    assert berlin.name_of(date(2026, 12, 25)) and bavaria.name_of(date(2027, 1, 6))


def test_years_reach_from_last_year_to_three_ahead() -> None:
    found = days(countries=[{"country": "FR"}])
    assert found.name_of(date(2025, 7, 14)) and found.name_of(date(2029, 7, 14))
    assert not found.name_of(date(2024, 7, 14)) and not found.name_of(date(2030, 7, 14))


@pytest.mark.parametrize(
    ("country", "said"),
    [
        ({"country": "XX"}, "no holidays are known for 'XX'"),
        ({"country": "DE", "subdivision": "ZZ"}, "no part"),
    ],
)
def test_country_nobody_knows_is_refused(country: dict[str, str], said: str) -> None:
    with pytest.raises(Invalid, match=said) as caught:
        days(countries=[country])
    assert caught.value.faults[0].field == "countries"


def test_whole_day_events_are_days_off_and_meetings_are_not() -> None:
    found = days(ics={"text": ICS})
    assert [found.name_of(date(2026, 12, day)) for day in (23, 24, 25, 26, 27)] == [
        None,
        *["Works outing, three days"] * 3,
        None,
    ]
    assert [found.name_of(date(year, 1, 5)) for year in (2025, 2026, 2029)] == [None, *["Stocktaking"] * 2]
    assert [found.name_of(date(2026, *day)) for day in ((11, 30), (12, 1), (12, 2))] == [
        None,
        None,
        "a day off",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "no calendar at all",
        "BEGIN:VEVENT\nEND:VEVENT\n",
        ICS.replace("FREQ=YEARLY", "FREQ=SECONDLY"),
        ICS.replace("RRULE:FREQ=YEARLY", "RRULE:FREQ=SOMETIMES"),
        ICS.replace("20261224", "20261399"),
        "BEGIN:VCALENDAR\n" + "BEGIN:VEVENT\nEND:VEVENT\n" * 5001 + "END:VCALENDAR\n",
    ],
)
def test_file_that_is_no_calendar_of_days_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="ics: cannot be read"):
        days(ics={"text": text})


def test_address_is_read_and_its_failures_are_told() -> None:
    with serving(plain(body=ICS.encode(), Content_Type="text/calendar")) as web:
        assert days(ics={"url": f"{web.url}/cal.ics"}).name_of(date(2026, 12, 24))
    with serving(plain(404)) as web:
        urls = [f"{web.url}/absent", "http://127.0.0.1:1/cal.ics", "http://169.254.169.254/latest"]
        for url in urls:
            with pytest.raises(Unavailable, match="cannot be fetched") as caught:
                days(ics={"url": url})
            assert caught.value.code == "CALENDAR_UNREACHABLE"
    with serving(plain(body=b"x" * 1_000_001)) as web, pytest.raises(Invalid, match="longer than"):
        days(ics={"url": web.url})


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(module.importlib, "import_module", absent)
    for fields in ({"countries": [{"country": "DE"}]}, {"ics": {"text": ICS}}):
        with pytest.raises(Invalid, match=r"cronzimus\[calendars\]") as caught:
            days(**fields)
        assert caught.value.code == "CALENDAR_NEEDS_EXTRA"
    assert days(days=["12-24"]).name_of(date(2026, 12, 24))


def test_only_sources_that_change_by_themselves_are_read_again() -> None:
    assert not needs_refresh(Calendar.model_validate({"id": "a", "days": ["12-24"], "weekdays": ["sun"]}))
    assert needs_refresh(Calendar.model_validate({"id": "a", "countries": [{"country": "DE"}]}))
    assert needs_refresh(Calendar.model_validate({"id": "a", "ics": {"text": ICS}}))
