"""What a run would be called with: templates rendered for a moment, secrets left as references."""

from datetime import UTC, datetime
from typing import Any

from pydantic import Field, JsonValue

from cronzimus.api.documents import defined
from cronzimus.api.job_models import PreviewView
from cronzimus.api.queries import Instant, JobPath
from cronzimus.api.security import needs
from cronzimus.api.support import Body, Query, blueprint, house
from cronzimus.models.job import JobDefinition
from cronzimus.models.occasion import occasion_of
from cronzimus.models.values import check_given, effective_values, prepared

api = blueprint("preview")

_NO_RUN = "00000000-0000-0000-0000-000000000000"


class PreviewQuery(Query):
    """For which moment."""

    as_of: Instant | None = Field(default=None, description="the moment; the next due instant when absent")


class PreviewBody(Body):
    """A job that need not exist, and what would be given for a run of it."""

    job: dict[str, Any] = Field(description="the job's document")
    params: dict[str, JsonValue] | None = Field(default=None, description="what would be given for the run")
    as_of: Instant | None = Field(default=None, description="the moment; the next due instant when absent")


@api.get("/jobs/<job_id>/preview", responses={200: PreviewView})
@needs("read")
def preview_job(path: JobPath, query: PreviewQuery) -> dict[str, Any]:
    """The parameters of a run of the job, as its templates make them."""
    job = house().timetable.get(path.job_id)
    return _preview(JobDefinition.model_validate(job.definition), None, query.as_of or job.next_due_at)


@api.post("/jobs/preview", responses={200: PreviewView})
@needs("admin")
def preview_document(body: PreviewBody) -> dict[str, Any]:
    """The same for a document that is not saved."""
    return _preview(defined(body.job), body.params, body.as_of)


def _preview(
    definition: JobDefinition, given: dict[str, Any] | None, moment: datetime | None
) -> dict[str, Any]:
    check_given(definition, given)
    now = datetime.now(UTC)
    moment = moment or definition.schedule.first_due(now) or now
    occasion = occasion_of(
        definition.schedule,
        moment,
        run_id=_NO_RUN,
        job_id=definition.id,
        previous_success_at=_previous_success(definition.id),
    )
    return {
        "due_at": occasion.due_at,
        "data_interval_start": occasion.data_interval_start,
        "data_interval_end": occasion.data_interval_end,
        "previous_success_at": occasion.previous_success_at,
        "parameters": effective_values(definition, given),
        "params": prepared(definition, given, occasion),
    }


def _previous_success(job_id: str) -> datetime | None:
    runs = house().history.runs(job_id=job_id, state="success", limit=1).items
    return (runs[0].due_at or runs[0].queued_at) if runs else None
