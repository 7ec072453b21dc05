"""Who is there: every process of the house, and what people ask of one."""

from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.errors import Conflict, NotFound
from cronzimus.models.event import Event, Topic
from cronzimus.models.page import Page
from cronzimus.models.worker import Takes, Worker, WorkerStatus
from cronzimus.services.audit import Audit
from cronzimus.services.events import Announce, unannounced

_SQL = queries("cronzimus.services.sql", "processes.sql")
_NOTIFY = queries("cronzimus.services.sql", "notify.sql")["announce"]
WORKERS_CHANNEL = "cronzimus_workers"


class Processes:
    """Everybody's presence. All may raise DatabaseUnavailable."""

    def __init__(self, database: Database, announce: Announce = unannounced) -> None:
        self._database = database
        self._audit = Audit(database)
        self._announce = announce

    def list(
        self,
        *,
        id: str | None = None,
        status: str | None = None,
        role: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> Page[Worker]:
        """One page of processes, the leader first, the dead last."""
        filters = {"id": id, "status": status, "role": role}
        found = self._database.fetch_all(
            _SQL["list"], {**filters, "limit": limit, "offset": offset}, row=Worker
        )
        (total,) = self._database.fetch_one(_SQL["count"], filters) or (0,)
        return Page(tuple(found), total, limit, offset)

    def get(self, worker_id: str) -> Worker:
        """The process of that name that lives, else the last one that did; raises NotFound."""
        found = self.list(id=worker_id, limit=1).items
        if not found:
            raise NotFound(f"there is no worker {worker_id!r}", code="WORKER_NOT_FOUND")
        return found[0]

    def drain(self, worker_id: str) -> Worker:
        """Let a worker take no more runs of workers; one that takes no others finishes what runs and ends.

        Asking again changes nothing. Raises NotFound, Conflict WORKER_DOWN and NOT_A_WORKER.
        """
        with self._database.transaction():
            before = self.get(worker_id)
            _refuse_unless_it_can(before)
            if not self._database.execute(_SQL["request_drain"], {"boot_id": before.boot_id}):
                raise _down(worker_id)
            after = self.get(worker_id)
            self._audit.record(
                "worker.drain", f"worker/{worker_id}", before=_facts(before), after=_facts(after)
            )
            self._database.execute(_NOTIFY, {"channel": WORKERS_CHANNEL, "payload": worker_id})
        self._announce(Event(Topic.WORKER, worker_id, state=after.status))
        return after


def _refuse_unless_it_can(worker: Worker) -> None:
    if worker.status == WorkerStatus.DOWN:
        raise _down(worker.id)
    if Takes.WORKERS not in worker.takes and worker.drain_requested_at is None:
        raise Conflict(f"{worker.id} takes no runs of workers: it has nothing to drain", code="NOT_A_WORKER")


def _down(worker_id: str) -> Conflict:
    return Conflict(f"worker {worker_id!r} is down already", code="WORKER_DOWN")


def _facts(worker: Worker) -> dict[str, object]:
    return {"status": worker.status, "takes": worker.takes}
