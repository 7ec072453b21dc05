"""A house of one dispatcher on a real ledger, its workers rows, its engine a list."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from cronzimus.errors import EngineUnavailable
from cronzimus.models.run import Claim, Run, RunState
from cronzimus.settings.dispatch import DispatcherSettings
from cronzimus.workers.dispatcher import Dispatcher
from cronzimus.workers.dispatching import OwnPool
from cronzimus.workers.engine import Delivery
from cronzimus.workers.engines.inline import InlineEngine
from tests.heart import Heart

_JOIN = """
INSERT INTO cronzimus.workers (id, boot_id, replica, host, pid, roles, kinds, queues, labels, capacity, version, takes)
VALUES (%s, %s, %s, 'h', 1, '["worker"]', %s::jsonb, %s::jsonb, %s::jsonb, %s, '1', '["workers"]')
"""


class ListEngine(InlineEngine):
    """Keeps what it should carry; can be away."""

    def __init__(self, *, transactional: bool = False) -> None:
        super().__init__()
        self.transactional = transactional
        self.sent: list[Delivery] = []
        self.away = False

    def send(self, deliveries: Sequence[Delivery], connection: object = None) -> None:
        """Keep them, or be away."""
        if self.away:
            raise EngineUnavailable("gone fishing")
        assert (connection is not None) == self.transactional
        self.sent += deliveries


@dataclass
class Office:
    """What the tests of the dispatcher act on."""

    heart: Heart
    engine: ListEngine = field(default_factory=ListEngine)
    own_places: int = 0
    here: list[UUID] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dispatcher = self.another()
        self.heart.firing._dispatch = self.heart.runs._dispatch = self.within

    def another(self, **settings: Any) -> Dispatcher:
        """One more dispatcher on the same ledger."""
        one = Dispatcher(
            self.heart.database,
            self.heart.definitions,
            self.engine,
            DispatcherSettings(**settings),
            OwnPool("me", self.own_places),
            offer_here=self.here.extend,
        )
        one.wake = one._post  # nobody loops here
        return one

    def step(self) -> None:
        """One round, as if the last one were long ago."""
        self.dispatcher._gather_until = 0.0
        self.dispatcher.step()

    def within(self, database: Any) -> None:
        """What the services call in the transaction that writes runs."""
        self.dispatcher.within(database)

    def join(self, name: str, capacity: int = 10, **wishes: str) -> None:
        """A worker comes."""
        of = {"kinds": '["function", "shell"]', "queues": "[]", "labels": "{}", **wishes}
        values = [name, uuid4(), name, of["kinds"], of["queues"], of["labels"], capacity]
        self.heart.database.execute(_JOIN, values)

    def add(self, job_id: str = "a", **more: Any) -> None:
        """A job for workers, by hand."""
        policy = {"overlap": "allow"}
        document = {"runs_on": "workers", "trigger": {"type": "manual"}, "policy": policy, **more}
        self.heart.add(job_id, **document)

    def open(self, count: int = 1, job_id: str = "a", **more: Any) -> list[UUID]:
        """Runs, opened by hand."""
        return [self.heart.runs.trigger(job_id, by="t", **more).id for _ in range(count)]

    def run(self, run_id: UUID) -> Run:
        """How a run stands."""
        return self.heart.history.run(run_id)

    def whom(self, run_ids: Sequence[UUID]) -> list[str | None]:
        """Whom each was given to, None where nobody was."""
        runs = [self.run(run_id) for run_id in run_ids]
        return [run.worker_id if run.dispatched_at is not None else None for run in runs]

    def claim(self, run_ids: Sequence[UUID], worker: str) -> tuple[Claim, ...]:
        """A worker reaches for runs."""
        return self.heart.claims.exchange([], run_ids, worker_id=worker, lease_seconds=15).claimed

    def finish(self, run_ids: Sequence[UUID], state: RunState = RunState.SUCCESS) -> None:
        """The workers that were given these carry them out."""
        for run_id in run_ids:
            worker = self.run(run_id).worker_id or ""
            (claim,) = self.claim([run_id], worker)
            self.heart.end(claim, state, worker)
