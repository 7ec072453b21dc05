"""Queues: how each stands, and what lets it start runs or not."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field

from cronzimus.api.answers import Answer, AnswerPage
from cronzimus.api.queries import PageQuery
from cronzimus.api.security import caller, needs
from cronzimus.api.slugs import AnySlug, slug_of
from cronzimus.api.support import blueprint, house, page_of
from cronzimus.models.queue import QueueStatus

api = blueprint("queues")


class QueueView(Answer):
    """A queue and what goes on in it."""

    name: str
    status: QueueStatus
    jobs: int = Field(description="jobs whose runs go through it")
    waiting: int = Field(description="runs that have not started")
    held: int = Field(description="those of them that wait for something that is not theirs yet")
    running: int
    left: int | None = Field(description="of a queue that drains: runs from before that have not ended")
    changed_by: str | None
    changed_at: datetime | None


class QueuePage(AnswerPage):
    """Queues by name."""

    items: list[QueueView]


class QueuePath(BaseModel):
    """A queue in the path."""

    queue: Annotated[str, BeforeValidator(slug_of("queue", "QUEUE_NOT_FOUND")), AnySlug]


@api.get("/queues", responses={200: QueuePage})
@needs("read")
def list_queues(query: PageQuery) -> tuple[Any, ...]:
    """List queues by name."""
    return page_of(house().operating.queues.list(limit=query.limit, offset=query.offset), asdict)


@api.get("/queues/<queue>", responses={200: QueueView})
@needs("read")
def get_queue(path: QueuePath) -> dict[str, Any]:
    """One queue."""
    return asdict(house().operating.queues.get(path.queue))


@api.post("/queues/<queue>/pause", responses={200: QueueView})
@needs("operate")
def pause_queue(path: QueuePath) -> dict[str, Any]:
    """Let nothing of it start; what runs goes on."""
    return asdict(house().operating.queues.pause(path.queue, by=caller()))


@api.post("/queues/<queue>/drain", responses={200: QueueView})
@needs("operate")
def drain_queue(path: QueuePath) -> dict[str, Any]:
    """Let start what is there, and nothing that comes later."""
    return asdict(house().operating.queues.drain(path.queue, by=caller()))


@api.post("/queues/<queue>/resume", responses={200: QueueView})
@needs("operate")
def resume_queue(path: QueuePath) -> dict[str, Any]:
    """Let everything start again."""
    return asdict(house().operating.queues.resume(path.queue, by=caller()))
