"""Sentences and wall clocks, without any database."""

from datetime import UTC, datetime, timedelta

import pytest

from cronzimus.services.alerts import words

NOON = datetime(2026, 3, 10, 12, 0, 30, tzinfo=UTC)


def moments(clock: str, zone: str, now: datetime, back: timedelta = timedelta(minutes=1)) -> list[str]:
    """When the deadline that has just come was, and the one before."""
    found = words.deadlines(clock, [zone], now - back, now)
    return [moment.isoformat() for deadline in found for moment in (deadline.after, deadline.at)]


def test_a_time_of_day_comes_once_in_each_zone() -> None:
    assert moments("13:00", "Europe/Berlin", NOON) == [
        "2026-03-09T12:00:00+00:00",
        "2026-03-10T12:00:00+00:00",
    ]
    assert moments("13:00", "UTC", NOON) == []
    assert moments("13:00", "Europe/Berlin", NOON + timedelta(minutes=2)) == []


def test_after_a_long_absence_the_latest_counts() -> None:
    assert moments("06:30", "UTC", NOON, timedelta(days=3))[1] == "2026-03-10T06:30:00+00:00"


def test_before_its_time_of_today_yesterdays_counts() -> None:
    assert moments("23:00", "UTC", NOON, timedelta(days=1))[1] == "2026-03-09T23:00:00+00:00"


def test_a_time_that_a_clock_change_leaves_out_or_doubles_comes_once() -> None:
    spring = datetime(2026, 3, 29, 1, 30, 5, tzinfo=UTC)
    assert moments("02:30", "Europe/Berlin", spring) == [
        "2026-03-28T01:30:00+00:00",
        "2026-03-29T01:30:00+00:00",
    ]
    autumn = datetime(2026, 10, 25, 0, 30, 5, tzinfo=UTC)
    assert moments("02:30", "Europe/Berlin", autumn)[1] == "2026-10-25T00:30:00+00:00"
    assert moments("02:30", "Europe/Berlin", autumn + timedelta(hours=1)) == []


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.25, "0.25 s"), (9, "9 s"), (59.6, "1 min"), (90, "1 min 30 s"), (3600, "1 h"), (90_061, "1 d 1 h")],
)
def test_length(seconds: float, said: str) -> None:
    assert words.length(seconds) == said


def test_messages_of_errors_are_one_short_line() -> None:
    said = words.failed("a", "failure", "failed", "x\n" * 300, 0, 2)
    assert said.startswith("a failed 2 times: x x x") and len(said) < 240 and said.endswith("…")


def test_a_reason_nobody_knows_is_told_as_it_is() -> None:
    assert words.late("a", "not_started", NOON, 60, "skipped", "budget").endswith(
        "the instant was skipped (budget)"
    )
    assert words.unfinished("a", NOON, NOON, "budget").endswith("12:00:30 UTC: budget")
