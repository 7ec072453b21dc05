"""The timeline page: runs across jobs as bars."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final, Literal

from pydantic import Field

from cronzimus.api.security import needs
from cronzimus.api.support import V1
from cronzimus.api.timeline import TimelineQuery, timeline_of
from cronzimus.models.timeline import Stretch, Timeline
from cronzimus.web.room import Answer, address, live, page, query_of, room

pages = room("timeline")

WIDTH: Final = 1000
_LEAST: Final = 2.0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """A length of time that can be chosen, and into how many equal parts its ticks cut it."""

    length: timedelta
    parts: int

    def around(self, moment: datetime) -> tuple[datetime, datetime]:
        """The stretch of that length whose ticks are round and whose last part holds the moment."""
        part = self.length / self.parts
        until = _EPOCH - (_EPOCH - moment) // part * part
        return until - self.length, until


_WINDOWS: Final = {
    "15m": Window(timedelta(minutes=15), 5),
    "1h": Window(timedelta(hours=1), 6),
    "6h": Window(timedelta(hours=6), 6),
    "24h": Window(timedelta(days=1), 6),
    "7d": Window(timedelta(days=7), 7),
}
_USUAL: Final = "1h"
_PARTS: Final = 6


class PageQuery(TimelineQuery):
    """Which stretch of time: the named one around now, or from and until."""

    window: Literal["15m", "1h", "6h", "24h", "7d"] = Field(default=_USUAL, description="around now")

    @property
    def is_now(self) -> bool:
        """Whether it moves on with the clock."""
        return self.since is None and self.until is None


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
    query, now = query_of(PageQuery), datetime.now(UTC)
    window = _WINDOWS[query.window]
    found = timeline_of(query, *(window.around(now) if query.is_now else query.stretch()))
    return page(
        "timeline.html",
        twin=address(f"{V1}/timeline", **_said(query, since=found.since, until=found.until)),
        topics="run" if query.is_now else "",
        query=query,
        windows=tuple(_WINDOWS),
        found=found,
        width=WIDTH,
        lanes=tuple(_lanes(found, now)),
        ticks=_ticks(found, window.parts if query.is_now else _PARTS),
        earlier=_moved(found, query, -1),
        later=None if query.is_now else _moved(found, query, 1),
    )


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


def _ticks(found: Timeline, parts: int) -> tuple[tuple[float, datetime], ...]:
    part = (found.until - found.since) / parts
    return tuple((WIDTH * n / parts, found.since + part * n) for n in range(parts))


def _moved(found: Timeline, query: PageQuery, by: int) -> str:
    """The address of the stretch before, or after."""
    length = found.until - found.since
    return address(
        "/timeline",
        **_said(query, since=found.since + by * length, until=found.until + by * length, limit=None),
    )


def _said(query: PageQuery, **changed: object) -> dict[str, object]:
    """What a stretch's address says: not the window, which is another way to say from and until."""
    return {**query.model_dump(exclude={"window"}), **changed}
