"""The house of the front's tests: the services' signatures in memory, and the real factory of jobs."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from cronzimus.errors import Conflict, DatabaseUnavailable, NotFound
from cronzimus.jobs.job_factory import JobFactory
from cronzimus.models.firing import Decision, Firing
from cronzimus.models.job import Job, JobDefinition, JobStatus, Source
from cronzimus.models.page import Page
from cronzimus.models.run import OPEN, Attempt, Cause, Run, RunState
from cronzimus.services.explain import Explanation
from cronzimus.services.history import JobVersion
from cronzimus.services.readiness import Readiness
from cronzimus.utils.ids import new_id

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def document(job_id: str = "hourly", **changes: Any) -> dict[str, Any]:
    """A document every door accepts."""
    whole = {
        "id": job_id,
        "params": {"func": "cronzimus.controller.task:task"},
        "trigger": {"type": "interval", "hours": 1},
    }
    return {**whole, **changes}


@dataclass
class FakeTimetable:
    """Jobs in a dictionary."""

    jobs: dict[str, Job] = field(default_factory=dict)
    versions: dict[str, list[JobVersion]] = field(default_factory=dict)

    def get(self, job_id: str) -> Job:
        if job_id not in self.jobs:
            raise NotFound(f"there is no job {job_id!r}", code="JOB_NOT_FOUND")
        return self.jobs[job_id]

    def list(
        self,
        *,
        status: str | None = None,
        kind: str | None = None,
        tag: str | None = None,
        search: str | None = None,
        source: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> Page[Job]:
        found = [
            job
            for _, job in sorted(self.jobs.items())
            if (status is None or job.status == status)
            and (kind is None or job.definition["kind"] == kind)
            and (tag is None or tag in job.definition["tags"])
            and (source is None or job.source == source)
            and (search is None or search in job.id)
        ]
        return Page(tuple(found[offset : offset + limit]), len(found), limit, offset)

    def add(self, definition: JobDefinition, *, by: str, source: Source = Source.API) -> Job:
        if definition.id in self.jobs:
            raise Conflict(f"a job {definition.id!r} exists already", code="JOB_EXISTS")
        return self._write(definition, "create", by, source)

    def replace(
        self,
        definition: JobDefinition,
        *,
        by: str,
        expected_version: int | None = None,
        source: Source = Source.API,
    ) -> Job:
        job = self.get(definition.id)
        if expected_version not in (None, job.version):
            raise Conflict(f"job {job.id!r} is at version {job.version}", code="VERSION_CONFLICT")
        return self._write(definition, "replace", by, source)

    def remove(self, job_id: str, *, by: str) -> None:
        version = self.get(job_id).version + 1
        del self.jobs[job_id]
        self.versions[job_id].append(JobVersion(job_id, version, None, "delete", by, NOW))

    def pause(self, job_id: str, *, by: str) -> Job:
        return self._turn(job_id, JobStatus.PAUSED)

    def resume(self, job_id: str, *, by: str) -> Job:
        return self._turn(job_id, JobStatus.ACTIVE)

    def _turn(self, job_id: str, status: JobStatus) -> Job:
        job = self.get(job_id)
        if job.status == JobStatus.FINISHED:
            raise Conflict(f"job {job_id!r} has finished", code="JOB_FINISHED")
        self.jobs[job_id] = replace(job, status=status)
        return self.jobs[job_id]

    def _write(self, definition: JobDefinition, operation: str, by: str, source: Source) -> Job:
        versions = self.versions.setdefault(definition.id, [])
        whole = definition.document()
        versions.append(JobVersion(definition.id, len(versions) + 1, whole, operation, by, NOW))
        due_at = definition.schedule.next_after(datetime.now(UTC))
        job = Job(definition.id, whole, JobStatus.ACTIVE, None, source, len(versions), due_at, NOW, NOW)
        self.jobs[definition.id] = job
        return job


@dataclass
class FakeRuns:
    """Runs in a dictionary; none ever starts by itself."""

    timetable: FakeTimetable
    runs: dict[UUID, Run] = field(default_factory=dict)

    def trigger(
        self, job_id: str, *, params: dict[str, Any] | None = None, force: bool = False, by: str
    ) -> Run:
        job = self.timetable.get(job_id)
        if job.status == JobStatus.PAUSED and not force:
            raise Conflict(f"job {job_id!r} is paused", code="JOB_PAUSED")
        return self.put(a_run(job_id, cause=Cause.MANUAL, params=params))

    def cancel(self, run_id: UUID, *, by: str) -> Run:
        run = self.get(run_id)
        if run.state not in OPEN:
            raise Conflict(f"run {run_id} has ended already", code="RUN_FINISHED")
        return self.put(replace(run, state=RunState.CANCELLED, ended_at=NOW))

    def retry(self, run_id: UUID, *, by: str) -> Run:
        run = self.get(run_id)
        if run.state in OPEN:
            raise Conflict(f"run {run_id} has not ended yet", code="RUN_NOT_FINISHED")
        return self.put(a_run(run.job_id, cause=Cause.RETRY, parent_run_id=run_id))

    def put(self, run: Run) -> Run:
        self.runs[run.id] = run
        return run

    def get(self, run_id: UUID) -> Run:
        if run_id not in self.runs:
            raise NotFound(f"there is no run {run_id}", code="RUN_NOT_FOUND")
        return self.runs[run_id]


@dataclass
class FakeHistory:
    """Reads what the others hold; remembers how it was asked."""

    timetable: FakeTimetable
    own: FakeRuns
    asked: dict[str, Any] = field(default_factory=dict)
    ledger: list[Firing] = field(default_factory=list)

    def runs(self, *, limit: int = 50, offset: int = 0, **filters: Any) -> Page[Run]:
        self.asked = filters
        wanted = {name: filters.get(name) for name in ("job_id", "state", "cause", "worker_id")}
        found = [
            run
            for run in self.own.runs.values()
            if all(value is None or getattr(run, name) == value for name, value in wanted.items())
        ]
        return Page(tuple(found[offset : offset + limit]), len(found), limit, offset)

    def run(self, run_id: UUID) -> Run:
        return self.own.get(run_id)

    def attempts(self, run_id: UUID) -> tuple[Attempt, ...]:
        run = self.own.get(run_id)
        ended = NOW + timedelta(seconds=1.5)
        return tuple(
            Attempt(run.id, number, "local", NOW, ended, RunState.FAILED, {"type": "ValueError"})
            for number in range(1, run.attempt + 1)
        )

    def firings(self, *, limit: int = 50, offset: int = 0, **filters: Any) -> Page[Firing]:
        self.asked = filters
        return Page(tuple(self.ledger[offset : offset + limit]), len(self.ledger), limit, offset)

    def versions(self, job_id: str) -> tuple[JobVersion, ...]:
        return tuple(self.timetable.versions.get(job_id, ()))


@dataclass
class FakeExplain:
    """Knows one sentence."""

    timetable: FakeTimetable

    def why(self, job_id: str, at: datetime) -> Explanation:
        self.timetable.get(job_id)
        return Explanation(job_id, at, at, f"{job_id} fired.", Decision.FIRED, None, a_firing(job_id), None)


@dataclass
class FakeReadiness:
    """Says what it was told to say."""

    said: Readiness = Readiness("ok", True, {"database": "up", "scheduler": "leader"})

    def report(self) -> Readiness:
        return self.said


class FakeHouse:
    """Everything the views ask for."""

    def __init__(self) -> None:
        self.timetable = FakeTimetable()
        self.runs = FakeRuns(self.timetable)
        self.history = FakeHistory(self.timetable, self.runs)
        self.explain = FakeExplain(self.timetable)
        self.readiness = FakeReadiness()
        self.factory = JobFactory(
            allowed_functions=("cronzimus.controller",), allowed_commands=("*",), timezone="UTC"
        )


class Outage:
    """Stands for a service whose database is away."""

    def __getattr__(self, name: str) -> Any:
        def refuse(*args: Any, **options: Any) -> None:
            raise DatabaseUnavailable("PostgreSQL does not answer")

        return refuse


class Broken:
    """Stands for a service with a fault of its own."""

    def __getattr__(self, name: str) -> Any:
        def fail(*args: Any, **options: Any) -> None:
            raise RuntimeError("the password is hunter2xyz")

        return fail


def a_run(job_id: str = "hourly", **changes: Any) -> Run:
    """A run that waits."""
    run = Run(
        id=new_id(),
        job_id=job_id,
        job_version=1,
        due_at=None,
        cause=Cause.SCHEDULE,
        state=RunState.PENDING,
        attempt=0,
        max_attempts=1,
        priority=0,
        queue="default",
        worker_id=None,
        lease_until=None,
        not_before=None,
        cancel_requested_at=None,
        params=None,
        queued_at=NOW,
        started_at=None,
        ended_at=None,
        result=None,
        error=None,
        metrics=None,
        trace_id="0123456789abcdef0123456789abcdef",
        parent_run_id=None,
        code_revision=None,
    )
    return replace(run, **changes)


def a_firing(job_id: str = "hourly", **changes: Any) -> Firing:
    """A ledger row of an instant that fired."""
    row = Firing(job_id, NOW, NOW, 1, Decision.FIRED, None, new_id(), 3, "replica", NOW, 1)
    return replace(row, **changes)
