"""The shapes of runs in answers."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field, JsonValue

from cronzimus.api.answers import Answer, AnswerPage
from cronzimus.models.run import Cause, RunState


class AttemptView(Answer):
    """One try of a run."""

    attempt: int
    worker_id: str
    state: RunState
    started_at: datetime
    ended_at: datetime | None
    duration_ms: float | None
    error: dict[str, Any] | None


class RunView(Answer):
    """One execution of a job."""

    id: UUID
    job_id: str
    job_version: int
    cause: Cause
    state: RunState
    attempt: int
    max_attempts: int
    due_at: datetime | None
    queued_at: datetime
    not_before: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    duration_ms: float | None
    cancel_requested_at: datetime | None
    priority: int
    queue: str
    worker_id: str | None
    params: dict[str, Any] | None
    result: JsonValue
    error: dict[str, Any] | None
    metrics: dict[str, Any] | None
    trace_id: str
    parent_run_id: UUID | None
    code_revision: str | None
    dispatched_at: datetime | None = Field(description="when it was given to the worker it names")
    part: int | None = Field(description="of a run that is one of several parts, which, from 0")
    parts: int | None
    inputs: dict[str, Any] | None = Field(description="the run of each job it depends on")
    held_by: str | None = Field(description="what it waits for, for programs")
    held: str | None = Field(description="what keeps it from starting, while something does")


class RunDetails(RunView):
    """One run with its attempts."""

    parameters: dict[str, Any] | None = Field(
        description="the value of each parameter before templates and secrets; null without a schema"
    )
    kind: str | None
    attempts: list[AttemptView]


class RunStarted(Answer):
    """A run was queued; it may not have started yet."""

    run_id: UUID
    run: RunView


class RunPage(AnswerPage):
    """Runs, latest first."""

    items: list[RunView]
