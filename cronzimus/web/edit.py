"""A job is made or changed in a form, which says as one types when it would be due."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from flask import request
from pydantic import ValidationError
from werkzeug.wrappers import Response

from cronzimus.api.documents import defined, next_firings
from cronzimus.api.queries import JobPath
from cronzimus.api.security import caller, needs
from cronzimus.api.support import V1, house
from cronzimus.errors import Conflict, CronzimusError, Fault, Invalid
from cronzimus.models.faults import refusal
from cronzimus.models.job import Job, JobDefinition, JobStatus, Source
from cronzimus.models.kinds import Kind
from cronzimus.models.policy import Overlap
from cronzimus.web.definition_form import EMPTY, TRIGGERS, UNITS, document_of, field_of, fields_of
from cronzimus.web.forms import check_form, done
from cronzimus.web.room import Answer, page, room
from cronzimus.web.words import trigger_in_words

pages = room("edit")

_CHOICES: Final = {"kind": tuple(Kind), "overlap": tuple(Overlap), "unit": UNITS, "trigger": TRIGGERS}
_PREVIEWED: Final = 5
_OF_TIME: Final = ("id", "trigger", "timezone", "calendar", "business_day", "blackouts")

Faults = tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """When a document would be due, or why nobody can say."""

    words: str = ""
    coming: tuple[dict[str, Any], ...] = ()
    fault: str = ""


@pages.get("/jobs/new")
@needs("admin")
def show_new() -> Answer:
    """The empty form."""
    return _form(None, EMPTY)


@pages.post("/jobs/new")
@needs("admin")
def make_job() -> Response | tuple[Answer, int] | Answer:
    """Define a new job, or only say when it would be due."""
    check_form()
    fields = _fields()
    if "preview" in request.form:
        return _form(None, fields)
    try:
        job = house().timetable.add(defined(document_of(fields)), by=caller())
    except (Invalid, Conflict) as refused:
        return _refused(None, fields, refused)
    return done(f"{job.id} is on the timetable", f"/jobs/{job.id}")


@pages.get("/jobs/<job_id>/edit")
@needs("admin")
def show_edit(job_id: str) -> Answer:
    """The form, filled with the job as it is."""
    job = house().timetable.get(JobPath(job_id=job_id).job_id)
    return _form(job.id, {**fields_of(job.definition), "version": str(job.version)})


@pages.post("/jobs/<job_id>/edit")
@needs("admin")
def change_job(job_id: str) -> Response | tuple[Answer, int] | Answer:
    """Give a job another definition, unless somebody else changed it since the form was shown."""
    check_form()
    known = JobPath(job_id=job_id).job_id
    fields = {**_fields(), "id": known}
    if "preview" in request.form:
        return _form(known, fields)
    try:
        definition = defined(document_of(fields))
        job = house().timetable.replace(definition, by=caller(), expected_version=_version(fields))
    except (Invalid, Conflict) as refused:
        return _refused(known, fields, refused)
    return done(f"{known} is changed; that is version {job.version}", f"/jobs/{known}")


def foreseen(fields: Mapping[str, str]) -> Preview:
    """When the job of a form would be due; what it does may still be missing."""
    try:
        document = document_of({**fields, "what": "", "kind": "function"})
        timed: dict[str, Any] = {name: document[name] for name in _OF_TIME if name in document}
        definition = _timed({"id": "unnamed", **timed, "params": {"func": "nothing:nothing"}})
    except Invalid as invalid:
        return Preview(fault=invalid.message)
    now = datetime.now(UTC)
    first = definition.schedule.next_after(now)
    shown = definition.document()
    job = Job(definition.id, shown, JobStatus.ACTIVE, None, Source.API, 1, first, now, now)
    return Preview(trigger_in_words(shown), tuple(next_firings(job, _PREVIEWED, house().operating)))


def _timed(document: dict[str, Any]) -> JobDefinition:
    try:
        return JobDefinition.model_validate(document)
    except ValidationError as error:
        raise refusal(error, known=JobDefinition.model_fields) from None


def _form(job_id: str | None, fields: Mapping[str, str], faults: Mapping[str, str] | None = None) -> str:
    return page(
        "edit.html",
        twin=f"{V1}/jobs/{job_id}" if job_id else f"{V1}/jobs",
        job_id=job_id,
        fields=fields,
        faults=faults or {},
        choices=_CHOICES,
        preview=foreseen(fields),
    )


def _refused(job_id: str | None, fields: Mapping[str, str], refused: CronzimusError) -> tuple[Answer, int]:
    """What was typed stays, and each mistake stands beside its field."""
    faults: dict[str, str] = {"": refused.message}
    for fault in refused.faults:
        faults.setdefault(field_of(fault.field, fields), f"{fault.field}: {fault.message}")
    return _form(job_id, fields, faults), 409 if isinstance(refused, Conflict) else 422


def _fields() -> dict[str, str]:
    known = {name: request.form.get(name, default) for name, default in EMPTY.items()}
    return {**known, "version": request.form.get("version", "")}


def _version(fields: Mapping[str, str]) -> int:
    version = fields["version"]
    if not (version.isascii() and version.isdigit() and len(version) < 10):
        raise Conflict("the form does not say which version it was made from; load it again", code="CONFLICT")
    return int(version)
