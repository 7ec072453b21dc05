"""This process among the others: it takes its name, says every few seconds that it is there, and leaves."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

from cronzimus.common.db import Database
from cronzimus.common.logger import get_logger
from cronzimus.common.sql import queries
from cronzimus.errors import Conflict
from cronzimus.models.event import Event, Topic
from cronzimus.models.worker import Presence, Rival, WorkerStatus
from cronzimus.services.events import Announce, unannounced
from cronzimus.services.life import Meter, is_over

_SQL = queries("cronzimus.services.sql", "processes.sql")
_LOG = get_logger(__name__)
_LOOK_AGAIN_SECONDS = 0.2
_FORGOTTEN_AFTER = timedelta(days=1)


def _nothing() -> None:
    return None


class Life:
    """One boot of a process under its name. All may raise DatabaseUnavailable and may then be called again.

    At any moment at most one living boot has a name:

    1. Whoever takes a name, or comes back under it, holds a lock on the name and finds no living rival.
    2. A rival is over when its process is dead (on the same host), or was silent for too long: it is marked `down`,
       unless it was heard while one looked.
    3. A sign of life touches no row that is `down`. So who was thought dead finds out, and has to go through 1 again.
    """

    def __init__(
        self,
        database: Database,
        me: Presence,
        *,
        running: Callable[[], Sequence[UUID]] = tuple,
        announce: Announce = unannounced,
        every_seconds: float = 3.0,
        timeout_seconds: float = 15.0,
        on_drain: Callable[[], None] = _nothing,
        on_displaced: Callable[[], None] = _nothing,
    ) -> None:
        """`on_drain` is called once when somebody wants it to drain, `on_displaced` once when its name is taken."""
        self.me = me
        self._database, self._running, self._announce = database, running, announce
        self._every_seconds, self._silence = every_seconds, timedelta(seconds=timeout_seconds)
        self._on_drain, self._on_displaced = on_drain, on_displaced
        self._status = WorkerStatus.ALIVE
        self._meter = Meter()
        self._rival: Rival | None = None
        self.arrived = self._told_to_drain = self.displaced = False

    def arrive(self) -> float | None:
        """Take the name: None once it is ours, else the seconds until it is worth another try.

        Raises Conflict WORKER_ID_IN_USE when another life of that name is heard meanwhile.
        """
        rival = self._take_name()
        if rival is None:
            return None
        before, self._rival = self._rival, rival
        if before is None or before.boot_id != rival.boot_id:
            _LOG.warning("The name {} was used by {}; waiting for a sign of life", self.me.id, _who(rival))
        elif rival.heartbeat_at > before.heartbeat_at:
            raise Conflict(
                f"the name {self.me.id!r} is in use: {_who(rival)} lives; give this process another worker_id",
                code="WORKER_ID_IN_USE",
            )
        return _LOOK_AGAIN_SECONDS

    def step(self) -> float:
        """Say that one is there and notice who is not; seconds until the next time."""
        if not self.displaced:
            self._say()
        for (worker_id,) in self._database.fetch_all(_SQL["miss"], {"silence": self._silence}):
            self._tell(worker_id, WorkerStatus.DOWN)
        self._database.execute(_SQL["forget"], {"after": _FORGOTTEN_AFTER})
        return self._every_seconds

    def drain(self) -> None:
        """From the next sign of life on one is about to leave."""
        self._status = WorkerStatus.DRAINING

    def leave(self) -> None:
        """Say goodbye."""
        if self._database.execute(_SQL["leave"], {"boot_id": self.me.boot_id}):
            self._tell(self.me.id, WorkerStatus.DOWN)

    def _say(self) -> None:
        heard = self._database.fetch_one(_SQL["beat"], self._state())
        if heard is not None:
            self._hear(bool(heard[0]))
        elif (rival := self._take_name()) is not None and self.arrived:
            self.displaced = True
            _LOG.critical("The name {} was taken over by {}: this process ends", self.me.id, _who(rival))
            self._on_displaced()

    def _take_name(self) -> Rival | None:
        """None when the name is ours from now on, else who has it."""
        with self._database.transaction():
            self._database.execute(_SQL["hold_name"], {"id": self.me.id})
            while (rival := self._living_rival()) is not None:
                over = rival.is_silent or (rival.host == self.me.host and is_over(rival.pid))
                if not over or not self._displace(rival):
                    return rival
            (drain,) = self._database.fetch_one(_SQL["arrive"], self._birth()) or (False,)
        self.arrived = True
        self._tell(self.me.id, self._status)
        self._hear(bool(drain))
        return None

    def _living_rival(self) -> Rival | None:
        params = {"id": self.me.id, "boot_id": self.me.boot_id, "silence": self._silence}
        return self._database.fetch_one(_SQL["rival"], params, row=Rival)

    def _displace(self, rival: Rival) -> bool:
        params = {"boot_id": rival.boot_id, "heartbeat_at": rival.heartbeat_at}
        return self._database.execute(_SQL["displace"], params) == 1

    def _hear(self, drain: bool) -> None:
        if drain and not self._told_to_drain:
            self._on_drain()
            self._told_to_drain = True

    def _state(self) -> dict[str, Any]:
        runs = self._running()
        load = json.dumps(asdict(self._meter.read(runs)))
        return {
            "boot_id": self.me.boot_id,
            "running": len(runs),
            "load": load,
            "status": self._status,
        }

    def _birth(self) -> dict[str, Any]:
        lists = {name: json.dumps(getattr(self.me, name)) for name in ("roles", "takes", "kinds", "queues")}
        return {**asdict(self.me), **lists, "labels": json.dumps(dict(self.me.labels)), **self._state()}

    def _tell(self, worker_id: str, status: WorkerStatus) -> None:
        self._announce(Event(Topic.WORKER, worker_id, state=status))


def _who(rival: Rival) -> str:
    return f"process {rival.pid} on {rival.host}"
