"""A schedule with days off, held against one that looks at every day by itself."""

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cronzimus.models.calendar import DaysOff
from cronzimus.models.schedule import Schedule
from tests.heart import definition

BERLIN = ZoneInfo("Europe/Berlin")
WEEKEND = DaysOff(frozenset({5, 6}), {}, {date(2026, 10, 30): "bridge day"}, "de-be")
TICK = timedelta(microseconds=1)


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


def working(cron: str, days: DaysOff = WEEKEND, zone: str = "Europe/Berlin", **fields: Any) -> Schedule:
    """The schedule of a cron job that keeps to `days`."""
    trigger = {"type": "cron", "expression": cron}
    use = {"id": "de-be", "on": fields.pop("on", "skip")}
    return definition(trigger=trigger, timezone=zone, calendar=use, **fields).observing(days).schedule


def test_without_a_calendar_nothing_is_off() -> None:
    plain = definition().schedule
    at = datetime(2026, 12, 25, tzinfo=UTC)
    assert (plain.why_off(at), plain.moved_to(at), plain.moved_from(at)) == (None, None, None)


def test_an_instant_on_a_day_off_stays_an_instant_and_says_why() -> None:
    schedule = working("0 9 * * *")
    due = list(schedule.between(berlin("2026-10-29T12:00"), berlin("2026-11-02T12:00")))
    assert [schedule.why_off(at) for at in due] == [
        "bridge day in calendar de-be",
        "Saturday in calendar de-be",
        "Sunday in calendar de-be",
        None,
    ]


def test_only_turns_the_calendar_round() -> None:
    schedule = working("0 9 * * *", on="only")
    assert schedule.why_off(berlin("2026-10-29T09:00")) == "not one of the days of calendar de-be"
    assert schedule.why_off(berlin("2026-10-31T09:00")) is None


def test_next_moves_to_the_following_business_day_at_the_same_wall_time_across_a_clock_change() -> None:
    schedule = working("30 2 25 10 *", business_day="next")  # a Sunday, and the clock goes back that night
    origin = berlin("2026-10-25T02:30")
    moved = schedule.moved_to(origin)
    assert moved == berlin("2026-10-26T02:30") and schedule.why_off(moved) is None
    assert schedule.next_after(origin - TICK) == origin
    assert schedule.next_after(origin) == moved
    assert schedule.moved_from(moved) == origin


def test_previous_moves_before_the_written_instant() -> None:
    schedule = working("0 9 31 10 *", business_day="previous")  # Saturday after a bridge day
    moved, origin = berlin("2026-10-29T09:00"), berlin("2026-10-31T09:00")
    assert list(schedule.between(berlin("2026-10-01T00:00"), berlin("2026-11-30T00:00"))) == [moved, origin]
    assert schedule.moved_to(origin) == moved and schedule.moved_from(moved) == origin


def test_what_moves_onto_a_written_instant_is_that_instant() -> None:
    schedule = working("0 9 * * *", business_day="next")
    monday = berlin("2026-11-02T09:00")
    assert list(schedule.between(berlin("2026-11-01T12:00"), berlin("2026-11-03T08:00"))) == [monday]
    assert schedule.moved_from(monday) is None


def test_an_instant_of_another_day_off_has_its_own_wall_time_on_the_business_day() -> None:
    schedule = working("0 8 * * 6", business_day="next")
    assert schedule.next_after(berlin("2026-11-07T08:00")) == berlin("2026-11-09T08:00")


def test_a_calendar_in_another_zone_cuts_its_own_days() -> None:
    tokyo = DaysOff(frozenset({5, 6}), {}, {}, "tokyo", "Asia/Tokyo")
    schedule = working("0 20 * * *", tokyo)
    assert schedule.why_off(berlin("2026-11-06T20:00")) == "Saturday in calendar tokyo"
    assert schedule.why_off(berlin("2026-11-08T20:00")) is None


def test_a_calendar_without_business_days_moves_nothing() -> None:
    never = DaysOff(frozenset(range(7)), {}, {}, "never")
    for shift in ("next", "previous"):
        schedule = working("0 9 * * *", never, business_day=shift)
        at = berlin("2026-11-06T09:00")
        assert schedule.moved_to(at) is None and schedule.next_after(at) == berlin("2026-11-07T09:00")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"business_day": "next"}, "needs a calendar"),
        ({"business_day": "next", "calendar": "de", "trigger": {"type": "interval", "hours": 1}}, "interval"),
    ],
)
def test_a_shift_that_means_nothing_is_refused(fields: dict[str, Any], said: str) -> None:
    document = {"trigger": {"type": "cron", "expression": "0 9 * * *"}, **fields}
    with pytest.raises(ValueError, match=said):
        definition(**document)


# --- the oracle: every instant of the triggers by itself, each day by itself, in a table ------------------------

FIRST, LAST = date(2026, 1, 1), date(2027, 12, 31)
CRONS = (
    "0 9 * * *",
    "30 2 * * *",
    "*/20 2 * * 0",
    "15 23 * * 5",
    "0 0 1 * *",
    "0 12 L * *",
    "45 0 25 * *",
    "5 1-3 * * 6,0",
)
ZONES = ("Europe/Berlin", "America/New_York", "UTC", "Australia/Lord_Howe", "America/Havana")


def table_of(plain: Schedule, days: DaysOff, zone: str, only: bool, shift: str) -> list[datetime]:
    """Every instant of two years: the written ones, and for each on a day off the one it moves to."""
    clock = ZoneInfo(zone)
    start = datetime.combine(FIRST, datetime.min.time(), UTC) - timedelta(days=30)
    end = datetime.combine(LAST, datetime.min.time(), UTC) + timedelta(days=30)
    found = set()
    for at in plain.between(start, end):
        found.add(at)
        day = at.astimezone(clock).date()
        if shift == "skip" or not _off(days, day, only):
            continue
        before, after = _work_around(days, day, only)
        if (after - before).days <= 367:  # so that at most 366 days in a row are off
            found.add(_there(at.astimezone(clock), after if shift == "next" else before, clock))
    return sorted(found)


def _work_around(days: DaysOff, day: date, only: bool) -> tuple[date, date]:
    """The last business day before a day off and the first after it, not looking further than is ever moved."""
    before = after = day
    while _off(days, before, only) and (day - before).days <= 367:
        before -= timedelta(days=1)
    while _off(days, after, only) and (after - day).days <= 367:
        after += timedelta(days=1)
    return before, after


def _off(days: DaysOff, day: date, only: bool) -> bool:
    in_calendar = day in days.dates or (day.month, day.day) in days.yearly or day.weekday() in days.weekdays
    return in_calendar != only


def _there(local: datetime, day: date, clock: ZoneInfo) -> datetime:
    """The first instant of that day whose wall time is not before the given one, by walking forward."""
    wanted = datetime.combine(day, local.time())
    at = datetime.combine(day, datetime.min.time(), UTC) - timedelta(hours=15)
    while at.astimezone(clock).replace(tzinfo=None) < wanted:
        at += timedelta(minutes=5)
    return at


@settings(max_examples=60, deadline=None)
@example(  # a calendar with one day: what is a year away on its other side never comes there
    "0 0 1 * *",
    "UTC",
    frozenset(),
    frozenset({date(2027, 1, 2)}),
    frozenset(),
    True,
    "next",
    date(2026, 3, 1),
)
@given(
    cron=st.sampled_from(CRONS),
    zone=st.sampled_from(ZONES),
    weekdays=st.frozensets(st.integers(0, 6), max_size=5),
    dates=st.frozensets(st.dates(date(2026, 2, 1), date(2027, 11, 30)), max_size=60),
    yearly=st.frozensets(st.tuples(st.integers(1, 12), st.integers(1, 28)), max_size=8),
    only=st.booleans(),
    shift=st.sampled_from(["skip", "next", "previous"]),
    begin=st.dates(date(2026, 3, 1), date(2027, 9, 30)),
)
def test_walk_finds_what_the_oracle_finds(
    cron: str,
    zone: str,
    weekdays: frozenset[int],
    dates: frozenset[date],
    yearly: frozenset[tuple[int, int]],
    only: bool,
    shift: str,
    begin: date,
) -> None:
    days = DaysOff(weekdays, dict.fromkeys(yearly, "y"), dict.fromkeys(dates, "d"), "any")
    schedule = working(cron, days, zone, on="only" if only else "skip", business_day=shift)
    plain = definition(trigger={"type": "cron", "expression": cron}, timezone=zone).schedule
    table = table_of(plain, days, zone, only, shift)
    at = datetime.combine(begin, datetime.min.time(), UTC)
    for _ in range(40):
        place = bisect_right(table, at)
        if place == len(table) or table[place].date() > date(2027, 11, 30):
            return
        found = schedule.next_after(at)
        assert found == table[place]
        at = found
        off = _off(days, at.astimezone(ZoneInfo(zone)).date(), only)
        assert (schedule.why_off(at) is not None) is off
        moved = schedule.moved_to(at)
        assert moved is None or (off and moved in table and schedule.why_off(moved) is None)
