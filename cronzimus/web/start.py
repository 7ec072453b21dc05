"""The form from which a job is started: with other parameters, for another moment, although it is paused."""

from datetime import datetime
from typing import Any, Final

from flask import request
from pydantic import TypeAdapter, ValidationError
from werkzeug.wrappers import Response

from cronzimus.api.queries import Instant, JobPath
from cronzimus.api.security import caller, needs
from cronzimus.api.support import V1, house
from cronzimus.errors import CronzimusError, Fault, Invalid
from cronzimus.models.faults import refusal
from cronzimus.models.forms import FormField, form_fields, read_form
from cronzimus.models.job import Job, JobDefinition
from cronzimus.models.schema import Schema
from cronzimus.models.values import own_values
from cronzimus.web.forms import check_form, done
from cronzimus.web.room import Answer, page, room

pages = room("start")

# Before the names of parameters, so that none is taken for a field of the form itself.
PREFIX: Final = "param."
_MOMENT: Final = TypeAdapter[datetime](Instant)


@pages.get("/jobs/<job_id>/run")
@needs("operate")
def show_form(job_id: str) -> Answer:
    """The parameters of a run, filled with what the job has now."""
    return _form(_job(job_id), {}, ())


@pages.post("/jobs/<job_id>/run")
@needs("operate")
def run_job(job_id: str) -> Response | tuple[Answer, int]:
    """Start a run by hand."""
    check_form()
    job = _job(job_id)
    try:
        run = house().runs.trigger(
            job.id, params=_params(job), as_of=_as_of(), force="force" in request.form, by=caller()
        )
    except Invalid as invalid:
        return _form(job, request.form, invalid.faults or (Fault("", invalid.message),)), 422
    return done(f"{job.id} was started", f"/runs/{run.id}" if "watch" in request.form else f"/jobs/{job.id}")


def _form(job: Job, said: Any, faults: tuple[Fault, ...]) -> str:
    """`said` is what the form held when it was refused."""
    return page(
        "start.html",
        twin=f"{V1}/jobs/{job.id}",
        shown=job,
        fields=_fields(job),
        prefix=PREFIX,
        said=said,
        faults={fault.field: fault.message for fault in faults},
    )


def _fields(job: Job) -> tuple[FormField, ...]:
    schema, values = _schema(job)
    return form_fields(schema, values) if schema else ()


def _params(job: Job) -> dict[str, Any] | None:
    schema, values = _schema(job)
    if not schema:
        return None
    sent = {name.removeprefix(PREFIX): text for name, text in request.form.items() if name.startswith(PREFIX)}
    read = read_form(schema, sent, values, shown=request.form.getlist("shown"))
    if read.faults:
        raise Invalid("these parameters cannot be read", code="INVALID_PARAMS", faults=read.faults)
    return read.params or None


def _as_of() -> datetime | None:
    text = request.form.get("as_of", "").strip()
    try:
        return _MOMENT.validate_python(text) if text else None
    except ValidationError as error:
        raise Invalid("as_of", faults=[Fault("as_of", refusal(error).faults[0].message)]) from None


def _schema(job: Job) -> tuple[Schema | None, dict[str, Any]]:
    """The schema of the job's parameters and their values; none of a job that nobody can read."""
    try:
        definition = JobDefinition.model_validate(job.definition)
    except (ValidationError, CronzimusError):
        return None, {}
    return definition.parameters, own_values(definition)


def _job(job_id: str) -> Job:
    return house().timetable.get(JobPath(job_id=job_id).job_id)
