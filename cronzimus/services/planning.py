"""Plan and apply: what a set of wanted jobs would change, and the change itself, only while the plan still holds."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from cronzimus.common.arrays import array
from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.errors import Conflict, Fault, Invalid
from cronzimus.models.blackout import HouseBlackout
from cronzimus.models.job import JobDefinition, JobStatus, Source
from cronzimus.models.plan import Action, Concurrency, TimetablePlan, Wanted
from cronzimus.services.audit import Audit
from cronzimus.services.blackouts import BlackoutBoard
from cronzimus.services.definitions import Definitions
from cronzimus.services.dependency_graph import DependencyGraph
from cronzimus.services.load import Line, loads
from cronzimus.services.plan_steps import (
    Standing,
    Step,
    first_after,
    first_before,
    job_plan,
    step_for,
    windows_of,
)
from cronzimus.services.timetable import Timetable

_SQL = queries("cronzimus.services.sql", "planning.sql")
_HASH = re.compile(r"(?P<made>[0-9a-f]{10,16})-(?P<digest>[0-9a-f]{32})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_PAST_TENSE = {
    "create": "created",
    "replace": "changed",
    "delete": "removed",
    "calendar": "given other days off",
}

# How long a run is taken to last where none has ended yet.
ASSUMED = timedelta(seconds=30)


class Planner:
    """Says what wanted jobs would change, and changes it. All may raise DatabaseUnavailable."""

    def __init__(
        self,
        database: Database,
        definitions: Definitions,
        timetable: Timetable,
        audit: Audit,
    ) -> None:
        self._database = database
        self._definitions = definitions
        self._timetable = timetable
        self._audit = audit
        self._blackouts = BlackoutBoard(database)
        self._graph = DependencyGraph(database)

    def plan(
        self,
        wanted: Sequence[Wanted],
        *,
        prune: bool = False,
        ahead: int = 20,
        window: timedelta = timedelta(days=1),
    ) -> TimetablePlan:
        """What would become of every job, of its next `ahead` instants, and of the load of the coming `window`."""
        wanted = self._observing(wanted)
        now, standing = self._basis()
        self._graph.check_together([one.definition for one in wanted], _leaving(wanted, standing, prune))
        house, blackouts = self._blackouts.read(), self._blackout_revision()
        steps = list(self._steps(wanted, standing, prune))
        listed = {step.id for step in steps}
        open_runs = self._open_runs(step.id for step in steps if step.action is not Action.UNCHANGED)
        jobs = (job_plan(step, now, ahead, open_runs.get(step.id, 0), house) for step in steps)
        unlisted = tuple(row.id for row in standing if row.id not in listed)
        token = _hash(now, wanted, standing, prune, blackouts)
        concurrency = self._concurrency(steps, standing, house, now, now + window)
        return TimetablePlan(token, now, tuple(jobs), concurrency, unlisted)

    def apply(self, wanted: Sequence[Wanted], token: str, *, by: str, prune: bool = False) -> dict[str, int]:
        """Make the planned change, whole or not at all; how many jobs each action concerned.

        Raises Conflict PLAN_STALE when anything the plan was computed from is different now.
        """
        made, _ = _read_hash(token)
        with self._database.transaction():
            self._hold([one.definition.id for one in wanted], prune)
            wanted = self._observing(wanted)
            _, standing = self._basis()
            if _hash(made, wanted, standing, prune, self._blackout_revision()) != token:
                raise self._stale(made)
            self._graph.check_together([one.definition for one in wanted], _leaving(wanted, standing, prune))
            steps = list(self._steps(wanted, standing, prune))
            for step in self._in_order(steps, wanted):
                self._carry_out(step, by, made)
            done = {str(action): sum(step.action is action for step in steps) for action in Action}
            self._audit.record("plan.apply", f"plan/{token}", after={"by": by, "done": done})
        return done

    def _basis(self) -> tuple[datetime, list[Standing]]:
        (now,) = self._database.fetch_one(_SQL["clock"]) or (datetime.now(UTC),)
        return now, [Standing(*row) for row in self._database.fetch_all(_SQL["basis"])]

    def _observing(self, wanted: Sequence[Wanted]) -> list[Wanted]:
        """The same jobs with the days off that their calendars come to; raises Invalid UNKNOWN_CALENDAR."""
        found: list[Wanted] = []
        faults: list[Fault] = []
        for number, one in enumerate(wanted):
            try:
                definition, version = self._definitions.observing(one.definition)
            except Invalid as error:
                faults += [
                    Fault(f"documents.{number}.{fault.field}", fault.message) for fault in error.faults
                ]
            else:
                found.append(Wanted(definition, one.paused, version))
        if faults:
            raise Invalid(f"{faults[0].field}: {faults[0].message}", code="UNKNOWN_CALENDAR", faults=faults)
        return found

    def _blackout_revision(self) -> int:
        (revision,) = self._database.fetch_one(_SQL["blackout_revision"]) or (0,)
        return int(revision)

    def _hold(self, job_ids: list[str], prune: bool) -> None:
        """Nobody changes these jobs until the apply is through, and no other apply begins."""
        self._database.execute(_SQL["one_apply"])
        self._database.execute(_SQL["hold"], {"ids": array(job_ids), "prune": prune})

    def _steps(self, wanted: Sequence[Wanted], standing: list[Standing], prune: bool) -> Iterator[Step]:
        known = {row.id: row for row in standing}
        asked = {one.definition.id for one in wanted}
        leaving = _leaving(wanted, standing, prune)
        gone = [row for row in standing if row.id in leaving]
        rows = [*(known[job_id] for job_id in asked & known.keys()), *gone]
        stored = self._definitions.get_many((row.id, row.version) for row in rows)
        for one in wanted:
            row = known.get(one.definition.id)
            before = stored.get((row.id, row.version)) if row else None
            yield step_for(one, row, None if isinstance(before, Invalid) else before)
        for row in gone:
            before = stored.get((row.id, row.version))
            yield Step(row.id, Action.REMOVE, row, None if isinstance(before, Invalid) else before, None)

    def _in_order(self, steps: list[Step], wanted: Sequence[Wanted]) -> list[Step]:
        """What others depend on is written before them, and removed after them."""
        after = self._graph.order([one.definition for one in wanted])
        before = self._graph.order([])
        place = {job_id: at for at, job_id in enumerate(after)}
        last = {job_id: -at for at, job_id in enumerate(before)}
        gone = [step for step in steps if step.action is Action.REMOVE]
        kept = [step for step in steps if step.action is not Action.REMOVE]
        return [
            *sorted(kept, key=lambda step: place[step.id]),
            *sorted(gone, key=lambda step: last.get(step.id, 0)),
        ]

    def _open_runs(self, job_ids: Iterable[str]) -> dict[str, int]:
        return dict(self._database.fetch_all(_SQL["open_runs"], {"ids": array(job_ids)}))

    def _concurrency(
        self,
        steps: list[Step],
        standing: list[Standing],
        house: Sequence[HouseBlackout],
        now: datetime,
        until: datetime,
    ) -> Concurrency:
        touched = {step.id for step in steps}
        others = [row for row in standing if row.id not in touched and row.status == JobStatus.ACTIVE]
        stored = self._definitions.get_many((row.id, row.version) for row in others)
        ids = [*touched, *(row.id for row in others)]
        lengths: dict[str, float] = dict(self._database.fetch_all(_SQL["lengths"], {"ids": array(ids)}))
        lines = list(_lines_of(steps, now, lengths))
        for row in others:
            definition = stored.get((row.id, row.version))
            if isinstance(definition, JobDefinition):
                lines.append(Line(definition, row.next_due_at, _length(lengths, row.id)))
        for line in lines:
            line.windows = windows_of(line.definition, house)
        before, after, reached = loads(lines, now, until)
        assumed = tuple(sorted({line.definition.id for line in lines if line.first} - lengths.keys()))
        return Concurrency(now, reached, before, after, assumed, ASSUMED.total_seconds())

    def _carry_out(self, step: Step, by: str, made: datetime) -> None:
        try:
            if step.action is Action.REMOVE:
                self._timetable.remove(step.id, by=by)
            elif step.action is Action.CREATE and step.wanted:
                self._timetable.add(step.wanted.definition, by=by)
            elif step.definition_changes and step.wanted:
                self._timetable.replace(step.wanted.definition, by=by)
        except Conflict as conflict:
            raise self._stale(made) from conflict
        if step.pauses is not None:
            (self._timetable.pause if step.pauses else self._timetable.resume)(step.id, by=by)

    def _stale(self, made: datetime) -> Conflict:
        rows = self._database.fetch_all(_SQL["changed_since"], {"since": made})
        if not rows:
            message = "these are not the jobs, options and blackouts that were planned; plan again"
            return Conflict(message, code="PLAN_STALE")
        told = [
            f"{job_id} was {_PAST_TENSE.get(what, what + 'd')}{f' by {by}' if by else ''}"
            for job_id, what, by in rows
        ]
        return Conflict(
            f"the timetable is not what it was when the plan was made: {', '.join(told)}; plan again",
            code="PLAN_STALE",
            faults=[Fault(row[0], line) for row, line in zip(rows, told, strict=True)],
        )


def _leaving(wanted: Sequence[Wanted], standing: list[Standing], prune: bool) -> frozenset[str]:
    """The jobs that go, as nobody asks for them any more."""
    asked = {one.definition.id for one in wanted}
    return frozenset(row.id for row in standing if prune and row.id not in asked and row.source == Source.API)


def _lines_of(steps: list[Step], now: datetime, lengths: dict[str, float]) -> Iterator[Line]:
    for step in steps:
        length = _length(lengths, step.id)
        if step.action is Action.UNCHANGED and step.before:
            yield Line(step.before, first_before(step), length)
            continue
        if step.before:
            yield Line(step.before, first_before(step), length, in_after=False)
        if step.wanted:
            yield Line(step.wanted.definition, first_after(step, now), length, in_before=False)


def _length(lengths: dict[str, float], job_id: str) -> timedelta:
    return timedelta(seconds=lengths[job_id]) if job_id in lengths else ASSUMED


def _hash(
    made: datetime, wanted: Sequence[Wanted], standing: list[Standing], prune: bool, blackouts: int
) -> str:
    """When the plan was made, and a digest of what was asked for and of what it was held against."""
    asked = {
        one.definition.id: (one.paused, one.calendar_version, one.definition.document()) for one in wanted
    }
    stands = [(row.id, row.version, row.paused, row.source) for row in standing]
    content = json.dumps([asked, stands, prune, blackouts], sort_keys=True, separators=(",", ":"))
    return f"{(made - _EPOCH) // _TICK:x}-{hashlib.sha256(content.encode()).hexdigest()[:32]}"


def _read_hash(token: str) -> tuple[datetime, str]:
    found = _HASH.fullmatch(token)
    if found is None:
        fault = Fault("plan", "is not the hash of a plan; `cronzimus plan` prints one")
        raise Invalid(f"{fault.field}: {fault.message}", faults=(fault,))
    try:
        return _EPOCH + int(found["made"], 16) * _TICK, found["digest"]
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC), found["digest"]
