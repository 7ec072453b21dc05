"""Workers: every process of the house, what it is for and how it stands."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field

from cronzimus.api.answers import Answer, AnswerPage
from cronzimus.api.queries import PageQuery
from cronzimus.api.security import needs
from cronzimus.api.support import blueprint, house, page_of
from cronzimus.models.worker import Takes, WorkerRole, WorkerStatus

api = blueprint("workers")


class WorkerView(Answer):
    """A process of the house."""

    id: str
    boot_id: UUID
    replica: str
    host: str
    pid: int
    roles: list[WorkerRole]
    kinds: list[str]
    queues: list[str]
    labels: dict[str, Any]
    capacity: int
    running: int
    status: WorkerStatus
    leads: bool
    version: str
    started_at: datetime
    heartbeat_at: datetime
    silent_seconds: float
    takes: list[Takes]
    load: dict[str, Any]
    drain_requested_at: datetime | None


class WorkerPage(AnswerPage):
    """Processes, the leader first."""

    items: list[WorkerView]


class WorkerQuery(PageQuery):
    """Which processes."""

    status: WorkerStatus | None = Field(default=None, description="how it stands")
    role: WorkerRole | None = Field(default=None, description="what it is there for")


class WorkerPath(BaseModel):
    """A worker in the path."""

    worker_id: Annotated[str, Field(max_length=200), BeforeValidator(str)]


@api.get("/workers", responses={200: WorkerPage})
@needs("read")
def list_workers(query: WorkerQuery) -> tuple[Any, ...]:
    """List processes, the leader first, the dead last."""
    return page_of(house().operating.processes.list(**dict(query)), asdict)


@api.get("/workers/<worker_id>", responses={200: WorkerView})
@needs("read")
def get_worker(path: WorkerPath) -> dict[str, Any]:
    """One process; of several that had the name, the one that lives."""
    return asdict(house().operating.processes.get(path.worker_id))


@api.post("/workers/<worker_id>/drain", responses={200: WorkerView})
@needs("operate")
def drain_worker(path: WorkerPath) -> dict[str, Any]:
    """Let a worker take no more runs of workers; one that takes no others finishes what runs and ends."""
    return asdict(house().operating.processes.drain(path.worker_id))
