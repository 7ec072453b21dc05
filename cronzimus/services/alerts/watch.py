"""The watch: looks at ledger and timetable every few seconds, raises what is wrong and resolves what is over.

It does not hang on the leader: whichever process gets the one row of `alert_watch` looks, so that the others are
told when no scheduler lives. Every look is one transaction: an alert and its notifications come together or not.
"""

import time
import zoneinfo
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from cronzimus.common.arrays import array
from cronzimus.common.db import Database
from cronzimus.common.masking import mask
from cronzimus.common.sql import queries
from cronzimus.models.alert import AlertState, Finding
from cronzimus.models.alert_rule import Condition
from cronzimus.models.event import Event, Topic
from cronzimus.services.alerts import words
from cronzimus.services.events import Announce, unannounced
from cronzimus.utils.ids import new_id

_SQL = queries("cronzimus.services.alerts", "watch.sql")
# Of one rule at most so many messages at a time; the last of them speaks for the rest.
MOST_AT_ONCE = 20
# More failures of a job that is told of are told again, but not more often than this.
_NEWS_SECONDS = 60.0
_RELEARN_SECONDS = 600.0
_LEARNED_FROM = 10
_PRUNE_SECONDS = 3600.0
_BATCH = 1000
_FAILURES = {Condition.FAILURE, Condition.FIRST_FAILURE, Condition.FAILURES_IN_A_ROW}
_LATE = {Condition.NOT_STARTED, Condition.NOT_FINISHED}
_HALTED = {Condition.PAUSED_LONGER_THAN, Condition.BROKEN}
_RECOVERIES = {
    "recovered_failures": _FAILURES,
    "recovered_late": _LATE,
    "recovered_long": {Condition.TOO_LONG},
    "recovered_halted": _HALTED,
}

Over = tuple[UUID, str]


class Watch:
    """`step` is called for ever by a loop, in every process; one of them looks."""

    def __init__(
        self,
        database: Database,
        name: str,
        channels: Iterable[str],
        *,
        every_seconds: float = 5.0,
        retention_days: float = 90.0,
        announce: Announce = unannounced,
        notified: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._name = name
        self._channels = list(channels)
        self._every = every_seconds
        self._retention = timedelta(days=retention_days)
        self._announce = announce
        self._notified = notified
        self._usual: dict[tuple[str, int], tuple[float, float | None]] = {}
        self._pruned_at: float | None = None

    def step(self) -> float:
        """One look, unless another process looks or has just looked; seconds until the next."""
        # Half of the time between two looks, so that the processes take the watch over from each other in time.
        self.look(self._every / 2)
        return self._every

    def look(self, spacing: float = 0.0) -> bool:
        """Resolve what is over, raise what is wrong, tell both; whether this process was the one to look."""
        events: list[Event] = []
        with self._database.transaction():
            row = self._database.fetch_one(_SQL["look"], {"by": self._name, "spacing": spacing})
            if row is None:
                return False
            since, now = row
            wanted = self._conditions("conditions")
            states = dict(self._states(wanted))
            events += self._resolve(self._over(states))
            events += self._raise([*self._found(wanted, since, now), *_all(states.values())])
            told = self._database.execute(
                _SQL["tell"],
                {"channels": self._channels, "most": MOST_AT_ONCE, "spacing": _NEWS_SECONDS},
            )
            self._prune(now)
        for event in events:
            self._announce(event)
        if told or events:
            self._notified()
        return True

    def _conditions(self, statement: str) -> set[Condition]:
        return {Condition(name) for (name,) in self._database.fetch_all(_SQL[statement])}

    def _states(self, wanted: set[Condition]) -> Iterator[tuple[Condition, list[Finding]]]:
        """What is wrong with the installation as a whole: found anew at each look."""
        rows: list[tuple[Any, ...]] = []
        if Condition.QUEUE_OLDER_THAN in wanted:
            rows = self._database.fetch_all(_SQL["old_queues"])
        yield Condition.QUEUE_OLDER_THAN, [
            Finding(rule_id, f"queue/{queue}", words.waiting(queue, oldest, count))
            for rule_id, queue, oldest, count in rows
        ]
        rows = self._database.fetch_all(_SQL["leaderless"]) if Condition.NO_LEADER in wanted else []
        yield Condition.NO_LEADER, [
            Finding(rule_id, "scheduler", words.leaderless(seconds, last)) for rule_id, seconds, last in rows
        ]

    def _found(self, wanted: set[Condition], since: datetime, now: datetime) -> Iterator[Finding]:
        if wanted & _FAILURES:
            yield from self._failures()
        if wanted & _LATE:
            yield from self._late()
        if Condition.NOT_FINISHED in wanted:
            yield from self._unfinished(since, now)
        if Condition.TOO_LONG in wanted:
            yield from self._long()
        if wanted & _HALTED:
            yield from self._halted()

    def _failures(self) -> Iterator[Finding]:
        rows = self._database.fetch_all(_SQL["failures"])
        for rule_id, condition, job_id, run_id, due_at, state, message, failed, count in rows:
            summary = words.failed(job_id, condition, state, message, count, failed)
            yield Finding(rule_id, f"job/{job_id}", summary, job_id, run_id, due_at, failed)

    def _late(self) -> Iterator[Finding]:
        rows = self._database.fetch_all(_SQL["late"])
        for rule_id, condition, job_id, run_id, due_at, fate, reason, seconds in rows:
            summary = words.late(job_id, condition, due_at, seconds, fate, reason)
            yield Finding(rule_id, f"job/{job_id}", summary, job_id, run_id, due_at)

    def _unfinished(self, since: datetime, now: datetime) -> Iterator[Finding]:
        # A time of day has no seconds: within one minute nothing new can have come.
        if since.replace(second=0, microsecond=0) == now.replace(second=0, microsecond=0):
            return
        come = [
            (rule_id, deadline)
            for rule_id, clock, zone in self._database.fetch_all(_SQL["clock_rules"])
            for deadline in words.deadlines(clock, [zone] if zone else _zones(), since, now)
        ]
        if not come:
            return
        params = {
            "rules": array([rule_id for rule_id, _ in come]),
            "zones": array([deadline.zone for _, deadline in come]),
            "afters": array([deadline.after for _, deadline in come]),
            "deadlines": array([deadline.at for _, deadline in come]),
        }
        for rule_id, job_id, due_at, reason, deadline in self._database.fetch_all(
            _SQL["unfinished_by"], params
        ):
            summary = words.unfinished(job_id, due_at, deadline, reason)
            yield Finding(rule_id, f"job/{job_id}", summary, job_id, None, due_at)

    def _long(self) -> Iterator[Finding]:
        rows = self._database.fetch_all(_SQL["running_long"])
        self._learn({(job_id, count) for _, job_id, *_, factor, count in rows if factor is not None})
        for rule_id, job_id, run_id, due_at, elapsed, seconds, factor, count in rows:
            usual = self._usual[job_id, count][1] if factor is not None else None
            if factor is not None and usual is None:
                continue  # too few runs to know what is usual
            limit = max(seconds, usual * factor) if usual is not None else seconds
            if elapsed >= limit:
                summary = words.long(job_id, elapsed, limit, usual)
                yield Finding(rule_id, f"run/{run_id}", summary, job_id, run_id, due_at)

    def _learn(self, wanted: set[tuple[str, int]]) -> None:
        """Know how long these jobs usually take; what was learned is kept for some minutes."""
        stale = time.monotonic() - _RELEARN_SECONDS
        self._usual = {key: known for key, known in self._usual.items() if known[0] > stale}
        missing = sorted(wanted - self._usual.keys())
        if not missing:
            return
        params = {"job_ids": array([job for job, _ in missing]), "runs": array([runs for _, runs in missing])}
        for job_id, runs, p95, learned in self._database.fetch_all(_SQL["usual_durations"], params):
            self._usual[job_id, runs] = (time.monotonic(), p95 if learned >= _LEARNED_FROM else None)

    def _halted(self) -> Iterator[Finding]:
        for rule_id, condition, job_id, seconds, reason in self._database.fetch_all(_SQL["halted"]):
            yield Finding(rule_id, f"job/{job_id}", words.halted(job_id, condition, seconds, reason), job_id)

    def _over(self, states: dict[Condition, list[Finding]]) -> list[Over]:
        """Open alerts whose cause is gone, and why they end; each once."""
        present = self._conditions("open_conditions")
        if not present:
            return []
        rows: list[Any] = self._database.fetch_all(_SQL["orphaned"])
        for statement, conditions in _RECOVERIES.items():
            if present & conditions:
                rows += self._database.fetch_all(_SQL[statement])
        for condition in present & states.keys():
            params = {
                "condition": str(condition),
                "rules": array([finding.rule_id for finding in states[condition]]),
                "subjects": array([finding.subject for finding in states[condition]]),
            }
            rows += self._database.fetch_all(_SQL["recovered_states"], params)
        return list({alert_id: resolution for alert_id, resolution in reversed(rows)}.items())

    def _resolve(self, over: list[Over]) -> list[Event]:
        if not over:
            return []
        ids = array([alert_id for alert_id, _ in over])
        params = {"ids": ids, "resolutions": array([resolution for _, resolution in over])}
        rows = self._database.fetch_all(_SQL["resolve"], params)
        told = {"ids": ids, "channels": self._channels, "most": MOST_AT_ONCE}
        self._database.execute(_SQL["tell_recovery"], told)
        return [Event(Topic.ALERT, str(alert_id), job_id, AlertState.RESOLVED) for alert_id, job_id in rows]

    def _raise(self, findings: list[Finding]) -> list[Event]:
        # One statement may touch a row only once: what is found twice is the same thing.
        unique = list({(finding.rule_id, finding.subject): finding for finding in findings}.values())
        if not unique:
            return []
        params = {
            "ids": array([new_id() for _ in unique]),
            "rules": array([finding.rule_id for finding in unique]),
            "subjects": array([finding.subject for finding in unique]),
            "jobs": array([finding.job_id for finding in unique]),
            "runs": array([finding.run_id for finding in unique]),
            "dues": array([finding.due_at for finding in unique]),
            "summaries": array([mask(finding.summary) for finding in unique]),
            "occurrences": array([finding.occurrences for finding in unique]),
        }
        rows = self._database.fetch_all(_SQL["raise"], params)
        return [Event(Topic.ALERT, str(alert_id), job_id, AlertState.OPEN) for alert_id, job_id in rows]

    def _prune(self, now: datetime) -> None:
        if self._pruned_at is not None and time.monotonic() - self._pruned_at < _PRUNE_SECONDS:
            return
        self._pruned_at = time.monotonic()
        params = {"before": now - self._retention, "limit": _BATCH}
        self._database.execute(_SQL["prune"], params)
        self._database.execute(_SQL["prune_tests"], params)


def _zones() -> Iterable[str]:
    return sorted(zoneinfo.available_timezones())


def _all(findings: Iterable[list[Finding]]) -> Iterator[Finding]:
    for some in findings:
        yield from some
