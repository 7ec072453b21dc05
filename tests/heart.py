"""The heart without a body: every service on a fresh database, no threads, the test is the loop."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cronzimus.common.db import Database
from cronzimus.models.job import Job, JobDefinition
from cronzimus.models.run import Claim, Ended, Offer, RunState
from cronzimus.services.claims import Claims
from cronzimus.services.definitions import Definitions
from cronzimus.services.explain import Explain
from cronzimus.services.firing import FiringService
from cronzimus.services.history import History
from cronzimus.services.leadership import Leadership
from cronzimus.services.runs import Runs
from cronzimus.services.timetable import Timetable
from cronzimus.services.upkeep import Upkeep
from cronzimus.services.verify import Verifier

_EARLY_IN_A_SECOND = """
SELECT pg_sleep(CASE WHEN part > 0.5 THEN 1 - part ELSE 0 END)
FROM (SELECT extract(epoch FROM clock_timestamp()) % 1 AS part) clock
"""
FUNC = "cronzimus.controller.task:task"


def definition(job_id: str = "a", **more: Any) -> JobDefinition:
    """A definition that fires every second unless told otherwise."""
    document = {"id": job_id, "params": {"func": FUNC}, "trigger": {"type": "interval", "seconds": 1}, **more}
    return JobDefinition.model_validate(document)


@dataclass
class Heart:
    """The services of one replica; `fire` is one wake-up."""

    database: Database
    trouble: Callable[[JobDefinition], None] = lambda _: None
    name: str = "me"
    offered: list[Offer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.definitions = Definitions(self.database, self.trouble)
        self.timetable = Timetable(self.database, self.definitions)
        self.history = History(self.database)
        self.leadership = Leadership(self.database, self.name)
        self.firing = FiringService(self.database, self.definitions, self.leadership)
        self.claims = Claims(self.database)
        self.runs = Runs(self.database, self.timetable, self.definitions, self.history, self.offered.extend)
        self.verifier = Verifier(self.database, self.definitions)
        self.explain = Explain(self.database, self.definitions, self.history)
        self.upkeep = Upkeep(
            self.database,
            self.offered.extend,
            lambda: self.leadership.term,
            lease_seconds=15,
            retention_days=90,
            patience_seconds=0,
        )

    def lead(self) -> None:
        """Win the term."""
        self.leadership.step()
        assert self.leadership.term is not None

    def fire(self) -> list[Offer]:
        """One wake-up: what it opened."""
        term = self.leadership.term
        assert term is not None
        batch = self.firing.due(1000)
        plans = [self.firing.decide(job, batch.now) for job in batch.jobs]
        return (self.firing.commit(term, plans) or []) if plans else []

    def claim(self, offers: Sequence[Offer], worker: str = "w", lease: float = 15) -> tuple[Claim, ...]:
        """Claim what was offered."""
        wanted = [offer.run_id for offer in offers]
        return self.claims.exchange([], wanted, worker_id=worker, lease_seconds=lease).claimed

    def end(
        self, claim: Claim, state: RunState = RunState.SUCCESS, worker: str = "w", **more: Any
    ) -> tuple[Offer, ...]:
        """Report one attempt."""
        now = datetime.now(UTC)
        ended = Ended(claim.run_id, claim.attempt, state, now, now, **more)
        return self.claims.exchange([ended], [], worker_id=worker, lease_seconds=15).retries

    def make_due(self, job_id: str, at: str = "date_trunc('second', clock_timestamp())") -> datetime:
        """Pretend that the job's next instant is `at`, an SQL expression.

        Early in a second, so that a job of every second has no further instant before the test has looked.
        """
        self.database.execute(_EARLY_IN_A_SECOND)
        self.database.execute(f"UPDATE cronzimus.jobs SET next_due_at = {at} WHERE id = '{job_id}'")
        row = self.database.fetch_one("SELECT next_due_at FROM cronzimus.jobs WHERE id = %s", [job_id])
        assert row is not None
        due_at: datetime = row[0]
        return due_at

    def make_old(self, job_id: str, seconds: int) -> datetime:
        """Pretend that the job was made so long ago and nothing of it was decided since; its first instant."""
        due_at = self.make_due(
            job_id, f"date_trunc('second', clock_timestamp()) - interval '{seconds} seconds'"
        )
        self.database.execute(
            "UPDATE cronzimus.job_versions SET changed_at = %s - interval '1 millisecond' WHERE job_id = %s",
            [due_at, job_id],
        )
        return due_at

    def add(self, job_id: str = "a", **more: Any) -> Job:
        """Put a job on the timetable."""
        return self.timetable.add(definition(job_id, **more), by="test")

    def state_of(self, run_id: UUID) -> str:
        """Where a run stands."""
        return self.history.run(run_id).state


def change_by_a_later_version(database: Database, *, serves: str = "9999") -> None:
    """Put the schema at a revision that nobody here knows; the oldest code that can work with it is at `serves`."""
    database.execute("UPDATE cronzimus.alembic_version SET version_num = '9999'")
    database.execute("UPDATE cronzimus.schema_serves SET revision = '9999', serves = %s", [serves])


def until(true: Callable[[], Any], seconds: float = 20) -> Any:
    """Wait for a condition; its first true value."""
    deadline = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < deadline, "the condition never came true"
        time.sleep(0.005)
    return value
