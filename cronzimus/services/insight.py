"""Numbers for people: the house at a glance and how a job has fared, each from an index and bounded."""

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from cronzimus.common.arrays import array
from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.models.insight import Day, Failure, Hour, Leader, Overview, RecentRun, RunningNow, Upcoming
from cronzimus.utils.ids import first_id_at

_SQL = queries("cronzimus.services.sql", "insight.sql")
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_JOBS_REMEMBERED = 500
_LOOK_AHEAD = timedelta(hours=24)
_COUNTED = {"fired": "fired", "coalesced": "skipped", "skipped": "skipped", "missed": "missed"}
_MOST_A_DAY = 200
_SHOWN_RUNNING = 50
_SHOWN_UPCOMING = 30
_SHOWN_FAILURES = 10


class Insight:
    """Reads only. All may raise DatabaseUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._hours = _PastHours()
        self._days_gone = lru_cache(maxsize=_JOBS_REMEMBERED)(self._count_days)

    def overview(self, *, hours: int = 24) -> Overview:
        """What runs, what comes within a day, what went wrong, and the last `hours` hours in numbers."""
        now = datetime.now(UTC)
        fetch = self._database.fetch_all
        soon = {"until": now + _LOOK_AHEAD, "limit": _SHOWN_UPCOMING}
        upcoming = fetch(_SQL["upcoming"], soon, row=Upcoming)
        open_runs: dict[str, int] = dict(fetch(_SQL["open_runs"]))
        return Overview(
            jobs=dict(fetch(_SQL["jobs_by_status"])),
            waiting=open_runs.get("pending", 0),
            running_count=open_runs.get("running", 0),
            running=tuple(fetch(_SQL["running"], {"limit": _SHOWN_RUNNING}, row=RunningNow)),
            upcoming_count=self._count_upcoming(len(upcoming), soon),
            upcoming=tuple(upcoming),
            failures=tuple(fetch(_SQL["failures"], {"limit": _SHOWN_FAILURES}, row=Failure)),
            hours=self.hours(hours, now),
            leader=self._database.fetch_one(_SQL["leader"], row=Leader),
            processes=dict(fetch(_SQL["processes_by_status"])),
            open_alerts=self._count("open_alerts"),
        )

    def hours(self, count: int, now: datetime) -> tuple[Hour, ...]:
        """The last `count` hours, the one that is not over yet included, oldest first."""
        this_hour = now.replace(minute=0, second=0, microsecond=0)
        starts = [this_hour - _HOUR * back for back in reversed(range(count))]
        known = self._hours.known(starts[:-1])
        since = next((start for start in starts if start not in known), this_hour)
        found = self._count_hours(since, now)
        fresh = {start: found.get(start, Hour(start)) for start in starts if start >= since}
        self._hours.keep(start_hour for start, start_hour in fresh.items() if start < this_hour)
        return tuple(known.get(start) or fresh[start] for start in starts)

    def recent(self, job_ids: Sequence[str], each: int = 30) -> dict[str, tuple[RecentRun, ...]]:
        """The last `each` runs of every job asked for, oldest first."""
        if not job_ids:
            return {}
        found: dict[str, list[RecentRun]] = {job_id: [] for job_id in job_ids}
        params = {"ids": array(job_ids), "each": each}
        for run in self._database.fetch_all(_SQL["recent"], params, row=RecentRun):
            found[run.job_id].append(run)
        return {job_id: tuple(reversed(runs)) for job_id, runs in found.items()}

    def days(self, job_id: str, count: int, today: date) -> tuple[Day, ...]:
        """How the runs of a job ended on each of the last `count` UTC days, oldest first.

        Days before yesterday are counted once a day: a run that takes longer than that shows its end a day late.
        """
        first, yesterday = today - timedelta(days=count - 1), max(today - _DAY, today - _DAY * (count - 1))
        return (
            *self._days_gone(job_id, first, yesterday),
            *self._count_days(job_id, yesterday, today + _DAY),
        )

    def _count_days(self, job_id: str, first: date, end: date) -> tuple[Day, ...]:
        """From `first` on, before `end`."""
        days = [first + _DAY * number for number in range((end - first).days)]
        if not days:
            return ()
        bounds = [first_id_at(datetime.combine(day, time(), UTC)) for day in [*days, end]]
        params = {"days": array(days), "firsts": array(bounds[:-1]), "lasts": array(bounds[1:])}
        found: dict[date, dict[str, int]] = defaultdict(dict)
        rows = self._database.fetch_all(
            _SQL["outcomes_by_day"], {**params, "job_id": job_id, "each": _MOST_A_DAY}
        )
        for day, state, number in rows:
            found[day][state] = number
        return tuple(Day(day, found.get(day, {})) for day in days)

    def _count_upcoming(self, shown: int, soon: Mapping[str, Any]) -> int:
        return shown if shown < _SHOWN_UPCOMING else self._count("count_upcoming", {"until": soon["until"]})

    def _count(self, statement: str, params: dict[str, Any] | None = None) -> int:
        (number,) = self._database.fetch_one(_SQL[statement], params) or (0,)
        return int(number)

    def _count_hours(self, since: datetime, until: datetime) -> dict[datetime, Hour]:
        counted: dict[datetime, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        params = {"since": since, "until": until}
        for start, decision, number in self._database.fetch_all(_SQL["decided_by_hour"], params):
            counted[start][_COUNTED[decision]] += number
        for start, number in self._database.fetch_all(_SQL["failed_by_hour"], params):
            counted[start]["failed"] += number
        return {start: _hour(start, numbers) for start, numbers in counted.items()}


def _hour(start: datetime, numbers: Mapping[str, int]) -> Hour:
    return Hour(start, numbers["fired"], numbers["skipped"], numbers["missed"], numbers["failed"])


class _PastHours:
    """Hours that are over never change: they are counted once.

    The clock of this process and the one of the database may differ a little, and a commit takes its time,
    so the hour that ended last is counted again until the next one has begun.
    """

    _MOST = 24 * 31

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[datetime, Hour] = {}

    def known(self, starts: Sequence[datetime]) -> dict[datetime, Hour]:
        """Those of the hours that were counted for good."""
        with self._lock:
            return {start: self._kept[start] for start in starts[:-1] if start in self._kept}

    def keep(self, hours: Iterable[Hour]) -> None:
        """Remember hours that are over."""
        with self._lock:
            for hour in hours:
                self._kept[hour.start] = hour
            for old in sorted(self._kept)[: -self._MOST]:
                del self._kept[old]
