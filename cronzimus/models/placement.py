"""Where the runs of a job may execute, and who chooses among several places."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

LabelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_./-]{0,62}$")]
LabelValue = Annotated[str, StringConstraints(max_length=200)]
WorkerName = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Spread(StrEnum):
    """How many runs one firing comes to: one, one on each live worker, or one for each part of the work."""

    ONE = "one"
    BROADCAST = "broadcast"
    SHARD = "shard"


class Strategy(StrEnum):
    """How one of several workers is chosen: by turns, by load, or who last succeeded with the job."""

    ROUND_ROBIN = "round_robin"
    LOAD_BASED = "load_based"
    TASK_TYPE_AFFINITY = "task_type_affinity"


class Placement(BaseModel):
    """Which workers may take the runs of a job; an empty one lets every worker that knows its kind."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    strategy: Strategy | None = Field(
        default=None, description="how one of several workers is chosen; unset: as dispatcher.strategy says"
    )
    worker: WorkerName | None = Field(default=None, description="the only worker that may take it")
    labels: Annotated[dict[LabelName, LabelValue], Field(max_length=20)] = Field(
        default_factory=dict, description="labels a worker must have"
    )
    spread: Spread = Field(
        default=Spread.ONE, description="one run, a run on each live worker, or a run for each shard"
    )
    shards: Annotated[int, Field(ge=2, le=1000, strict=True)] | None = Field(
        default=None, description="into how many parts the work is cut; for spread: shard"
    )

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        if (self.shards is None) == (self.spread is Spread.SHARD):
            raise ValueError("shards: give a number with spread: shard, and only there")
        if self.worker is not None and self.spread is Spread.BROADCAST:
            raise ValueError("worker: a broadcast goes to every worker; give labels to choose among them")
        return self
