"""The timeline page: runs across jobs as bars."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final

from flask import request

from cronzimus.api.security import needs
from cronzimus.api.support import V1
from cronzimus.api.timeline import TimelineQuery, timeline_of
from cronzimus.models.timeline import Stretch, Timeline
from cronzimus.web.room import Answer, address, live, page, room

pages = room("timeline")

WIDTH: Final = 1000
_LEAST: Final = 2.0
_WINDOWS: Final = {
    "15 min": timedelta(minutes=15),
    "1 h": timedelta(hours=1),
    "6 h": timedelta(hours=6),
    "24 h": timedelta(days=1),
    "7 d": timedelta(days=7),
}
_TICKS: Final = 6


@dataclass(frozen=True, slots=True)
class Bar:
    """A run as a drawing: it waited from `waited` to `x`, and ran for `width`, in thousandths of the stretch."""

    run: Stretch
    waited: float
    x: float
    width: float
    row: int


@dataclass(frozen=True, slots=True)
class Lane:
    """One job's bars; those that overlap lie in rows below each other."""

    job_id: str
    bars: tuple[Bar, ...]
    rows: int


@pages.get("/timeline")
@live
@needs("read")
def show_timeline() -> Answer:
    """Who ran when."""
    said = {name: value for name, value in request.args.items() if value and name != "window"}
    query = TimelineQuery.model_validate(said)
    window = request.args.get("window", "")
    found = timeline_of(query, *_stretch(query, window))
    return page(
        "timeline.html",
        twin=address(f"{V1}/timeline", **{**dict(query), "since": found.since, "until": found.until}),
        topics="" if query.until else "run",
        query=query,
        windows=tuple(_WINDOWS),
        window=window or "1 h",
        found=found,
        width=WIDTH,
        lanes=tuple(_lanes(found, datetime.now(UTC))),
        ticks=_ticks(found),
        earlier=_moved(found, query, -1),
        later=_moved(found, query, 1) if query.until else None,
    )


def _stretch(query: TimelineQuery, window: str) -> tuple[datetime, datetime]:
    if window not in _WINDOWS or query.since is not None:
        return query.stretch()
    until = query.until or datetime.now(UTC)
    return until - _WINDOWS[window], until


def _lanes(found: Timeline, now: datetime) -> Iterator[Lane]:
    """A lane for each job, by name."""
    by_job = sorted(found.runs, key=lambda run: (run.job_id, run.started_at or run.queued_at))
    for job_id, runs in groupby(by_job, key=lambda run: run.job_id):
        bars = tuple(_stacked(found, tuple(runs), now))
        yield Lane(job_id, bars, 1 + max(bar.row for bar in bars))


def _stacked(found: Timeline, runs: Sequence[Stretch], now: datetime) -> Iterator[Bar]:
    """Each run in the first row in which it overlaps nothing."""
    ends: list[float] = []
    for run in runs:
        waited, start = _x(found, run.queued_at), _x(found, run.started_at or run.ended_at or now)
        end = max(_x(found, run.ended_at or now), start + _LEAST)
        row = next((n for n, taken in enumerate(ends) if taken <= start), len(ends))
        ends[row : row + 1] = [end]
        yield Bar(run, waited, start, round(end - start, 1), row)


def _x(found: Timeline, at: datetime) -> float:
    share = (at - found.since) / (found.until - found.since)
    return round(WIDTH * min(1.0, max(0.0, share)), 1)


def _ticks(found: Timeline) -> tuple[tuple[float, datetime], ...]:
    step = (found.until - found.since) / _TICKS
    return tuple((WIDTH * n / _TICKS, found.since + step * n) for n in range(_TICKS))


def _moved(found: Timeline, query: TimelineQuery, by: int) -> str:
    """The address of the stretch before, or after."""
    length = found.until - found.since
    moved = {"since": found.since + by * length, "until": found.until + by * length}
    return address("/timeline", **{**dict(query), **moved, "limit": None})
