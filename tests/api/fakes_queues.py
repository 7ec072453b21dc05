"""Queues and pools in memory, with the signatures of the real ones."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cronzimus.errors import Conflict, NotFound
from cronzimus.models.page import Page
from cronzimus.models.queue import Queue, QueueStatus, StoredPool
from cronzimus.models.run import Run

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def a_queue(name: str = "etl", **fields: Any) -> Queue:
    """A queue in which two runs wait and one executes."""
    return replace(Queue(name, QueueStatus.ACTIVE, 3, 2, 0, 1, None, None, None), **fields)


def a_pool(name: str = "db", **fields: Any) -> StoredPool:
    """A pool of five slots, of which two are taken."""
    return replace(StoredPool(name, 5, "the replica", 2, 1, "ann", NOW, NOW), **fields)


def page(items: list[Any], limit: int, offset: int) -> Page[Any]:
    """One page of what there is."""
    return Page(tuple(items[offset : offset + limit]), len(items), limit, offset)


class FakeQueues:
    """Queues in a dictionary; each look at one that drains finds a run less."""

    def __init__(self) -> None:
        self.stored = {"etl": a_queue("etl"), "web": a_queue("web", status=QueueStatus.PAUSED, held=2)}

    def list(self, *, limit: int = 50, offset: int = 0) -> Page[Queue]:
        return page([one for _, one in sorted(self.stored.items())], limit, offset)

    def get(self, name: str) -> Queue:
        if name not in self.stored:
            raise NotFound(f"no job and no run has a queue {name!r}", code="QUEUE_NOT_FOUND")
        found = self.stored[name]
        if found.left:
            self.stored[name] = replace(found, left=found.left - 1)
        return found

    def pause(self, name: str, *, by: str) -> Queue:
        return self._turn(name, QueueStatus.PAUSED, by, None)

    def drain(self, name: str, *, by: str) -> Queue:
        return self._turn(name, QueueStatus.DRAINING, by, 2)

    def resume(self, name: str, *, by: str) -> Queue:
        return self._turn(name, QueueStatus.ACTIVE, by, None)

    def _turn(self, name: str, status: QueueStatus, by: str, left: int | None) -> Queue:
        turned = replace(self.get(name), status=status, changed_by=by, changed_at=NOW, left=left)
        self.stored[name] = turned
        return turned


class FakeSlotPools:
    """Pools in a dictionary; jobs need the one that is called `used`."""

    def __init__(self) -> None:
        self.stored = {"db": a_pool("db"), "used": a_pool("used")}

    def list(self, *, limit: int = 50, offset: int = 0) -> Page[StoredPool]:
        return page([one for _, one in sorted(self.stored.items())], limit, offset)

    def get(self, name: str) -> StoredPool:
        if name not in self.stored:
            raise NotFound(f"there is no pool {name!r}", code="POOL_NOT_FOUND")
        return self.stored[name]

    def define(self, name: str, slots: int, *, by: str, description: str | None = None) -> StoredPool:
        known = self.stored.get(name, a_pool(name, description="", taken=0, waiting=0))
        kept = known.description if description is None else description
        self.stored[name] = replace(known, slots=slots, description=kept, changed_by=by)
        return self.stored[name]

    def remove(self, name: str, *, by: str) -> None:
        self.get(name)
        if name == "used":
            raise Conflict("pool 'used' is used by job hourly", code="POOL_IN_USE")
        del self.stored[name]


class FakeHolds:
    """Says what it was told to say of runs."""

    def __init__(self) -> None:
        self.told: dict[UUID, str] = {}

    def of(self, runs: Iterable[Run]) -> dict[UUID, str]:
        return {run.id: self.told[run.id] for run in runs if run.id in self.told}
