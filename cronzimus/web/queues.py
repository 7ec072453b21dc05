"""Queues and pools: what lets runs start, and what they wait for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from flask import request
from werkzeug.wrappers import Response

from cronzimus.api.pools import PoolBody, PoolPath
from cronzimus.api.queries import PageQuery
from cronzimus.api.queues import QueuePath
from cronzimus.api.security import caller, needs
from cronzimus.api.support import V1, house
from cronzimus.errors import Conflict, CronzimusError, Invalid
from cronzimus.models.queue import Queue, QueueStatus, StoredPool
from cronzimus.web.forms import check_form, done
from cronzimus.web.room import Answer, address, live, page, query_of, room

pages = room("queues")

_HERE: Final = "/queues"
_POOLS: Final = 200
_EMPTY: Final[Mapping[str, str]] = {"name": "", "slots": "", "description": ""}


@dataclass(frozen=True, slots=True)
class PoolRow:
    """A pool and how full it is, from 0 to 1; one that shrank is full."""

    pool: StoredPool
    share: float


@pages.get("/queues")
@live
@needs("read")
def show_queues() -> Answer:
    """Every queue and every pool."""
    return _page(_EMPTY)


@pages.post("/queues/<queue>/pause")
@needs("operate")
def pause_queue(queue: str) -> Response:
    """Let nothing of it start."""
    check_form()
    found = house().operating.queues.pause(_known(queue), by=caller())
    return done(f"The queue {found.name} is paused; what runs goes on", _HERE)


@pages.post("/queues/<queue>/drain")
@needs("operate")
def drain_queue(queue: str) -> Response:
    """Let start what is there, and nothing that comes later."""
    check_form()
    found = house().operating.queues.drain(_known(queue), by=caller())
    return done(f"The queue {found.name} is drained; what comes now waits", _HERE)


@pages.post("/queues/<queue>/resume")
@needs("operate")
def resume_queue(queue: str) -> Response:
    """Let everything start again."""
    check_form()
    found = house().operating.queues.resume(_known(queue), by=caller())
    return done(f"The queue {found.name} goes on", _HERE)


@pages.post("/pools")
@needs("admin")
def set_pool() -> Response | tuple[Answer, int]:
    """A new pool, or another size for one."""
    check_form()
    said = {name: request.form.get(name, "").strip() for name in _EMPTY}
    try:
        body = _body(said)
        name = PoolPath.model_validate({"pool": said["name"]}).pool
        found = house().operating.slot_pools.define(
            name, body.slots, by=caller(), description=body.description
        )
    except (CronzimusError, ValueError) as refused:
        if isinstance(refused, CronzimusError) and refused.code not in ("POOL_NOT_FOUND", Invalid.code):
            raise
        return _page(said, refused=_mistake(said, refused)), 422
    return done(f"The pool {found.name} has {found.slots} slots", _HERE)


@pages.post("/pools/<pool>/delete")
@needs("admin")
def delete_pool(pool: str) -> Response | tuple[Answer, int]:
    """Remove a pool that no job needs."""
    check_form()
    name = PoolPath.model_validate({"pool": pool}).pool
    try:
        house().operating.slot_pools.remove(name, by=caller())
    except Conflict as refused:
        return _page(_EMPTY, refused=refused.message), 409
    return done(f"The pool {name} is gone", _HERE)


def bar_of(pool: StoredPool) -> PoolRow:
    """The pool with its bar; a closed one is full."""
    return PoolRow(pool, min(1.0, pool.taken / pool.slots) if pool.slots else 1.0)


def verbs_of(queue: Queue) -> tuple[str, ...]:
    """What can be done with a queue as it stands."""
    if queue.status is QueueStatus.ACTIVE:
        return ("pause", "drain")
    return ("resume", "drain" if queue.status is QueueStatus.PAUSED else "pause")


def _page(said: Mapping[str, str], *, refused: str = "") -> str:
    query = query_of(PageQuery) if request.method == "GET" else PageQuery()
    found = house().operating.queues.list(limit=query.limit, offset=query.offset)
    pools = house().operating.slot_pools.list(limit=_POOLS)
    return page(
        "queues.html",
        twin=address(f"{V1}/queues", **dict(query)),
        topics="run job",
        found=found,
        rows=[(queue, verbs_of(queue)) for queue in found.items],
        href=lambda offset: address(_HERE, limit=query.limit, offset=offset),
        pools=[bar_of(pool) for pool in pools.items],
        pools_total=pools.total,
        said=said,
        refused=refused,
    )


def _body(said: Mapping[str, str]) -> PoolBody:
    slots: object = (
        int(said["slots"]) if said["slots"].isascii() and said["slots"].isdigit() else said["slots"]
    )
    return PoolBody.model_validate({"slots": slots, "description": said["description"] or None})


def _mistake(said: Mapping[str, str], refused: Exception) -> str:
    return str(refused) if said["name"] else "name: is required"


def _known(queue: str) -> str:
    return QueuePath.model_validate({"queue": queue}).queue
