"""The jobs page: a list that is filtered by its address, and changes to many jobs at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from flask import g, request
from pydantic import BaseModel, BeforeValidator
from werkzeug.wrappers import Response

from cronzimus.api.gate import refuse_lesser
from cronzimus.api.queries import JobQuery, whole_number
from cronzimus.api.security import caller, needs
from cronzimus.api.support import V1, house
from cronzimus.models.batch import BatchAction, BatchOutcome
from cronzimus.models.insight import RecentRun
from cronzimus.models.job import Job, JobStatus, Source
from cronzimus.models.kinds import Kind
from cronzimus.services.batch import Batch
from cronzimus.web.charts import Spark, sparks
from cronzimus.web.forms import check_form, done
from cronzimus.web.room import Answer, address, live, page, query_of, room

pages = room("jobs")

_CHOICES: Final = {"status": tuple(JobStatus), "kind": tuple(Kind), "source": tuple(Source)}


_DONE: Final = {
    BatchAction.PAUSE: "Paused",
    BatchAction.RESUME: "Resumed",
    BatchAction.RUN: "Started",
    BatchAction.DELETE: "Deleted",
}
_MOST_REFUSALS: Final = 3


class ActionForm(BaseModel):
    """What is to be done."""

    action: BatchAction


class FilterForm(JobQuery):
    """Which jobs are meant when they are not named, and how many they were."""

    expected: Annotated[int, BeforeValidator(whole_number)] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A job with its last runs."""

    job: Job
    sparks: tuple[Spark, ...]

    @property
    def last(self) -> RecentRun | None:
        """The run queued last."""
        return self.sparks[-1].run if self.sparks else None


@pages.get("/jobs")
@live
@needs("read")
def show_jobs() -> Answer:
    """Jobs by id."""
    query = query_of(JobQuery)
    filters = dict(query)
    found = house().timetable.list(search=filters.pop("q"), **filters)
    recent = house().operating.insight.recent([job.id for job in found.items])
    return page(
        "jobs.html",
        twin=address(f"{V1}/jobs", **dict(query)),
        topics="job run",
        query=query,
        choices=_CHOICES,
        found=found,
        here_again=request.full_path.rstrip("?"),
        href=lambda offset: address("/jobs", **{**dict(query), "offset": offset}),
        rows=[Row(job, sparks(recent[job.id])) for job in found.items],
    )


@pages.post("/jobs")
@needs("operate")
def act_on_jobs() -> Response:
    """Pause, resume, run or delete the chosen jobs, or all that match; says what came of them."""
    check_form()
    action = ActionForm.model_validate({"action": request.form.get("action")}).action
    if action is BatchAction.DELETE:
        refuse_lesser(g.caller, "admin")
    batch = Batch(house().timetable, house().runs)
    job_ids, expected = _meant(batch)
    outcomes = batch.act(action, job_ids, by=caller(), expected=expected)
    return done(_told(action, outcomes), "/jobs")


def _meant(batch: Batch) -> tuple[Sequence[str], int | None]:
    """The jobs, and how many the reader was told they are when they are not named one by one."""
    if "all" not in request.form:
        return request.form.getlist("id"), None
    said = {
        name: request.form[name] for name in (*_CHOICES, "q", "tag", "expected") if request.form.get(name)
    }
    form = FilterForm.model_validate(said)
    filters = form.model_dump(include={"status", "kind", "source", "tag"})
    return batch.chosen(search=form.q, **filters), form.expected


def _told(action: BatchAction, outcomes: Sequence[BatchOutcome]) -> str:
    done_to = sum(outcome.done for outcome in outcomes)
    refused = [f"{one.id}: {one.message}" for one in outcomes if not one.done]
    said = f"{_DONE[action]} {done_to} of {len(outcomes)} jobs"
    return "; ".join([said, *refused[:_MOST_REFUSALS]])
