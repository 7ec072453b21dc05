"""A whole cron line: its text, its shorthands, its fields, and the wall seconds it compiles to."""

import sys
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cronzimus.models.cron import (
    CronFields,
    CronTable,
    can_fire,
    compile_fields,
    fill_fields,
    split_expression,
)
from cronzimus.models.cron_field import CronError
from tests.models import oracle

START = datetime(1970, 1, 1)
MORNING = datetime(2026, 1, 1)


def table(expression: str, salt: str | None = None) -> CronTable:
    """The compiled line."""
    return compile_fields(split_expression(expression), salt)


def walls(expression: str, first: datetime, count: int) -> list[str]:
    """The next wall times of a line, as text."""
    compiled, found = table(expression), []
    wall = (first - START) // timedelta(seconds=1)
    for _ in range(count):
        after = compiled.at_or_after(wall)
        assert after is not None
        found.append(str(START + timedelta(seconds=after)))
        wall = after + 1
    return found


@pytest.mark.parametrize(
    ("shorthand", "line"),
    [
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
        ("@monthly", "0 0 1 * *"),
        ("@weekly", "0 0 * * 0"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@hourly", "0 * * * *"),
        (" @Hourly ", "0 * * * *"),
    ],
)
def test_shorthands_are_lines(shorthand: str, line: str) -> None:
    assert split_expression(shorthand) == split_expression(line)


def test_five_fields_begin_with_the_minute_and_six_with_the_second() -> None:
    assert split_expression("1 2 3 4 5") == CronFields("0", "1", "2", "3", "4", "5")
    assert split_expression("9 1 2\t3  4 5") == CronFields("9", "1", "2", "3", "4", "5")


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("* * * *", "4 fields"),
        ("* * * * * * *", "7 fields"),
        ("@reboot", "restart"),
        ("@dayly", "@daily"),
        ("@every 5m", "@hourly"),
        ("0 0 * * *" + " " * 300, "too many"),
        ("0 0 * * \u2028", "ASCII"),
    ],
)
def test_split_expression_refuses(expression: str, reason: str) -> None:
    with pytest.raises(CronError, match=reason) as caught:
        split_expression(expression)
    assert caught.value.field == "expression"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"hour": "3"}, CronFields("0", "0", "3", "*", "*", "*")),
        ({"minute": "*/5"}, CronFields("0", "*/5", "*", "*", "*", "*")),
        ({"second": "10"}, CronFields("10", "*", "*", "*", "*", "*")),
        ({"day": "15"}, CronFields("0", "0", "0", "15", "*", "*")),
        ({"month": "6"}, CronFields("0", "0", "0", "1", "6", "*")),
        ({"day_of_week": "1"}, CronFields("0", "0", "0", "*", "*", "1")),
        ({"week": "9"}, CronFields("0", "0", "0", "*", "*", "*", "9")),
        ({"year": "2030"}, CronFields("0", "0", "0", "1", "1", "*", "*", "2030")),
        ({"day_of_week": "1", "hour": "3"}, CronFields("0", "0", "3", "*", "*", "1")),
        ({"year": "2030", "minute": "5"}, CronFields("0", "5", "*", "*", "*", "*", "*", "2030")),
    ],
)
def test_fill_fields_completes_both_ways(given: dict[str, str], expected: CronFields) -> None:
    assert fill_fields(given) == expected


@pytest.mark.parametrize(
    ("line", "follows"),
    [
        ("* * * * *", True),
        ("*/5 2 * * *", True),
        ("5 */2 * * *", True),
        ("5 2 * * *", False),
        ("0-59 0-23 * * *", False),
        ("* 5 2 * * *", False),
        ("H/15 2 * * *", False),
    ],
)
def test_only_a_starred_minute_or_hour_follows_the_wall(line: str, follows: bool) -> None:
    assert split_expression(line).follows_wall is follows


@pytest.mark.parametrize(
    ("line", "spread"),
    [("H * * * *", True), ("0 0 * * THU", False), ("0 0 * * THU,H", True), ("0 H/2 * * *", True)],
)
def test_spread_sees_an_h_and_no_thursday(line: str, spread: bool) -> None:
    assert split_expression(line).spread is spread


def test_placed_line_has_no_h_left() -> None:
    placed = split_expression("H H(0-5) * * FRIL").placed("job")
    assert not placed.spread
    assert placed.day_of_week == "5L"
    assert compile_fields(placed, None) == table("H H(0-5) * * FRIL", "job")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 2 * * 1", ["2026-01-05 02:00:00", "2026-01-12 02:00:00"]),
        (
            "*/25 * * * *",
            ["2026-01-01 00:00:00", "2026-01-01 00:25:00", "2026-01-01 00:50:00", "2026-01-01 01:00:00"],
        ),
        ("30 59 23 31 12 *", ["2026-12-31 23:59:30", "2027-12-31 23:59:30"]),
        ("5,50 30 9-10 * * *", ["2026-01-01 09:30:05", "2026-01-01 09:30:50", "2026-01-01 10:30:05"]),
        ("* * * * * *", ["2026-01-01 00:00:00", "2026-01-01 00:00:01"]),
        ("0 0 13 * 5", ["2026-01-02 00:00:00", "2026-01-09 00:00:00", "2026-01-13 00:00:00"]),
    ],
)
def test_at_or_after_walks_the_wall(expression: str, expected: list[str]) -> None:
    assert walls(expression, MORNING, len(expected)) == expected


def test_at_or_after_includes_the_second_asked_for() -> None:
    wall = (MORNING - START) // timedelta(seconds=1)
    assert table("0 0 * * *").at_or_after(wall) == wall
    assert table("0 0 * * *").at_or_after(wall + 1) == wall + 86_400


def test_tables_are_shared() -> None:
    assert table("0 2 * * 1") is table("0 2 * * 1")
    assert table("0 2 * * 1", "one") is table("0 2 * * 1", "other")
    assert table("H 2 * * 1", "one") is not table("H 2 * * 1", "other")
    assert table("0 2 * * 1").days is table("5 3 * * 1").days


@pytest.mark.parametrize(
    ("line", "possible"),
    [
        ("0 0 31 2 *", False),
        ("0 0 30 2 *", False),
        ("0 0 31 4,6,9,11 *", False),
        ("0 0 31W 2 *", False),
        ("0 0 29 2 *", True),
        ("0 0 30 2 1", True),  # or a Monday
        ("0 0 * 2 1#5", True),
        ("0 0 H(30-31) 2 *", False),
        ("0 0 H(28-31) 2 *", True),
    ],
)
def test_can_fire_knows_the_calendar(line: str, possible: bool) -> None:
    assert can_fire(split_expression(line)) is possible


@pytest.mark.parametrize(
    ("fields", "possible"),
    [
        ({"year": "1970"}, True),
        ({"year": "1971-9999/2", "month": "2", "day": "29"}, False),
        ({"week": "53", "month": "6"}, False),
        ({"week": "1", "month": "12"}, True),
        ({"week": "53", "year": "2027"}, True),
        ({"week": "53", "year": "2028"}, False),
    ],
)
def test_can_fire_knows_weeks_and_years(fields: dict[str, str], possible: bool) -> None:
    assert can_fire(fill_fields(fields)) is possible


minute = st.sampled_from(["*", "0", "*/7", "5,10", "30-40", "59"])
hour = st.sampled_from(["*", "0", "*/5", "1,23", "9-17"])
second = st.sampled_from(["*", "0", "*/13", "1,59"])


@settings(deadline=None, max_examples=60)
@given(second, minute, hour, st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1)))
def test_any_times_agree_with_the_oracle(second: str, minute: str, hour: str, start: datetime) -> None:
    line = f"{second} {minute} {hour} * * *"
    start = start.replace(microsecond=0)
    compiled = table(line)
    wall = (start - START) // timedelta(seconds=1)
    after = compiled.at_or_after(wall)
    assert after is not None
    for passed in range(min(after - wall, 2000)):
        assert not _shows(line, start + timedelta(seconds=passed))
    assert _shows(line, START + timedelta(seconds=after))


def _shows(line: str, wall: datetime) -> bool:
    second, minute, hour, *_ = line.split()
    return (
        oracle.numbers(hour, wall.hour, 23)
        and oracle.numbers(minute, wall.minute, 59)
        and oracle.numbers(second, wall.second, 59)
    )


def steps_of(work: "object") -> int:
    """How many Python calls some work makes: a measure of time that no busy machine can falsify."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()  # type: ignore[operator]
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize(
    "fields",
    [
        ("0", "0", "0", "29", "2", "*", "*", "1971-9999/2"),
        ("0", "0", "0", "*", "2-11", "*", "53", "*"),
        ("59", "59", "23", "31", "4", "*", "*", "9999"),
        ("0", "0", "0", "*", "2", "*/8", "9", "1970-9999/7"),
        (
            "0",
            "0",
            "0",
            ",".join(f"{day}W" for day in range(1, 32)),
            "2",
            "1#5",
            "*",
            ",".join(["9999"] * 50),
        ),
    ],
)
def test_no_line_makes_the_calendar_slow(fields: tuple[str, ...]) -> None:
    line = CronFields(*fields)
    compile_fields.__globals__["_compile"].cache_clear()
    assert steps_of(lambda: compile_fields(line, None).at_or_after(0)) < 60_000
    assert steps_of(lambda: compile_fields(line, None).at_or_after(0)) < 25_000
