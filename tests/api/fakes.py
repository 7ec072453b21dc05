"""The house of the front's tests: the services' signatures in memory, and the real factory of jobs."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from cronzimus.common.metrics import Family, Registry, exposition
from cronzimus.errors import Conflict, DatabaseUnavailable, NotFound, Unauthenticated
from cronzimus.jobs.job_factory import JobFactory
from cronzimus.models.access import ApiToken, NewToken, Role, SignedIn, User
from cronzimus.models.actor import Door
from cronzimus.models.audit import AuditEvent
from cronzimus.models.event import Event
from cronzimus.models.firing import Decision, Firing
from cronzimus.models.insight import Day, Hour, Overview, RecentRun
from cronzimus.models.job import Job, JobDefinition, JobStatus, Source
from cronzimus.models.log_line import StoredLine, Stream
from cronzimus.models.page import Page
from cronzimus.models.plan import (
    Action,
    Concurrency,
    Drifted,
    DriftKind,
    Expected,
    FieldChange,
    FiringChange,
    JobPlan,
    Load,
    Move,
    Reloaded,
    TimetablePlan,
    Wanted,
)
from cronzimus.models.run import OPEN, Attempt, Cause, Run, RunState
from cronzimus.models.timeline import Timeline
from cronzimus.models.worker import Worker
from cronzimus.services.events import Hub, Subscription
from cronzimus.services.explain import Explanation
from cronzimus.services.export import Exporter
from cronzimus.services.history import JobVersion
from cronzimus.services.idempotency import Answer, Asked
from cronzimus.services.readiness import Readiness
from cronzimus.services.run_logs import ALL, Found, LineFilter, LinePage
from cronzimus.services.timetable import Timetable
from cronzimus.settings import Scope
from cronzimus.utils.ids import new_id
from tests.api.fake_alerts import FakeTelling
from tests.api.fakes_queues import FakeHolds, FakeQueues, FakeSlotPools
from tests.api.fakes_time_off import FakeBackfills, FakeBlackouts, FakeCalendars
from tests.api.fakes_workflows import FakeWorkflows

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

    def remove(self, job_id: str, *, by: str, expected_version: int | None = None) -> None:
        self._refuse_other(job_id, expected_version)
        version = self.get(job_id).version + 1
        del self.jobs[job_id]
        self.versions[job_id].append(JobVersion(job_id, version, None, "delete", by, NOW))

    def pause(self, job_id: str, *, by: str, expected_version: int | None = None) -> Job:
        self._refuse_other(job_id, expected_version)
        return self._turn(job_id, JobStatus.PAUSED)

    def resume(self, job_id: str, *, by: str, expected_version: int | None = None) -> Job:
        self._refuse_other(job_id, expected_version)
        return self._turn(job_id, JobStatus.ACTIVE)

    def _refuse_other(self, job_id: str, expected: int | None) -> None:
        if expected not in (None, self.get(job_id).version):
            raise Conflict(f"job {job_id!r} is at another version", code="VERSION_CONFLICT")

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
        self,
        job_id: str,
        *,
        params: dict[str, Any] | None = None,
        as_of: datetime | None = None,
        force: bool = False,
        by: str,
    ) -> Run:
        job = self.timetable.get(job_id)
        if job.status == JobStatus.PAUSED and not force:
            raise Conflict(f"job {job_id!r} is paused", code="JOB_PAUSED")
        return self.put(a_run(job_id, cause=Cause.MANUAL, params=params, due_at=as_of))

    def values_of(self, run: Run) -> dict[str, Any] | None:
        return None

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


class BriefHub(Hub):
    """A hub whose watchers are told `news` and sent home, so that a test can read their streams to the end."""

    news: tuple[Event, ...] = ()

    def subscribe(self, wants: Callable[[Event], bool] = lambda _: True) -> Subscription:
        subscription = Brief(wants)
        for event in self.news:
            subscription.offer(event)
        return subscription


class Brief(Subscription):
    """One look, then the end."""

    looked = False

    def rest(self, seconds: float) -> None:
        self.rested = seconds

    def take(self, timeout: float) -> tuple[Event, ...] | None:
        self.looked, before = True, self.looked
        return None if before else super().take(0.001)


@dataclass
class FakeAudit:
    """Events in a list, latest first."""

    events: list[AuditEvent] = field(default_factory=list)
    asked: dict[str, Any] = field(default_factory=dict)

    def list(self, *, limit: int = 50, offset: int = 0, **filters: Any) -> Page[AuditEvent]:
        self.asked = filters
        return Page(tuple(self.events[offset : offset + limit]), len(self.events), limit, offset)


@dataclass
class FakeScrape:
    """A scrape that finds no house, only the instruments it is given."""

    asked: bool | None = None

    def text(self, accept: str, more: Iterable[Registry], *, ask: bool) -> tuple[bytes, str]:
        self.asked = ask
        up = Family("cronzimus_database_up", "gauge", "Up.", (), {(): int(ask)})
        return exposition(more, [up], accept)


@dataclass
class FakeRunLogs:
    """Lines in a list; remembers how it was asked."""

    own: FakeRuns
    lines: list[StoredLine] = field(default_factory=list)
    asked: dict[str, Any] = field(default_factory=dict)
    stopped_at: tuple[datetime, int] | None = None

    def run(self, run_id: UUID) -> Run:
        return self.own.get(run_id)

    def page(self, run: Run, wanted: LineFilter = ALL, *, after: int = 0, limit: int = 200) -> LinePage:
        self.asked = {"wanted": wanted, "after": after, "limit": limit}
        found = [line for line in self.lines if line.run_id == run.id and line.seq > after]
        return LinePage(tuple(found[:limit]), len(found) > limit)

    def page_before(
        self, run: Run, wanted: LineFilter = ALL, *, before: int | None = None, limit: int = 200
    ) -> LinePage:
        self.asked = {"wanted": wanted, "before": before, "limit": limit}
        found = [line for line in self.lines if before is None or line.seq < before]
        return LinePage(tuple(found[-limit:]), len(found) > limit)

    def whole(self, run: Run, wanted: LineFilter = ALL, *, after: int = 0) -> Iterator[StoredLine]:
        yield from self.page(run, wanted, after=after, limit=10_000).items

    def search(self, wanted: LineFilter = ALL, *, limit: int = 50, **asked: Any) -> Found:
        self.asked = {"wanted": wanted, "limit": limit, **asked}
        return Found(tuple(self.lines[:limit]), self.stopped_at)


@dataclass
class FakePlanner:
    """Plans that say create or unchanged, and are stale when they were made for another timetable."""

    timetable: FakeTimetable

    def plan(self, wanted: Sequence[Wanted], **options: Any) -> TimetablePlan:
        known = self.timetable.jobs
        jobs = tuple(
            JobPlan(
                one.definition.id,
                Action.UNCHANGED if one.definition.id in known else Action.CREATE,
                Source.API if one.definition.id in known else None,
                None,
                one.definition.timezone,
                (FieldChange("paused", False, True),) if one.paused else (),
                (FiringChange(Move.APPEARS, None, Expected(NOW, NOW.isoformat(), None)),),
                0,
                (),
            )
            for one in wanted
        )
        load = Concurrency(NOW, NOW, Load(), Load(1, NOW, 1, NOW), (), 30.0)
        return TimetablePlan(self._hash(), NOW, jobs, load)

    def apply(self, wanted: Sequence[Wanted], token: str, *, by: str, prune: bool = False) -> dict[str, int]:
        if token != self._hash():
            raise Conflict("plan again", code="PLAN_STALE")
        for one in wanted:
            if one.definition.id not in self.timetable.jobs:
                self.timetable.add(one.definition, by=by)
        return {"create": len(wanted)}

    def _hash(self) -> str:
        return f"plan-{sum(map(len, self.timetable.versions.values()))}"


@dataclass
class FakeDrift:
    """Every job of the timetable is undeclared."""

    timetable: FakeTimetable

    def find(self, declared: Any) -> tuple[Drifted, ...]:
        return tuple(
            Drifted(job_id, DriftKind.UNDECLARED, job.source, (), "me", NOW)
            for job_id, job in self.timetable.jobs.items()
        )


class FakeInsight:
    """Counts nothing."""

    def overview(self, *, hours: int = 24) -> Overview:
        return Overview({"active": 1}, 0, 0, (), 0, (), (), (Hour(NOW, fired=hours),), None, {"alive": 2}, 3)

    def days(self, job_id: str, count: int, today: date) -> tuple[Day, ...]:
        return tuple(Day(today - timedelta(days=back), {"success": 2}) for back in reversed(range(count)))

    def recent(self, job_ids: list[str], each: int = 30) -> dict[str, tuple[RecentRun, ...]]:
        ended = NOW + timedelta(seconds=2)
        return {
            job_id: (RecentRun(new_id(), job_id, RunState.SUCCESS, None, NOW, NOW, ended),)[:each]
            for job_id in job_ids
        }


class FakeProcesses:
    """Two processes."""

    def __init__(self) -> None:
        self.workers = [a_worker("first", leads=True), a_worker("second", status="down")]
        self.asked: dict[str, Any] = {}

    def list(self, *, limit: int = 50, offset: int = 0, **filters: Any) -> Page[Worker]:
        self.asked = filters
        return Page(tuple(self.workers[offset : offset + limit]), len(self.workers), limit, offset)

    def get(self, worker_id: str) -> Worker:
        for worker in self.workers:
            if worker.id == worker_id:
                return worker
        raise NotFound(f"there is no worker {worker_id!r}", code="WORKER_NOT_FOUND")

    def drain(self, worker_id: str) -> Worker:
        worker = self.get(worker_id)
        if worker.status == "down":
            raise Conflict(f"worker {worker_id!r} is down already", code="WORKER_DOWN")
        serves = "scheduler" in worker.takes
        drained = replace(
            worker,
            status=worker.status if serves else "draining",
            takes=["scheduler"] if serves else [],
            drain_requested_at=NOW,
        )
        self.workers[self.workers.index(worker)] = drained
        return drained


def a_worker(worker_id: str, **changes: Any) -> Worker:
    """A process of the house."""
    plain = Worker(
        id=worker_id,
        boot_id=UUID(int=len(worker_id)),
        replica=worker_id,
        host="here",
        pid=7,
        roles=["scheduler", "api", "worker"],
        kinds=[],
        queues=[],
        labels={},
        capacity=10,
        running=1,
        status="alive",
        leads=False,
        version="0.1.0",
        started_at=NOW,
        heartbeat_at=NOW,
        silent_seconds=0.5,
        takes=["scheduler", "workers"],
        load={"cpu_percent": 3.5, "memory_mb": 80.0, "runs": []},
    )
    return replace(plain, **changes)


@dataclass
class FakeTokens:
    """Tokens in a dictionary."""

    tokens: dict[UUID, ApiToken] = field(default_factory=dict)

    def make(
        self, name: str, scopes: list[Scope], *, expires_at: datetime | None = None, by: str
    ) -> NewToken:
        if name in [token.name for token in self.tokens.values() if token.revoked_at is None]:
            raise Conflict(f"a token {name!r} exists already", code="TOKEN_EXISTS")
        token = ApiToken(new_id(), name, "czt_abc", tuple(scopes), by, NOW, expires_at, None, None, None)
        self.tokens[token.id] = token
        return NewToken(token, "czt_abcdef")

    def get(self, token_id: UUID) -> ApiToken:
        if token_id not in self.tokens:
            raise NotFound(f"there is no token {token_id}", code="TOKEN_NOT_FOUND")
        return self.tokens[token_id]

    def list(self, *, everything: bool = False, limit: int = 50, offset: int = 0) -> Page[ApiToken]:
        found = [token for token in self.tokens.values() if everything or token.revoked_at is None]
        return Page(tuple(found[offset : offset + limit]), len(found), limit, offset)

    def revoke(self, token_id: UUID, *, by: str) -> ApiToken:
        self.tokens[token_id] = replace(self.get(token_id), revoked_at=NOW, revoked_by=by)
        return self.tokens[token_id]


@dataclass
class FakePeople:
    """People in a dictionary."""

    users: dict[str, User] = field(default_factory=dict)

    def add(self, name: str, role: Role, *, password: str | None = None, by: str) -> User:
        if name in self.users:
            raise Conflict(f"a user {name!r} exists already", code="USER_EXISTS")
        self.users[name] = User(name, role, password is not None, None, by, NOW, NOW, None, None)
        return self.users[name]

    def get(self, name: str) -> User:
        if name not in self.users:
            raise NotFound(f"there is no user {name!r}", code="USER_NOT_FOUND")
        return self.users[name]

    def list(self, *, limit: int = 50, offset: int = 0) -> Page[User]:
        found = [user for _, user in sorted(self.users.items())]
        return Page(tuple(found[offset : offset + limit]), len(found), limit, offset)

    def change(
        self,
        name: str,
        *,
        role: Role | None = None,
        password: str | None = None,
        disabled: bool | None = None,
    ) -> User:
        user = self.get(name)
        away = user.disabled_at if disabled is None else NOW if disabled else None
        self.users[name] = replace(user, role=role or user.role, disabled_at=away)
        return self.users[name]

    def remove(self, name: str) -> None:
        del self.users[self.get(name).name]


class FakeCredentials:
    """Knows nobody."""

    def token(self, secret: str) -> None:
        return None

    def session(self, secret: str) -> None:
        return None


class FakeAccess:
    """Everybody may sign in whose password is `correct horse`."""

    provider = None

    def __init__(self) -> None:
        self.tokens = FakeTokens()
        self.people = FakePeople()
        self.credentials = FakeCredentials()

    def sign_in(
        self, name: str, password: str, address: str | None, *, before: str | None = None
    ) -> SignedIn:
        if password != "correct horse":
            raise Unauthenticated("name or password is wrong", code="SIGN_IN_REFUSED")
        return SignedIn(name, Role.ADMIN, "a secret")


class FakeTimelines:
    """Nothing ever ran."""

    asked: tuple[datetime, datetime]

    def between(self, since: datetime, until: datetime, **filters: Any) -> Timeline:
        self.asked = (since, until)
        return Timeline(since, until, (), False)


class FakeIdempotency:
    """Remembers answers by caller and key."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], Answer] = {}

    def once(self, asked: Asked, act: Callable[[], Answer]) -> Answer:
        known = self.answers.get((asked.caller, asked.key))
        if known is None:
            known = self.answers[asked.caller, asked.key] = act()
        return known


class FakeOperating:
    """What stands around the heart, as far as views ask for it."""

    def __init__(self, run_logs: FakeRunLogs, timetable: FakeTimetable) -> None:
        self.run_logs = run_logs
        self.hub = BriefHub(most_watchers=4)
        self.processes = FakeProcesses()
        self.timelines = FakeTimelines()
        self.audit = FakeAudit()
        self.scrape = FakeScrape()
        self.planner = FakePlanner(timetable)
        self.drift = FakeDrift(timetable)
        self.exporter = Exporter(cast(Timetable, timetable))
        self.insight = FakeInsight()
        self.calendars = FakeCalendars()
        self.workflows = FakeWorkflows()
        self.blackouts = FakeBlackouts()
        self.backfills = FakeBackfills()
        self.queues = FakeQueues()
        self.slot_pools = FakeSlotPools()
        self.holds = FakeHolds()
        self.access = FakeAccess()
        self.telling = FakeTelling()
        self.idempotency = FakeIdempotency()


class FakeHouse:
    """Everything the views ask for."""

    def __init__(self) -> None:
        self.timetable = FakeTimetable()
        self.runs = FakeRuns(self.timetable)
        self.history = FakeHistory(self.timetable, self.runs)
        self.explain = FakeExplain(self.timetable)
        self.readiness = FakeReadiness()
        self.operating = FakeOperating(FakeRunLogs(self.runs), self.timetable)
        self.factory = JobFactory(
            allowed_functions=("cronzimus.controller",), allowed_commands=("*",), timezone="UTC"
        )

    def reload(self) -> Reloaded:
        return Reloaded(0, ())

    def declared_now(self) -> list[tuple[JobDefinition, Source]]:
        return []


def a_line(run: Run, seq: int = 1, line: str = "said", **changes: Any) -> StoredLine:
    """A line that a run printed."""
    stored = StoredLine(seq, run.id, run.job_id, 1, NOW, Stream.STDOUT, None, None, line)
    return replace(stored, **changes)


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


def an_event(**changes: Any) -> AuditEvent:
    """One change that somebody made."""
    before, after = {"status": "active"}, {"status": "paused"}
    event = AuditEvent(
        1, NOW, "ann", Door.API, "192.0.2.7", "req-1", "job.pause", "job/hourly", before, after
    )
    return replace(event, **changes)
