"""Charts as numbers: where the bars of a drawing stand, so that templates only draw them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cronzimus.api.render import milliseconds
from cronzimus.models.insight import Day, Hour, RecentRun
from cronzimus.models.run import RunState

_HEIGHT: Final = 100.0
# A bar that stands for something is seen, however small its share.
_LEAST: Final = 2.0
_WEEK: Final = 7
_WRONG: Final = (RunState.PARTIAL, RunState.FAILED, RunState.TIMEOUT, RunState.LOST)


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour of the chart: heights in percent, counted from below."""

    hour: Hour
    fired: float
    skipped: float
    failed: float


@dataclass(frozen=True, slots=True)
class Spark:
    """One run of a sparkline; its height in percent says how long it took beside the others."""

    run: RecentRun
    height: float
    milliseconds: float | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Square:
    """One day of the calendar: its week (column), its weekday (row), and its colour."""

    day: Day
    week: int
    weekday: int
    outcome: str


def hour_bars(hours: Sequence[Hour]) -> tuple[Bar, ...]:
    """The hours as bars that share one scale."""
    most = max((hour.fired + hour.skipped + hour.missed for hour in hours), default=0)
    worst = max(most, max((hour.failed for hour in hours), default=0))
    return tuple(
        Bar(
            hour,
            _share(hour.fired, worst),
            _share(hour.skipped + hour.missed, worst),
            _share(hour.failed, worst),
        )
        for hour in hours
    )


def sparks(runs: Sequence[RecentRun]) -> tuple[Spark, ...]:
    """The runs as bars; the longest is the highest, one that has not ended is of middle height."""
    lengths = [milliseconds(run.started_at, run.ended_at) for run in runs]
    longest = max((length for length in lengths if length is not None), default=0)
    return tuple(
        Spark(run, _spark_height(length, longest), length, run.due_at or run.queued_at)
        for run, length in zip(runs, lengths, strict=True)
    )


def calendar(days: Sequence[Day]) -> tuple[Square, ...]:
    """The days as a sheet whose columns are weeks from Monday on."""
    if not days:
        return ()
    before = days[0].day.weekday()
    return tuple(
        Square(day, *divmod(place, _WEEK), _outcome(day.states)) for place, day in enumerate(days, before)
    )


def _outcome(states: Mapping[str, int]) -> str:
    """One colour for a day: all well, something wrong, nothing but wrong, still open, or nothing at all."""
    wrong = sum(number for state, number in states.items() if state in _WRONG)
    well = states.get(RunState.SUCCESS, 0)
    if wrong:
        return "partial" if well else "failed"
    if well:
        return "success"
    return "running" if states else "none"


def _share(part: float, whole: float) -> float:
    return max(_LEAST, round(_HEIGHT * part / whole, 1)) if part and whole else 0.0


def _spark_height(length: float | None, longest: float) -> float:
    if length is None or not longest:
        return 50.0
    return max(15.0, round(_HEIGHT * length / longest, 1))
