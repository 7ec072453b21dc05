"""The ledger's nouns: one job, one due instant, one decision."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Decision(StrEnum):
    """What became of a due instant."""

    FIRED = "fired"
    COALESCED = "coalesced"
    SKIPPED = "skipped"
    MISSED = "missed"


class Reason(StrEnum):
    """Why a due instant did not start a run."""

    OVERLAP = "overlap"
    MISFIRE = "misfire"
    CATCH_UP = "catch_up"
    CALENDAR = "calendar"
    BLACKOUT = "blackout"
    PAUSED = "paused"
    BROKEN = "broken"
    SUPERSEDED = "superseded"
    DEPENDENCY_FAILED = "dependency_failed"
    BUDGET = "budget"


@dataclass(frozen=True, slots=True)
class Firing:
    """One row of `firings`; `instants` > 1 summarises every due instant from `first_due_at` to `due_at`.

    `note` says what time off has to do with it: the day off, the blackout, where it moved to or from.
    """

    job_id: str
    due_at: datetime
    first_due_at: datetime
    instants: int
    decision: Decision
    reason: Reason | None
    run_id: UUID | None
    epoch: int
    decided_by: str
    decided_at: datetime
    job_version: int
    note: str | None = None
