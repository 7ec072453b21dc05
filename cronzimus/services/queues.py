"""Queues: halted and let go by people; every one is active until somebody says otherwise."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from cronzimus.common.arrays import array
from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.errors import NotFound
from cronzimus.models.page import Page
from cronzimus.models.queue import Queue, QueueStatus
from cronzimus.models.run import Offer
from cronzimus.services.audit import Audit
from cronzimus.services.upkeep import OfferRuns
from cronzimus.utils.env import did_you_mean

_SQL = queries("cronzimus.services.sql", "queues.sql")
_MOST_OFFERED = 1_000
_ACTIONS = {QueueStatus.PAUSED: "pause", QueueStatus.DRAINING: "drain", QueueStatus.ACTIVE: "resume"}


class Halt(NamedTuple):
    """What became of a queue that is not active, and when."""

    status: QueueStatus
    changed_at: datetime


class Queues:
    """Look, pause, drain, resume. All may raise DatabaseUnavailable, all but `list` NotFound QUEUE_NOT_FOUND.

    1. No round of the dispatcher goes on meanwhile; from the commit on no claim and no round lets start what the
       queue holds.
    2. In the same transaction what it held and holds no more is let go, so that the dispatcher need not find it.
    3. After the commit the dispatcher is woken, and plain runs are offered again to the pool of this process; what it
       does not take in, the upkeep of the leader offers.
    """

    def __init__(self, database: Database, offer: OfferRuns) -> None:
        self._database = database
        self._offer = offer
        self._audit = Audit(database)

    def list(self, *, limit: int = 50, offset: int = 0) -> Page[Queue]:
        """One page of queues by name."""
        rows = self._database.fetch_all(_SQL["page"], {"name": None, "limit": limit, "offset": offset})
        total = rows[0][-1] if rows else len(self._names()) if offset else 0
        return Page(tuple(_queue(row) for row in rows), total, limit, offset)

    def get(self, name: str) -> Queue:
        """One queue, as long as anything has its name."""
        row = self._database.fetch_one(_SQL["page"], {"name": name, "limit": 1, "offset": 0})
        if row is None:
            hint = did_you_mean(name, self._names())
            raise NotFound(f"no job and no run has a queue {name!r}{hint}", code="QUEUE_NOT_FOUND")
        return _queue(row)

    def pause(self, name: str, *, by: str) -> Queue:
        """From now on nothing of it starts; what runs goes on."""
        return self._turn(name, QueueStatus.PAUSED, by)

    def drain(self, name: str, *, by: str) -> Queue:
        """What is there still starts, what comes later waits until it is resumed."""
        return self._turn(name, QueueStatus.DRAINING, by)

    def resume(self, name: str, *, by: str) -> Queue:
        """Everything starts again, what waited longest first."""
        return self._turn(name, QueueStatus.ACTIVE, by)

    def _turn(self, name: str, status: QueueStatus, by: str) -> Queue:
        """A queue that stands so already is left alone: the moment of a drain is that of the first."""
        with self._database.transaction():
            before = self.get(name).status
            self._database.execute(_SQL["alone"])
            (locked,) = self._database.fetch_one(_SQL["status"], {"name": name}) or (before,)
            if locked != status:
                self._database.execute(_SQL["put"], {"name": name, "status": status, "by": by})
                self._database.execute(_SQL["let_go"], {"name": name})
                self._audit.record(
                    f"queue.{_ACTIONS[status]}",
                    f"queue/{name}",
                    before={"status": locked},
                    after={"status": status},
                )
                self._database.execute(_SQL["notify"])
                self._database.after_commit(lambda: self._offer_plain(name))
        return self.get(name)

    def _offer_plain(self, name: str) -> None:
        rows = self._database.fetch_all(_SQL["plain"], {"name": name, "limit": _MOST_OFFERED})
        if rows:
            self._offer([Offer(*row) for row in rows])

    def _names(self) -> tuple[str, ...]:
        return tuple(name for (name,) in self._database.fetch_all(_SQL["names"]))


def halted_among(database: Database, names: Iterable[str]) -> dict[str, Halt]:
    """How those of the queues stand that are halted."""
    rows = database.fetch_all(_SQL["halted"], {"names": array(sorted(names))})
    return {name: Halt(QueueStatus(status), changed_at) for name, status, changed_at in rows}


def _queue(row: tuple[object, ...]) -> Queue:
    name, status, *rest = row[:-1]
    return Queue(str(name), QueueStatus(str(status)), *rest)  # type: ignore[arg-type]
