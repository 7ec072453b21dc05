"""What a job is: the document people write, and the row it becomes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator

from cronzimus.models.kinds import PARAMS, Kind, call_of, function_of
from cronzimus.models.policy import Policy
from cronzimus.models.schedule import Schedule, compile_schedule
from cronzimus.models.trigger import Trigger, ZoneName

SLUG = r"^[a-z0-9][a-z0-9_-]{0,62}$"

JobId = Annotated[str, StringConstraints(pattern=SLUG)]
Tag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,62}$")]


class RunsOn(StrEnum):
    """Where the runs of a job execute."""

    SCHEDULER = "scheduler"
    WORKERS = "workers"


class JobStatus(StrEnum):
    """`broken` is set by the system: the definition cannot be loaded; it is kept, shown and counted."""

    ACTIVE = "active"
    PAUSED = "paused"
    FINISHED = "finished"
    BROKEN = "broken"


class Source(StrEnum):
    """Which door a definition came through; a row written by the API wins over a file, a file over code."""

    CODE = "code"
    FILE = "file"
    API = "api"


class JobDefinition(BaseModel):
    """The document that defines a job; REST, jobs.yaml, the CLI and `JobFactory` all speak it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    id: JobId = Field(description="a slug, unique in the house")
    kind: Kind = Field(default=Kind.FUNCTION, description="what the job does")
    params: dict[str, Any] = Field(
        default_factory=dict, validate_default=True, description="what the kind needs"
    )
    trigger: Trigger | Annotated[tuple[Trigger, ...], Field(min_length=1, max_length=20)]
    timezone: ZoneName = Field(default="UTC", description="zone of every trigger that names none")
    policy: Policy = Field(default_factory=Policy)
    runs_on: RunsOn = Field(default=RunsOn.SCHEDULER)
    queue: Annotated[str, StringConstraints(pattern=SLUG)] = "default"
    priority: int = Field(default=0, ge=-100, le=100, strict=True, description="higher goes first")
    tags: Annotated[tuple[Tag, ...], Field(max_length=20)] = ()
    description: Annotated[str, StringConstraints(max_length=2000)] = ""

    @field_validator("params")
    @classmethod
    def _params_suit_the_kind(cls, params: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        kind = info.data.get("kind")
        if kind is not None:
            PARAMS[kind].model_validate(params)
        return params

    @property
    def triggers(self) -> tuple[Trigger, ...]:
        """The triggers as a tuple, however many were written."""
        return self.trigger if isinstance(self.trigger, tuple) else (self.trigger,)

    @property
    def function(self) -> str:
        """Import path of the function that carries the job out."""
        return function_of(self.kind, self.params)

    @property
    def call(self) -> tuple[list[Any], dict[str, Any]]:
        """Positional and keyword arguments of the function."""
        return call_of(self.kind, self.params)

    @cached_property
    def schedule(self) -> Schedule:
        """The due instants of all triggers together."""
        return compile_schedule(self.triggers, job_id=self.id, timezone=self.timezone)

    def document(self) -> dict[str, Any]:
        """The definition as plain JSON data, defaults included."""
        return self.model_dump(mode="json", by_alias=True)


@dataclass(frozen=True, slots=True)
class Job:
    """One row of `jobs`: a definition and where it stands."""

    id: str
    definition: dict[str, Any]
    status: JobStatus
    status_reason: str | None
    source: Source
    version: int
    next_due_at: datetime | None
    created_at: datetime
    updated_at: datetime
