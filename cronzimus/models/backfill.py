"""A backfill: due instants of the past that are to run, or to run again."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from cronzimus.models.trigger import Moment

MOST_INSTANTS = 10_000


class Was(StrEnum):
    """What became of an instant so far, as far as a backfill cares."""

    MISSING = "missing"
    MISSED = "missed"
    SKIPPED = "skipped"
    COALESCED = "coalesced"
    FAILED = "failed"
    SUCCESS = "success"
    OPEN = "open"
    OFF = "off"


class Outcome(StrEnum):
    """Which instants a backfill takes, by what became of them."""

    MISSING = "missing"
    MISSED = "missed"
    SKIPPED = "skipped"
    COALESCED = "coalesced"
    FAILED = "failed"
    ALL = "all"


class BackfillState(StrEnum):
    """Where a backfill stands; the last two are final."""

    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"


class BackfillRequest(BaseModel):
    """Which instants of a job are to run, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    job_id: str = Field(max_length=63)
    begins: Moment = Field(alias="from", description="first instant; UTC when it names no offset")
    ends: Moment = Field(alias="to", description="last instant; what has not come yet is left alone")
    outcomes: Annotated[tuple[Outcome, ...], Field(min_length=1, max_length=6)] = (
        Outcome.MISSING,
        Outcome.MISSED,
        Outcome.FAILED,
    )
    max_running: int = Field(default=1, ge=1, le=100, strict=True, description="runs of it at one time")
    reverse: bool = Field(default=False, strict=True, description="the latest instant first")
    params: dict[str, JsonValue] | None = Field(default=None, description="replace parameters for these runs")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if (self.begins.tzinfo is None) == (self.ends.tzinfo is None) and self.ends < self.begins:
            raise ValueError("to lies before from")
        return self

    def takes(self, was: Was) -> bool:
        """Whether an instant with this past is to run; never one that is off or has an open run."""
        if was in (Was.OPEN, Was.OFF):
            return False
        return Outcome.ALL in self.outcomes or was.value in self.outcomes


@dataclass(frozen=True, slots=True)
class Item:
    """One due instant to run, and what became of it before."""

    due_at: datetime
    was: Was


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a backfill would run, in its order; `seconds` is how long that may take, None before any run ended."""

    items: tuple[Item, ...]
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Backfill:
    """One row of `backfills` with its progress; `run_seconds` is the mean length of its runs so far."""

    id: UUID
    job_id: str
    job_version: int
    from_at: datetime
    to_at: datetime
    outcomes: list[str]
    max_running: int
    reverse: bool
    params: dict[str, Any] | None
    state: BackfillState
    created_by: str
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    total: int
    done: int
    failed: int
    running: int
    run_seconds: float | None

    @property
    def left(self) -> int:
        """Instants that no run was opened for."""
        return self.total - self.done - self.failed - self.running

    @property
    def eta_seconds(self) -> float | None:
        """How long the rest may take at this pace; None while that is not known, or nothing moves."""
        if self.state != BackfillState.RUNNING or self.run_seconds is None:
            return None
        return (self.left + self.running) * self.run_seconds / self.max_running


@dataclass(frozen=True, slots=True)
class BackfillItem:
    """One instant of a backfill with its run, once there is one."""

    due_at: datetime
    was: str
    run_id: UUID | None
    state: str | None
