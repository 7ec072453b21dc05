"""Who is there: every process of the house says so every few seconds, and any of them notices who fell silent."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta

from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.errors import NotFound
from cronzimus.models.event import Event, Topic
from cronzimus.models.page import Page
from cronzimus.models.worker import Presence, Worker, WorkerStatus
from cronzimus.services.events import Announce, unannounced

_SQL = queries("cronzimus.services.sql", "processes.sql")
_EVERY_SECONDS = 3.0
_SILENCE = timedelta(seconds=15)
_FORGOTTEN_AFTER = timedelta(days=1)


class Processes:
    """This process's presence, and everybody's. All may raise DatabaseUnavailable."""

    def __init__(
        self,
        database: Database,
        me: Presence,
        *,
        running: Callable[[], int] = lambda: 0,
        announce: Announce = unannounced,
    ) -> None:
        self._database = database
        self._me = me
        self._running = running
        self._announce = announce
        self._status = WorkerStatus.ALIVE

    def step(self) -> float:
        """Say that one is there and notice who is not; seconds until the next time."""
        self._beat()
        for (worker_id,) in self._database.fetch_all(_SQL["miss"], {"silence": _SILENCE}):
            self._tell(worker_id, WorkerStatus.DOWN)
        self._database.execute(_SQL["forget"], {"after": _FORGOTTEN_AFTER})
        return _EVERY_SECONDS

    def drain(self) -> None:
        """From the next sign of life on one is about to leave."""
        self._status = WorkerStatus.DRAINING

    def leave(self) -> None:
        """Say goodbye."""
        self._database.execute(_SQL["leave"], {"boot_id": self._me.boot_id})
        self._tell(self._me.id, WorkerStatus.DOWN)

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

    def _beat(self) -> None:
        me = {**asdict(self._me), "roles": json.dumps(self._me.roles)}
        params = {**me, "running": self._running(), "status": self._status}
        (is_new,) = self._database.fetch_one(_SQL["beat"], params) or (False,)
        if is_new:
            self._tell(self._me.id, self._status)

    def _tell(self, worker_id: str, status: WorkerStatus) -> None:
        self._announce(Event(Topic.WORKER, worker_id, state=status))
