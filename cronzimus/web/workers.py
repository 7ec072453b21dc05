"""The workers page: every process of the house."""

from dataclasses import dataclass

from cronzimus.api.security import needs
from cronzimus.api.support import V1, house
from cronzimus.api.workers import WorkerQuery
from cronzimus.models.worker import Worker
from cronzimus.web.room import Answer, address, live, page, query_of, room

pages = room("workers")


@dataclass(frozen=True, slots=True)
class Row:
    """A process and how full it is, from 0 to 1; None when it executes nothing."""

    worker: Worker
    load: float | None


@pages.get("/workers")
@live
@needs("read")
def show_workers() -> Answer:
    """Every process, the leader first."""
    query = query_of(WorkerQuery)
    found = house().operating.processes.list(**dict(query))
    return page(
        "workers.html",
        twin=address(f"{V1}/workers", **dict(query)),
        topics="worker leader run",
        query=query,
        found=found,
        href=lambda offset: address("/workers", **{**dict(query), "offset": offset}),
        rows=[Row(worker, _load(worker)) for worker in found.items],
    )


def _load(worker: Worker) -> float | None:
    return min(1.0, worker.running / worker.capacity) if worker.capacity else None
