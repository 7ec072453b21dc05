"""Days of the calendar: against a plain walk over dates, over centuries, up to the last day there is."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cronzimus.models.cron import CronFields, compile_fields
from cronzimus.models.cron_days import DayRule
from tests.models import oracle


def rule(day: str = "*", month: str = "*", weekday: str = "*", week: str = "*", year: str = "*") -> DayRule:
    """The day rule of a line with these day fields."""
    return compile_fields(CronFields("0", "0", "0", day, month, weekday, week, year), None).days


def days(asked: DayRule, first: date, last: date) -> list[date]:
    """Every day of the rule from first to last."""
    found = []
    ordinal = asked.at_or_after(first.toordinal())
    while ordinal is not None and ordinal <= last.toordinal():
        found.append(date.fromordinal(ordinal))
        ordinal = asked.at_or_after(ordinal + 1)
    return found


def first_day(asked: DayRule, start: date) -> date | None:
    """The first day of the rule on or after start."""
    ordinal = asked.at_or_after(start.toordinal())
    return None if ordinal is None else date.fromordinal(ordinal)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (("29", "2", "*"), date(2028, 2, 29)),
        (("*", "2", "1#5"), date(2044, 2, 29)),
        (("31", "*", "*"), date(2026, 1, 31)),
        (("L", "2", "*"), date(2026, 2, 28)),
        (("LW", "1", "*"), date(2026, 1, 30)),
        (("LW", "5", "*"), date(2026, 5, 29)),
        (("1W", "8", "*"), date(2026, 8, 3)),  # the 1st is a Saturday: not back into July
        (("31W", "5", "*"), date(2026, 5, 29)),  # the 31st is a Sunday: not on into June
        (("15W", "2", "*"), date(2026, 2, 16)),
        (("14W", "2", "*"), date(2026, 2, 13)),
        (("31W", "2-3", "*"), date(2026, 3, 31)),
        (("*", "*", "5L"), date(2026, 1, 30)),
        (("*", "*", "2#2"), date(2026, 1, 13)),
        (("*", "*", "7"), date(2026, 1, 4)),
    ],
)
def test_at_or_after_knows_the_calendar(fields: tuple[str, str, str], expected: date) -> None:
    assert first_day(rule(*fields), date(2026, 1, 1)) == expected


def test_day_and_weekday_are_either_unless_one_begins_with_a_star() -> None:
    july = (date(2026, 7, 1), date(2026, 7, 31))
    either = days(rule("13", "*", "5"), *july)
    assert [day.day for day in either] == [3, 10, 13, 17, 24, 31]
    both = days(rule("*/2", "*", "5"), *july)
    assert [day.day for day in both] == [3, 17, 31]
    starred_weekday = days(rule("1-7", "*", "*/5"), *july)
    assert [day.day for day in starred_weekday] == [3, 5]


@pytest.mark.parametrize("year", [2015, 2016, 2020, 2021, 2026, 2027, 2032])
def test_weeks_are_those_of_iso_8601(year: int) -> None:
    span = (date(year, 1, 1), date(year, 12, 31))
    everyday = [span[0] + timedelta(days=n) for n in range((span[1] - span[0]).days + 1)]
    for week in (1, 2, 9, 52, 53):
        assert days(rule(week=str(week)), *span) == [
            day for day in everyday if day.isocalendar().week == week
        ]


def test_weeks_and_other_fields_must_agree() -> None:
    assert first_day(rule(weekday="1", week="53"), date(2026, 1, 1)) == date(2026, 12, 28)


def test_years_bound_the_search() -> None:
    assert first_day(rule("29", "2", year="2025-2027"), date(2025, 1, 1)) is None
    assert first_day(rule("29", "2", year="2025-2028"), date(2025, 1, 1)) == date(2028, 2, 29)
    assert first_day(rule(year="9999"), date(2026, 1, 1)) == date(9999, 1, 1)
    assert first_day(rule(year="2026"), date(2027, 1, 1)) is None


def test_calendar_has_an_end() -> None:
    assert first_day(rule("31", "12"), date(9999, 12, 31)) == date(9999, 12, 31)
    assert rule().at_or_after(date.max.toordinal() + 1) is None
    assert rule("1", "1").at_or_after(date(9999, 1, 2).toordinal()) is None


def test_calendar_has_a_beginning() -> None:
    assert first_day(rule("2", "1"), date.min) == date(1, 1, 2)


def test_rows_are_drawn_once_per_shape_of_year() -> None:
    sparse = rule("*", "2", "1#5")
    days(sparse, date(1600, 1, 1), date(2400, 1, 1))
    assert len(sparse._rows) <= 28


@pytest.mark.parametrize("day", ["*", "L", "LW", "15W", "31W", "1W", "29-31", "*/2"])
@pytest.mark.parametrize("weekday", ["*", "1#5", "0L", "6", "*/3", "7#1"])
def test_days_agree_with_a_walk_over_ten_years(day: str, weekday: str) -> None:
    span = (date(2019, 1, 1), date(2028, 12, 31))
    assert days(rule(day, "*", weekday), *span) == oracle.days_between(*span, day, "*", weekday)


number = st.integers(1, 31).map(str)
day_terms = st.one_of(
    number, number.map(lambda n: f"{n}W"), st.sampled_from(["L", "LW", "*", "*/5", "10-20/3"])
)
weekday_terms = st.one_of(
    st.integers(0, 7).map(str),
    st.integers(0, 7).map(lambda n: f"{n}L"),
    st.tuples(st.integers(0, 7), st.integers(1, 5)).map(lambda pair: f"{pair[0]}#{pair[1]}"),
    st.sampled_from(["*", "*/2", "1-5", "FRI"]),
)
months = st.one_of(st.just("*"), st.integers(1, 12).map(str), st.sampled_from(["*/3", "2,4", "JUN-AUG"]))


@settings(deadline=None, max_examples=150)
@given(
    st.lists(day_terms, min_size=1, max_size=3).map(",".join),
    months,
    st.lists(weekday_terms, min_size=1, max_size=3).map(",".join),
    st.dates(date(1900, 1, 1), date(2400, 1, 1)),
)
def test_any_days_agree_with_a_walk(day: str, month: str, weekday: str, start: date) -> None:
    span = (start, start + timedelta(days=800))
    assert days(rule(day, month, weekday), *span) == oracle.days_between(*span, day, month, weekday)
