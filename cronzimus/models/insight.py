"""What the pages count: the house at a glance, and how one job has fared."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from cronzimus.models.run import Cause, RunState


@dataclass(frozen=True, slots=True)
class RunningNow:
    """A run under way; `usual_seconds` is the median of its job's last successes."""

    id: UUID
    job_id: str
    cause: Cause
    started_at: datetime
    worker_id: str | None
    attempt: int
    max_attempts: int
    metrics: dict[str, Any] | None
    usual_seconds: float | None


@dataclass(frozen=True, slots=True)
class Upcoming:
    """The next due instant of a job."""

    job_id: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that went wrong."""

    id: UUID
    job_id: str
    state: RunState
    cause: Cause
    ended_at: datetime
    attempt: int
    max_attempts: int
    error: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Hour:
    """What was decided, and what failed, in the hour from `start` on."""

    start: datetime
    fired: int = 0
    skipped: int = 0
    missed: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Leader:
    """The last holder of the term; `leads` is false when nobody leads now."""

    name: str
    epoch: int
    leads: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """The house at a glance."""

    jobs: dict[str, int]
    waiting: int
    running_count: int
    running: tuple[RunningNow, ...]
    upcoming_count: int
    upcoming: tuple[Upcoming, ...]
    failures: tuple[Failure, ...]
    hours: tuple[Hour, ...]
    leader: Leader | None
    processes: dict[str, int]
    open_alerts: int


@dataclass(frozen=True, slots=True)
class RecentRun:
    """A run as a sparkline needs it."""

    id: UUID
    job_id: str
    state: RunState
    due_at: datetime | None
    queued_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Day:
    """How the runs queued on one UTC day ended, by state; at most the latest few hundred are looked at."""

    day: date
    states: dict[str, int] = field(default_factory=dict)
