"""Pools: how many slots there are for the runs that take them."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints

from cronzimus.api.answers import Answer, AnswerPage
from cronzimus.api.queries import PageQuery
from cronzimus.api.security import caller, needs
from cronzimus.api.slugs import AnySlug, slug_of
from cronzimus.api.support import Body, blueprint, house, page_of

api = blueprint("pools")


class PoolView(Answer):
    """A pool and who takes of it."""

    name: str
    slots: int = Field(description="how many there are; a pool of 0 is closed")
    description: str
    taken: int = Field(description="slots of runs that were let start and have not ended")
    waiting: int = Field(description="runs that wait for slots of it")
    changed_by: str
    created_at: datetime
    updated_at: datetime


class PoolPage(AnswerPage):
    """Pools by name."""

    items: list[PoolView]


class PoolPath(BaseModel):
    """A pool in the path."""

    pool: Annotated[str, BeforeValidator(slug_of("pool", "POOL_NOT_FOUND")), AnySlug]


class PoolBody(Body):
    """How large a pool is."""

    slots: int = Field(ge=0, le=1_000_000, strict=True, description="0 closes it")
    description: Annotated[str, StringConstraints(max_length=2000)] | None = Field(
        default=None, description="what it stands for; absent: as it was"
    )


@api.get("/pools", responses={200: PoolPage})
@needs("read")
def list_pools(query: PageQuery) -> tuple[Any, ...]:
    """List pools by name."""
    return page_of(house().operating.slot_pools.list(limit=query.limit, offset=query.offset), asdict)


@api.get("/pools/<pool>", responses={200: PoolView})
@needs("read")
def get_pool(path: PoolPath) -> dict[str, Any]:
    """One pool."""
    return asdict(house().operating.slot_pools.get(path.pool))


@api.put("/pools/<pool>", responses={200: PoolView})
@needs("admin")
def define_pool(path: PoolPath, body: PoolBody) -> dict[str, Any]:
    """A new pool, or another size for one."""
    pools = house().operating.slot_pools
    return asdict(pools.define(path.pool, body.slots, by=caller(), description=body.description))


@api.delete("/pools/<pool>", responses={204: None})
@needs("admin")
def delete_pool(path: PoolPath) -> tuple[str, int]:
    """Remove a pool that no job needs."""
    house().operating.slot_pools.remove(path.pool, by=caller())
    return "", 204
