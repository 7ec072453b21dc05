"""The cycles of the workflows: what follows in one when a run of it has ended."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from cronzimus.common.arrays import array
from cronzimus.common.db import Database, as_json
from cronzimus.common.sql import queries
from cronzimus.errors import Invalid
from cronzimus.models.dependency import Dependency, When
from cronzimus.models.firing import Reason
from cronzimus.models.job import JobDefinition, JobStatus
from cronzimus.models.run import Cause, RunState
from cronzimus.services.definitions import Definitions
from cronzimus.utils.ids import new_id
from cronzimus.utils.traceparent import is_trace_id
from cronzimus.workers.dependencies import (
    SKIPPED,
    Skip,
    Standing,
    Start,
    Step,
    Verdict,
    Wait,
    judged,
    standing_of,
)

_SQL = queries("cronzimus.workers", "releasing.sql")

Place = tuple[str, str]
"""A trace and a job: the place of a job in a cycle."""


class Row(NamedTuple):
    """A run as the judges read it; `moment` is what it is for."""

    id: UUID
    job_id: str
    version: int
    trace_id: str
    cause: Cause
    state: RunState
    due_at: datetime | None
    moment: datetime
    held_by: str | None
    params: dict[str, Any] | None


class Candidate(NamedTuple):
    """A job as it stands now."""

    id: str
    version: int
    status: JobStatus
    status_reason: str | None


@dataclass(frozen=True, slots=True)
class Released:
    """A run that was opened, or let go, and the one whose end did it."""

    run_id: UUID
    job_id: str
    trace_id: str
    gated: bool
    by: UUID | None


@dataclass(frozen=True, slots=True)
class Judge:
    """Who decides: the name and, while it leads, the epoch that the ledger will show."""

    name: str
    epoch: int


class Cycles:
    """Judges what follows ended runs, on the caller's transaction. May raise DatabaseUnavailable.

    1. One judge at a time has a cycle: it holds the cycle's lock to the end of the transaction, and what it reads
       after that has everything that others wrote about the cycle.
    2. The jobs that follow are judged by how those they depend on stand. One that has had a run in this cycle, however
       it was started, is left alone.
    3. What was skipped is as good as ended for those that follow it; they are judged in turn, level by level.
    """

    def __init__(self, database: Database, definitions: Definitions) -> None:
        self._database = database
        self._definitions = definitions

    def follow(self, ended: Sequence[Row], judge: Judge) -> list[Released]:
        """Judge everything that follows these runs; the runs that opened."""
        traces = sorted({row.trace_id for row in ended})
        self._database.execute(_SQL["one_judge"], {"traces": array(traces)})
        moments = self._moments(traces)
        fates = {(row.trace_id, row.job_id): row for row in ended}
        released: list[Released] = []
        while fates:
            skipped: dict[Place, Row] = {}
            board = self._board(fates)
            for place, by in board.open_places(fates):
                came = self._carry_out(board, place, by, moments[place[0]], judge)
                if isinstance(came, Released):
                    released.append(came)
                elif came:
                    skipped[place] = by
            fates = skipped
        return released

    def _carry_out(
        self, board: "_Board", place: Place, by: Row, moment: datetime, judge: Judge
    ) -> Released | bool:
        """What opened, or whether the job is skipped for the first time."""
        verdict = board.verdict(place)
        if isinstance(verdict, Wait):
            return False
        job = board.jobs[place[1]]
        definition = self._definitions.get_many([(job.id, job.version)]).get((job.id, job.version))
        refusal = _refusal(verdict, job, definition)
        if refusal is None and isinstance(definition, JobDefinition) and isinstance(verdict, Start):
            return self._start(definition, job.version, place[0], by, moment, verdict) or False
        reason, note = refusal or (Reason.BROKEN, "its definition is gone")
        params = {
            "trace_id": place[0],
            "job_id": job.id,
            "due_at": moment,
            "reason": str(reason),
            "note": note,
        }
        params |= {"epoch": judge.epoch, "by": judge.name, "version": job.version}
        return self._database.fetch_one(_SQL["skip"], params) is not None

    def _start(
        self, definition: JobDefinition, version: int, trace_id: str, by: Row, moment: datetime, start: Start
    ) -> Released | None:
        released = open_run(self._database, definition, version, trace_id, by.id, moment, start)
        if released is not None:
            told = f"the retry of {by.job_id}" if by.cause == Cause.RETRY else by.job_id
            names = {"trace_id": trace_id, "job_id": definition.id}
            self._database.execute(_SQL["unskip"], {**names, "run_id": released.run_id, "by": told})
        return released

    def _board(self, fates: Mapping[Place, Row]) -> "_Board":
        following = self._database.fetch_all(_SQL["downstream"], _places(fates))
        places: list[Place] = [(trace_id, job_id) for trace_id, job_id in following]
        ids = {job_id for _, job_id in places}
        dependencies = dependencies_of(self._database, ids)
        jobs = {
            row[0]: Candidate(*row) for row in self._database.fetch_all(_SQL["jobs"], {"ids": array(ids)})
        }
        asked = {(trace, one.job) for trace, job_id in places for one in dependencies.get(job_id, ())}
        return _Board(tuple(places), dependencies, jobs, self._standing({*asked, *places}))

    def _standing(self, places: Iterable[Place]) -> dict[Place, Standing]:
        params = _places(places)
        standing: dict[Place, Standing] = dict.fromkeys(
            self._database.fetch_all(_SQL["skipped"], params), SKIPPED
        )
        steps: dict[Place, list[Step]] = {}
        for trace_id, job_id, *rest in self._database.fetch_all(_SQL["steps"], params):
            steps.setdefault((trace_id, job_id), []).append(Step(*rest))
        return standing | {place: stands for place, some in steps.items() if (stands := standing_of(some))}

    def _moments(self, traces: Sequence[str]) -> dict[str, datetime]:
        params = {"traces": array(traces), "roots": array(map(root_of, traces))}
        return dict(self._database.fetch_all(_SQL["moments"], params))


@dataclass(frozen=True, slots=True)
class _Board:
    """One level of the judgement: the places that follow, and how everything they ask about stands."""

    places: tuple[Place, ...]
    dependencies: Mapping[str, tuple[Dependency, ...]]
    jobs: Mapping[str, Candidate]
    standing: Mapping[Place, Standing]

    def open_places(self, fates: Mapping[Place, Row]) -> Iterator[tuple[Place, Row]]:
        """Where nothing has run yet, each with the run that made us look."""
        for trace_id, job_id in self.places:
            stands = self.standing.get((trace_id, job_id))
            wanted = ((trace_id, one.job) for one in self.dependencies.get(job_id, ()))
            by = next((fates[place] for place in wanted if place in fates), None)
            if by is not None and job_id in self.jobs and (stands is None or stands == SKIPPED):
                yield (trace_id, job_id), by

    def verdict(self, place: Place) -> Verdict:
        """What becomes of the job there."""
        wanted = self.dependencies[place[1]]
        stands = {one.job: self.standing.get((place[0], one.job)) for one in wanted}
        return judged(wanted, {job_id: found for job_id, found in stands.items() if found is not None})


def dependencies_of(database: Database, job_ids: Iterable[str]) -> dict[str, tuple[Dependency, ...]]:
    """What each of these jobs depends on now."""
    found: dict[str, tuple[Dependency, ...]] = {}
    for job_id, before, condition in database.fetch_all(_SQL["dependencies"], {"ids": array(job_ids)}):
        found[job_id] = (*found.get(job_id, ()), Dependency(job=before, when=When(condition)))
    return found


def open_run(
    database: Database,
    definition: JobDefinition,
    version: int,
    trace_id: str,
    by: UUID,
    due_at: datetime | None,
    start: Start,
    params: dict[str, Any] | None = None,
) -> Released | None:
    """The run of a job in a cycle; None when it has had the one it gets."""
    columns = {
        "id": new_id(),
        "job_id": definition.id,
        "version": version,
        "kind": definition.kind,
        "due_at": due_at,
        "max_attempts": definition.policy.max_attempts,
        "max_running": definition.max_running,
        "priority": definition.priority,
        "queue": definition.queue,
        "params": as_json(params or None),
        "trace_id": trace_id,
        "parent": by,
        "gated": definition.gated,
        "for_workers": definition.for_workers,
        "inputs": as_json(dict(start.inputs)),
    }
    opened = database.fetch_one(_SQL["release"], columns)
    return Released(opened[0], definition.id, trace_id, definition.gated, by) if opened else None


def root_of(trace_id: str) -> UUID | None:
    """The run that began a trace under its own id, if any did."""
    return UUID(trace_id) if is_trace_id(trace_id) else None


def _refusal(verdict: Verdict, job: Candidate, definition: object) -> tuple[Reason, str] | None:
    """Why a job that could start does not; None when it does."""
    if isinstance(verdict, Skip):
        return Reason.DEPENDENCY_FAILED, verdict.because
    if job.status == JobStatus.PAUSED:
        return Reason.PAUSED, "its dependencies had ended as wanted"
    if job.status == JobStatus.BROKEN:
        return Reason.BROKEN, job.status_reason or "it is broken"
    return (Reason.BROKEN, definition.message) if isinstance(definition, Invalid) else None


def _places(places: Iterable[Place]) -> dict[str, str]:
    listed = sorted(places)
    return {
        "traces": array(trace_id for trace_id, _ in listed),
        "jobs": array(job_id for _, job_id in listed),
        "roots": array(root_of(trace_id) for trace_id, _ in listed),
    }
