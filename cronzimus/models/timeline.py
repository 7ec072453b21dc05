"""Runs across jobs in one stretch of time, as a timeline shows them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cronzimus.models.run import Cause, RunState


@dataclass(frozen=True, slots=True)
class Stretch:
    """One run on the timeline: it waited from `queued_at`, ran from `started_at` to `ended_at`."""

    id: UUID
    job_id: str
    state: RunState
    cause: Cause
    queued_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    worker_id: str | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """The runs that were open between `since` and `until`, latest first; `cut` when there were more."""

    since: datetime
    until: datetime
    runs: tuple[Stretch, ...]
    cut: bool
