"""The workers page: every process of the house."""

from dataclasses import dataclass

from werkzeug.wrappers import Response

from cronzimus.api.security import needs
from cronzimus.api.support import V1, house
from cronzimus.api.workers import WorkerPath, WorkerQuery
from cronzimus.models.worker import Takes, Worker, WorkerStatus
from cronzimus.web.forms import check_form, done
from cronzimus.web.room import Answer, address, live, page, query_of, room

pages = room("workers")


@dataclass(frozen=True, slots=True)
class Row:
    """A process and how full it is, from 0 to 1 (None when it executes nothing), and whether it may be drained."""

    worker: Worker
    load: float | None
    drains: bool


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
        rows=[Row(worker, _load(worker), _drains(worker)) for worker in found.items],
        here_again=address("/workers", **dict(query)),
    )


@pages.post("/workers/<worker_id>/drain")
@needs("operate")
def drain_worker(worker_id: str) -> Response:
    """Let it take no more runs of workers."""
    check_form()
    worker = house().operating.processes.drain(WorkerPath(worker_id=worker_id).worker_id)
    said = (
        "takes no more runs of workers" if Takes.SCHEDULER in worker.takes else "finishes what runs, and ends"
    )
    return done(f"{worker.id} {said}", "/workers")


def _drains(worker: Worker) -> bool:
    return worker.status != WorkerStatus.DOWN and Takes.WORKERS in worker.takes


def _load(worker: Worker) -> float | None:
    return min(1.0, worker.running / worker.capacity) if worker.capacity else None
