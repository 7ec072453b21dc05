"""A run, its attempts, and which state may follow which."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class RunState(StrEnum):
    """Where a run stands; the last six are final."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    PARTIAL = "partial"
    FAILED = "failed"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    LOST = "lost"


class Cause(StrEnum):
    """What started a run."""

    SCHEDULE = "schedule"
    MANUAL = "manual"
    DEPENDENCY = "dependency"
    RETRY = "retry"
    BACKFILL = "backfill"


class ErrorCategory(StrEnum):
    """`BUSINESS` fails at once; `SYSTEM` and `TIMEOUT` may be tried again."""

    BUSINESS = "BUSINESS"
    SYSTEM = "SYSTEM"
    TIMEOUT = "TIMEOUT"


OPEN = frozenset({RunState.PENDING, RunState.RUNNING})
TERMINAL = frozenset(RunState) - OPEN

TRANSITIONS: dict[RunState, frozenset[RunState]] = {
    RunState.PENDING: frozenset({RunState.RUNNING, RunState.CANCELLED}),
    RunState.RUNNING: TERMINAL | {RunState.PENDING},
    **{state: frozenset() for state in TERMINAL},
}


def may_become(current: RunState, following: RunState) -> bool:
    """Whether a run in `current` may move to `following`."""
    return following in TRANSITIONS[current]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a run on one worker."""

    run_id: UUID
    attempt: int
    worker_id: str
    started_at: datetime
    ended_at: datetime | None
    state: RunState
    error: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Run:
    """One row of `runs`: what a firing or a person started."""

    id: UUID
    job_id: str
    job_version: int
    due_at: datetime | None
    cause: Cause
    state: RunState
    attempt: int
    max_attempts: int
    priority: int
    queue: str
    worker_id: str | None
    lease_until: datetime | None
    not_before: datetime | None
    cancel_requested_at: datetime | None
    params: dict[str, Any] | None
    queued_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    result: Any
    error: dict[str, Any] | None
    metrics: dict[str, Any] | None
    trace_id: str
    parent_run_id: UUID | None
    code_revision: str | None
    dispatched_at: datetime | None = None
    held_by: str | None = None
    part: int | None = None
    parts: int | None = None
    inputs: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """A run somebody should claim, not before the moment given (None: now).

    One of a `backfill` is in a lane of its own: it takes a share of the places, and only what live runs leave.
    A `gated` one is for the dispatcher to give away. Each point of `priority` puts it a minute before others.
    """

    run_id: UUID
    not_before: datetime | None
    backfill: bool = False
    gated: bool = False
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """A run this worker holds: everything needed to execute one attempt of it.

    Of a run that is cut into `parts` it is number `part`, from 0; `inputs` names the run of each job it depends on.
    """

    run_id: UUID
    job_id: str
    job_version: int
    attempt: int
    max_attempts: int
    cause: Cause
    due_at: datetime | None
    params: dict[str, Any] | None
    trace_id: str
    part: int | None = None
    parts: int | None = None
    inputs: dict[str, Any] | None = None
    gated: bool = False

    @property
    def backfill(self) -> bool:
        """Whether it belongs to the lane of backfills."""
        return self.cause == Cause.BACKFILL


@dataclass(frozen=True, slots=True)
class Held:
    """One attempt this worker believes to hold."""

    run_id: UUID
    attempt: int


@dataclass(frozen=True, slots=True)
class Ended:
    """How one attempt ended; with `retry_in` (seconds) the run goes back to `pending` instead of ending."""

    run_id: UUID
    attempt: int
    state: RunState
    started_at: datetime
    ended_at: datetime
    result: Any = None
    error: dict[str, Any] | None = None
    metrics: dict[str, Any] | None = None
    retry_in: float | None = None
    costs_attempt: bool = True
    job_id: str | None = None
    gated: bool = False


@dataclass(frozen=True, slots=True)
class Exchange:
    """What one round with the ledger brought: runs claimed, and runs to offer again later."""

    claimed: tuple[Claim, ...]
    retries: tuple[Offer, ...]


@dataclass(frozen=True, slots=True)
class Renewal:
    """What the ledger answered to a heartbeat: attempts no longer ours, and attempts somebody wants cancelled."""

    lost: frozenset[UUID]
    cancelled: frozenset[UUID]


def session_name(job_id: str, run_id: object) -> str:
    """The `application_name` of a run's database sessions; PostgreSQL keeps 63 bytes, and the run id must survive."""
    return f"cronzimus:{job_id[:16]}:{run_id}"[:63]
