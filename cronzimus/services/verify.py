"""The completeness proof: every due instant recomputed from the definitions and held against the ledger."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.errors import CronzimusError, Invalid
from cronzimus.models.firing import Decision, Reason
from cronzimus.models.time_off import WorkingSchedule
from cronzimus.services.definitions import Definitions

_SQL = queries("cronzimus.services.sql", "explain.sql")
_TICK = timedelta(microseconds=1)

# An instant younger than this may still be on its way into the ledger.
SETTLING = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Finding:
    """One instant for which definitions and ledger disagree."""

    job_id: str
    due_at: datetime
    version: int | None
    problem: str


@dataclass(frozen=True, slots=True)
class Verification:
    """The answer of `verify`: how many instants were due, how many are recorded, and where they differ."""

    start: datetime
    end: datetime
    expected: int
    recorded: int
    gaps: tuple[Finding, ...]
    surplus: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether every due instant is accounted for, and nothing else is."""
        return not self.gaps and not self.surplus


class _Reign(NamedTuple):
    """A version of a definition and the span in which it was in force."""

    version: int
    deleted: bool
    since: datetime
    until: datetime | None


class _Row(NamedTuple):
    due_at: datetime
    first_due_at: datetime
    instants: int
    decision: str
    reason: str | None
    version: int


class Verifier:
    """Recomputes the past from `job_versions`. May raise DatabaseUnavailable."""

    def __init__(self, database: Database, definitions: Definitions) -> None:
        self._database = database
        self._definitions = definitions

    def verify(self, start: datetime, end: datetime, *, job_id: str | None = None) -> Verification:
        """Compare every due instant from `start` to `end`, both included; raises Invalid when they are reversed."""
        if end < start:
            raise Invalid("the end of the window lies before its start")
        (now,) = self._database.fetch_one(_SQL["clock"]) or (end,)
        expected = recorded = 0
        gaps: list[Finding] = []
        surplus = list(self._doubled(start, end, job_id))
        for job, reigns in self._reigns(job_id):
            due, found = self._due(job, reigns, start, min(end, now), gaps), self._rows(job, start, end)
            found = [row for row in found if not self._is_of_a_cycle(job, row)]
            expected += len(due)
            recorded += sum(row.instants for row in found)
            gaps += _gaps(job, due, found, now - SETTLING)
            surplus += _surplus(job, due, found, start)
            surplus += self._against_the_calendar(job, due, found)
        return Verification(start, end, expected, recorded, tuple(gaps), tuple(surplus))

    def _reigns(self, job_id: str | None) -> Iterator[tuple[str, list[_Reign]]]:
        rows = self._database.fetch_all(_SQL["versions"], {"job_id": job_id})
        for job, versions in groupby(rows, key=lambda row: row[0]):
            yield job, [_Reign(*row[1:]) for row in versions]

    def _due(
        self, job: str, reigns: list[_Reign], start: datetime, end: datetime, gaps: list[Finding]
    ) -> dict[datetime, int]:
        """Every instant due in the window, with the version it belongs to."""
        due: dict[datetime, int] = {}
        for reign in reigns:
            since, until = max(start - _TICK, reign.since), min(end, reign.until or end)
            if reign.deleted or until < since:
                continue
            try:
                definition = self._definitions.get(job, reign.version)
            except CronzimusError as error:
                gaps.append(
                    Finding(job, reign.since, reign.version, f"its definition cannot be loaded: {error}")
                )
                continue
            due |= dict.fromkeys(definition.schedule.between(since, until), reign.version)
            first = definition.schedule.first_due(reign.since)
            if first is not None and first <= reign.since and start <= first <= end:
                due[first] = reign.version
        return due

    def _against_the_calendar(
        self, job: str, due: dict[datetime, int], found: list[_Row]
    ) -> Iterator[Finding]:
        """Rows that say another thing of a day off than the calendar their version meant."""
        schedules = {version: self._definitions.get(job, version).schedule for version in set(due.values())}
        keeping = {v: one for v, one in schedules.items() if isinstance(one, WorkingSchedule)}
        for row in found:
            if row.version not in keeping or row.instants > 1 or due.get(row.due_at) != row.version:
                continue
            why = keeping[row.version].why_off(row.due_at)
            if why is not None and row.decision == Decision.FIRED:
                yield Finding(job, row.due_at, row.version, f"fired on a day off: {why}")
            if why is None and row.reason == Reason.CALENDAR:
                yield Finding(job, row.due_at, row.version, "skipped for a day off, and it was none")

    def _rows(self, job: str, start: datetime, end: datetime) -> list[_Row]:
        params = {"job_id": job, "start": start, "end": end}
        return [_Row(*row) for row in self._database.fetch_all(_SQL["rows_between"], params)]

    def _is_of_a_cycle(self, job: str, row: _Row) -> bool:
        """Whether a job without due instants of its own was skipped in a cycle: no schedule made that row."""
        if row.decision != Decision.SKIPPED:
            return False
        try:
            definition = self._definitions.get(job, row.version)
        except CronzimusError:
            return row.reason in (Reason.DEPENDENCY_FAILED, Reason.BROKEN)
        return bool(definition.depends_on) and not definition.timed

    def _doubled(self, start: datetime, end: datetime, job_id: str | None) -> Iterator[Finding]:
        params = {"start": start, "end": end, "job_id": job_id}
        for job, due_at, count in self._database.fetch_all(_SQL["doubled_runs"], params):
            yield Finding(job, due_at, None, f"{count} runs for one due instant")


def _gaps(job: str, due: dict[datetime, int], found: list[_Row], settled: datetime) -> Iterator[Finding]:
    single = {row.due_at for row in found if row.instants == 1}
    ranges = [row for row in found if row.instants > 1]
    for at, version in due.items():
        if at not in single and at <= settled and not any(r.first_due_at <= at <= r.due_at for r in ranges):
            yield Finding(job, at, version, "due, and no row says what became of it")


def _surplus(job: str, due: dict[datetime, int], found: list[_Row], start: datetime) -> Iterator[Finding]:
    seen: set[datetime] = set()
    for row in found:
        if row.instants == 1 and row.due_at not in due:
            yield Finding(job, row.due_at, None, "recorded, and no definition made it due")
        elif row.due_at in seen:
            yield Finding(job, row.due_at, due.get(row.due_at), "recorded more than once")
        elif row.instants > 1 and row.first_due_at >= start:
            covered = sum(row.first_due_at <= at <= row.due_at for at in due)
            if covered != row.instants:
                problem = f"a row for {row.instants} instants covers {covered}"
                yield Finding(job, row.due_at, None, problem)
        seen.add(row.due_at)
