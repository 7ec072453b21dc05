"""One verb on many jobs."""

from typing import Any

from flask import g
from pydantic import Field

from cronzimus.api.gate import refuse_lesser
from cronzimus.api.job_models import BatchView
from cronzimus.api.once import once
from cronzimus.api.queries import Text
from cronzimus.api.security import caller, needs
from cronzimus.api.support import Body, blueprint, house
from cronzimus.errors import Invalid
from cronzimus.models.batch import BatchAction
from cronzimus.models.job import JobStatus, Source
from cronzimus.models.kinds import Kind
from cronzimus.services.batch import MOST_JOBS, Batch

api = blueprint("batch")


class JobFilter(Body):
    """Which jobs: the filters of the list of jobs, all of which must hold."""

    status: JobStatus | None = None
    kind: Kind | None = None
    tag: Text | None = None
    source: Source | None = None
    q: Text | None = Field(default=None, description="text that the id holds")


class BatchBody(Body):
    """A verb and the jobs it is meant for."""

    action: BatchAction
    ids: list[Text] | None = Field(default=None, max_length=MOST_JOBS, description="the jobs by id")
    filter: JobFilter | None = Field(default=None, description="or every job that matches; {} is every job")
    expected_count: int | None = Field(
        default=None,
        ge=0,
        le=1_000_000,
        strict=True,
        description="how many that must be, else nothing is done",
    )
    force: bool = Field(default=False, strict=True, description="run although a job is paused")


@api.post("/jobs/batch", responses={200: BatchView})
@needs("operate")
def act_on_jobs(body: BatchBody) -> Any:
    """Pause, resume, run or delete many jobs; what came of each is told."""
    if body.action is BatchAction.DELETE:
        refuse_lesser(g.caller, "admin")
    return once(body.model_dump(mode="json"), lambda: _acted(body))


def _acted(body: BatchBody) -> tuple[Any, ...]:
    if (body.ids is None) == (body.filter is None):
        raise Invalid("say which jobs: give ids or a filter, and not both")
    batch = Batch(house().timetable, house().runs)
    ids = body.ids if body.filter is None else batch.chosen(**_filters(body.filter))
    outcomes = batch.act(body.action, ids or (), by=caller(), expected=body.expected_count, force=body.force)
    done = sum(outcome.done for outcome in outcomes)
    counts = {"total": len(outcomes), "done": done, "refused": len(outcomes) - done}
    return {"action": body.action, **counts, "items": list(outcomes)}, 200, {}


def _filters(given: JobFilter) -> dict[str, Any]:
    filters = dict(given)
    return {"search": filters.pop("q"), **filters}
