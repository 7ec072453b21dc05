"""The shapes of what is answered about many jobs, versions and previews, for the API document."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from cronzimus.models.batch import BatchAction
from cronzimus.models.difference import Turn


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class BatchItem(_Answer):
    """What came of one job."""

    id: str
    done: bool
    code: str | None = Field(description="why it was refused, for machines")
    message: str | None
    run_id: UUID | None = Field(description="the run that was started")


class BatchView(_Answer):
    """What came of a verb on many jobs."""

    action: BatchAction
    total: int
    done: int
    refused: int
    items: list[BatchItem]


class ChangeView(_Answer):
    """One field that differs."""

    path: str
    change: Turn
    before: JsonValue
    after: JsonValue


class DifferenceView(_Answer):
    """What differs between two versions of a job."""

    job_id: str
    before: int
    after: int
    changes: list[ChangeView]


class PreviewView(_Answer):
    """What a run would be called with."""

    due_at: datetime
    data_interval_start: datetime
    data_interval_end: datetime
    previous_success_at: datetime | None
    parameters: dict[str, Any] | None = Field(description="as written; null without a schema")
    params: dict[str, Any] = Field(description="rendered; secrets are references")
