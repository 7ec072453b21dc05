"""What people may write into a calendar, and the days it names."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from cronzimus.models.calendar import Calendar, CalendarUse, DaysOff, days_of, own_days, together


def calendar(**fields: Any) -> Calendar:
    return Calendar.model_validate({"id": "ours", **fields})


def named(days: DaysOff, *dates: str) -> list[str | None]:
    return [days.name_of(date.fromisoformat(text)) for text in dates]


def test_own_days_are_dates_ranges_and_days_of_every_year() -> None:
    days = own_days(
        calendar(days=["2026-05-04", {"on": "2026-12-24..2027-01-01", "name": "Between the years"}, "10-03"])
    )
    assert named(days, "2026-05-04", "2026-05-05", "2026-10-03", "2031-10-03") == [
        "a day off",
        None,
        "a day off",
        "a day off",
    ]
    assert named(days, "2026-12-23", "2026-12-24", "2027-01-01", "2027-01-02") == [
        None,
        "Between the years",
        "Between the years",
        None,
    ]


def test_dates_of_a_yaml_file_are_understood() -> None:
    assert named(own_days(calendar(days=[date(2026, 5, 4)])), "2026-05-04") == ["a day off"]


def test_weekdays_in_any_spelling() -> None:
    days = own_days(calendar(weekdays=["sat", "Sunday", "WED"]))
    assert named(days, "2026-11-21", "2026-11-22", "2026-11-23", "2026-11-25") == [
        "Saturday",
        "Sunday",
        None,
        "Wednesday",
    ]


def test_last_day_of_february_of_every_year_is_a_day() -> None:
    days = own_days(calendar(days=["02-29"]))
    assert named(days, "2028-02-29", "2027-03-01") == ["a day off", None]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"days": ["2026-02-30"]}, "is no day"),
        ({"days": ["13-01"]}, "is no day"),
        ({"days": ["24.12.2026"]}, "is no day"),
        ({"days": ["2026-12-24..2026-12-01"]}, "must end after it begins"),
        ({"days": ["2026-01-01..2099-01-01"]}, "within 3660 days"),
        ({"weekdays": ["caturday"]}, "Input should be"),
        ({"countries": [{"country": "germany"}]}, "should match pattern"),
        ({"ics": {}}, "exactly one of url and text"),
        ({"ics": {"url": "https://a/", "text": "x"}}, "exactly one of url and text"),
        ({"ics": {"url": "file:///etc/passwd"}}, "should match pattern"),
        ({"timezone": "Europe/Berln"}, "did you mean Europe/Berlin"),
        ({"id": "Not A Slug"}, "should match pattern"),
        ({"holidays": []}, "Extra inputs"),
    ],
)
def test_what_no_calendar_can_be_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        calendar(**fields)


def test_days_survive_being_kept() -> None:
    days = own_days(calendar(days=["12-24", "2026-05-04"], weekdays=["sun"]))
    kept = days_of(days.document(), calendar="ours", timezone="Europe/Berlin")
    assert (kept.document(), kept.calendar, kept.timezone) == (days.document(), "ours", "Europe/Berlin")
    assert named(kept, "2030-12-24", "2026-05-04", "2026-11-22", "2026-11-23") == [
        "a day off",
        "a day off",
        "Sunday",
        None,
    ]


def test_of_two_names_the_first_is_told() -> None:
    first = own_days(calendar(days=[{"on": "2026-05-01", "name": "May Day"}], weekdays=["sat"]))
    second = own_days(calendar(days=[{"on": "2026-05-01", "name": "Labour"}, "12-24"], weekdays=["sun"]))
    both = together([first, second])
    assert named(both, "2026-05-01", "2026-12-24", "2026-11-21", "2026-11-22") == [
        "May Day",
        "a day off",
        "Saturday",
        "Sunday",
    ]


def test_days_between_are_listed_in_order() -> None:
    days = own_days(calendar(days=["2026-11-24"], weekdays=["sun"]))
    found = list(days.between(date(2026, 11, 21), date(2026, 11, 29)))
    assert found == [
        (date(2026, 11, 22), "Sunday"),
        (date(2026, 11, 24), "a day off"),
        (date(2026, 11, 29), "Sunday"),
    ]


def test_a_name_alone_is_a_calendar_to_skip() -> None:
    assert CalendarUse.model_validate("ours").model_dump(mode="json") == {"id": "ours", "on": "skip"}
