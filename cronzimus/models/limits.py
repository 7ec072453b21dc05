"""What a run takes while it executes, so that others must wait: a mutex, slots of a pool, a share of a rate."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from cronzimus.models.slug import SLUG

PoolName = Annotated[str, StringConstraints(pattern=SLUG)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Rate(BaseModel):
    """At most `limit` starts in any stretch of `seconds`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    limit: int = Field(ge=1, le=10_000, strict=True, description="starts")
    seconds: float = Field(gt=0, le=86_400, strict=True, description="in any stretch of so many seconds")
    key: Key | None = Field(
        default=None, description="jobs that name the same key share it; unset: the job's own"
    )


class Limits(BaseModel):
    """Of what is limited, how much a run takes; in `mutex` and `rate.key`, `{name}` stands for a parameter's value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mutex: Key | None = Field(default=None, description="no two runs with the same mutex execute at one time")
    pool: PoolName | None = Field(default=None, description="the pool its slots are of")
    slots: int = Field(default=1, ge=1, le=10_000, strict=True, description="slots of the pool one run takes")
    rate: Rate | None = Field(default=None, description="how often runs may start")

    @property
    def any(self) -> bool:
        """Whether anything is limited at all."""
        return self.mutex is not None or self.pool is not None or self.rate is not None

    @model_validator(mode="after")
    def _slots_are_of_a_pool(self) -> Self:
        if self.slots != 1 and self.pool is None:
            raise ValueError("slots: need a pool they are of")
        return self
