"""Where the bars of a drawing stand."""

from datetime import UTC, date, datetime, timedelta

import pytest

from cronzimus.models.insight import Day, Hour, RecentRun
from cronzimus.models.run import RunState
from cronzimus.utils.ids import new_id
from cronzimus.web.charts import calendar, hour_bars, sparks

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def a_run(seconds: float | None) -> RecentRun:
    ended = None if seconds is None else NOW + timedelta(seconds=seconds)
    state = RunState.RUNNING if seconds is None else RunState.SUCCESS
    return RecentRun(new_id(), "a", state, None, NOW, NOW, ended)


def test_hours_share_one_scale() -> None:
    bars = hour_bars([Hour(NOW), Hour(NOW, fired=50), Hour(NOW, fired=80, skipped=15, missed=5, failed=40)])
    assert [(bar.fired, bar.skipped, bar.failed) for bar in bars] == [(0, 0, 0), (50, 0, 0), (80, 20, 40)]


def test_one_among_thousands_is_seen() -> None:
    (bar,) = hour_bars([Hour(NOW, fired=10_000, failed=1)])
    assert bar.failed == 2


def test_no_hour_is_no_bar() -> None:
    assert hour_bars([]) == ()
    assert hour_bars([Hour(NOW)])[0].fired == 0


def test_the_longest_run_is_the_highest() -> None:
    drawn = sparks([a_run(10), a_run(5), a_run(0.001), a_run(None)])
    assert [spark.height for spark in drawn] == [100, 50, 15, 50]
    assert drawn[0].milliseconds == 10_000 and drawn[0].at == NOW


def test_days_stand_in_weeks_from_monday_on() -> None:
    sheet = calendar([Day(date(2026, 3, 4) + timedelta(days=number)) for number in range(6)])
    assert [(one.week, one.weekday) for one in sheet] == [(0, 2), (0, 3), (0, 4), (0, 5), (0, 6), (1, 0)]
    assert calendar([]) == ()


@pytest.mark.parametrize(
    ("states", "outcome"),
    [
        ({}, "none"),
        ({"success": 3}, "success"),
        ({"success": 3, "failed": 1}, "partial"),
        ({"lost": 1, "cancelled": 4}, "failed"),
        ({"running": 1}, "running"),
        ({"success": 1, "running": 1}, "success"),
    ],
)
def test_a_day_has_one_colour(states: dict[str, int], outcome: str) -> None:
    assert calendar([Day(date(2026, 3, 4), states)])[0].outcome == outcome
