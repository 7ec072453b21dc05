"""The worker on the real ledger: `services.claims` and `services.definitions` over PostgreSQL."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from cronzimus.common.db import Database
from cronzimus.models.job import JobDefinition
from cronzimus.models.run import Offer
from cronzimus.services.claims import Claims as RealClaims
from cronzimus.services.definitions import Definitions as RealDefinitions
from cronzimus.utils.ids import new_id
from cronzimus.workers.engines.inline import InlineEngine
from cronzimus.workers.ledger import Claims, Definitions
from cronzimus.workers.worker import Worker
from tests.workers import jobs
from tests.workers.support import BOARD, definition, settings

JOB = """
    insert into cronzimus.job_versions (job_id, version, definition, operation, changed_by, changed_at)
    values (%s, 1, %s, 'create', 'test', now())
"""
RUN = """
    insert into cronzimus.runs (id, job_id, job_version, cause, max_attempts, max_running, params, trace_id)
    values (%s, %s, 1, 'manual', %s, %s, %s, %s)
"""
PATIENCE_STEPS = 1000


class Service:
    """A worker at work in a real database."""

    def __init__(self, database: Database, worker_id: str = "w1", **worker: Any) -> None:
        self.database, self.engine = database, InlineEngine()
        self.worker = Worker(
            RealClaims(database),
            RealDefinitions(database),
            self.engine,
            database,
            settings(**worker),
            worker_id=worker_id,
        )
        self.worker.start()

    def add(self, job: JobDefinition) -> None:
        self.database.execute(JOB, [job.id, Jsonb(job.document())])

    def create(self, job: JobDefinition, **params: Any) -> UUID:
        """A pending run that nobody was told of."""
        run_id = new_id()
        policy = job.policy
        facts = [
            run_id,
            job.id,
            policy.max_attempts,
            policy.max_running,
            Jsonb(params) if params else None,
            run_id.hex,
        ]
        self.database.execute(RUN, facts)
        return run_id

    def start(self, job: JobDefinition, **params: Any) -> UUID:
        run_id = self.create(job, **params)
        self.engine.offer([Offer(run_id, None)])
        return run_id

    def row(self, run_id: UUID, columns: str = "state, result, error, attempt") -> tuple[Any, ...]:
        found = self.database.fetch_one(f"select {columns} from cronzimus.runs where id = %s", [run_id])
        assert found is not None
        return found

    def until(self, run_id: UUID, *states: str) -> tuple[Any, ...]:
        """The row once it is in one of the states; the worker's own condition paces the question."""
        for _ in range(PATIENCE_STEPS):
            row = self.row(run_id)
            if row[0] in states:
                return row
            self.worker._wait(lambda: False, 0.02)
        raise AssertionError(f"run {run_id} is {self.row(run_id)}")

    def final(self, run_id: UUID) -> tuple[Any, ...]:
        return self.until(run_id, "success", "partial", "failed", "timeout", "cancelled", "lost")


@pytest.fixture
def service(database: Database) -> Iterator[Service]:
    database.execute("create table effects (text text)")
    one = Service(database)
    yield one
    one.worker.stop()


@pytest.fixture
def job(service: Service) -> Callable[..., JobDefinition]:
    def add(function: str = "noop", **facts: Any) -> JobDefinition:
        one = definition(function, **facts)
        service.add(one)
        return one

    return add


Jobs = Callable[..., JobDefinition]


def test_services_are_what_the_worker_needs(database: Database) -> None:
    claims: Claims = RealClaims(database)
    definitions: Definitions = RealDefinitions(database)
    assert claims and definitions


def test_run_is_claimed_executed_and_recorded(service: Service, job: Jobs) -> None:
    run = service.start(job("give", args=[{"rows": 3}]))
    assert service.final(run) == ("success", {"rows": 3}, None, 1)
    assert service.row(run, "worker_id, lease_until is null, started_at <= ended_at") == ("w1", True, True)


def test_attempts_are_recorded(service: Service, job: Jobs) -> None:
    run = service.start(job("boom", policy={"max_attempts": 2, "backoff": 0.0}))
    state, result, error, attempt = service.final(run)
    assert (state, attempt, error["type"]) == ("failed", 2, "ValueError")
    rows = service.database.fetch_all(
        "select attempt, worker_id, state, error->>'message' from cronzimus.attempts where run_id = %s order by 1",
        [run],
    )
    assert rows == [(1, "w1", "failed", "broken"), (2, "w1", "failed", "broken")]


def test_parameters_of_the_run_are_passed(service: Service, job: Jobs) -> None:
    run = service.start(job("needs", kwargs={"first": 1}), second=41)
    assert service.final(run)[1] == 42


@pytest.mark.parametrize(
    "value", ["nul \x00 inside", "\ud800", {"k\x00": ["\x00"]}, float("nan"), 10**400, b"raw"]
)
def test_no_result_is_too_odd_to_be_stored(service: Service, job: Jobs, value: Any) -> None:
    jobs.ODD["value"] = value
    assert service.final(service.start(job("give_odd")))[0] == "success"


def test_error_with_odd_characters_is_stored(service: Service, job: Jobs) -> None:
    run = service.start(job("boom_odd"))
    assert service.final(run)[2]["message"] == "nul \ufffd and ?"


def test_snooze_gives_the_attempt_back(service: Service, job: Jobs) -> None:
    run = service.start(job("snooze", kwargs={"flag": "ledger-snooze"}))
    assert service.final(run) == ("success", "awake", None, 1)


def test_job_without_a_definition_fails(service: Service) -> None:
    orphan = definition(id="nowhere")
    assert service.final(service.start(orphan))[0] == "failed"


def test_cancel_ends_a_running_statement(service: Service, job: Jobs) -> None:
    run = service.start(job("sleep_in_database", args=["ledger-sql"]))
    assert BOARD.wait("ledger-sql-started")
    service.worker.cancel(run)
    assert service.final(run)[0] == "cancelled"


def test_fenced_effect_and_success_are_one(service: Service, job: Jobs) -> None:
    run = service.start(job("write_fenced_at_once", args=["paid"]))
    assert service.final(run)[0] == "success"
    assert service.database.fetch_all("select text from effects") == [("paid",)]


def test_failure_after_the_fenced_commit_changes_nothing(service: Service, job: Jobs) -> None:
    """The late report of a run that its own transaction ended is harmless, and nothing is tried again."""
    run = service.start(
        job("write_fenced_then_fail", args=["paid"], policy={"max_attempts": 3, "backoff": 0.0})
    )
    assert service.final(run)[0] == "success"
    service.worker.drain(10)
    assert service.row(run) == ("success", None, None, 1)
    assert service.database.fetch_all("select text from effects") == [("paid",)]


def test_zombie_cannot_write_twice(service: Service, job: Jobs) -> None:
    """Two workers believe to hold the run: the one whose lease was taken writes nothing."""
    fenced = job("write_fenced", args=["zombie", "paid"], policy={"max_attempts": 2})
    run = service.start(fenced)
    assert BOARD.wait("zombie-inside")
    service.database.execute(
        "update cronzimus.runs set state = 'pending', worker_id = null, lease_until = null where id = %s",
        [run],
    )
    second = Service(service.database, "w2")
    BOARD.raise_flag("zombie-go")
    second.engine.offer([Offer(run, None)])
    assert second.until(run, "success")[3] == 2
    service.worker.drain(10)
    second.worker.stop()
    assert service.database.fetch_all("select text from effects") == [("paid",)]
    assert service.row(run, "worker_id") == ("w2",)


def test_two_workers_execute_each_run_once(service: Service, job: Jobs) -> None:
    note = job("note", policy={"overlap": "allow"})
    second = Service(service.database, "w2")
    runs = [service.create(note) for _ in range(300)]
    for one in (service, second):
        one.engine.offer([Offer(run, None) for run in runs])
    for run in runs:
        assert service.final(run)[0] == "success"
    second.worker.stop()
    rows = service.database.fetch_all("select text, count(*) from effects group by text having count(*) <> 1")
    assert rows == []
    assert service.database.fetch_one("select count(*) from effects") == (300,)


def test_runs_of_an_exclusive_job_never_overlap(service: Service, job: Jobs) -> None:
    alone = job("alone", policy={"overlap": "queue", "max_queued": 100})
    runs = [service.start(alone) for _ in range(20)]
    for run in runs:
        assert service.final(run)[:2] == ("success", 1)


def test_drain_gives_unstarted_runs_back(service: Service, job: Jobs) -> None:
    quick, slow = job("noop", id="quick", policy={"overlap": "allow"}), job(
        "gate", id="slow", args=["ledger-drain"]
    )
    service.start(slow)
    assert BOARD.wait("ledger-drain-started")
    runs = [service.start(quick) for _ in range(50)]
    BOARD.raise_flag("ledger-drain-go")
    assert service.worker.drain(10)
    states = {service.row(run, "state, attempt, worker_id") for run in runs}
    assert states <= {("pending", 0, None), ("success", 1, "w1")}
