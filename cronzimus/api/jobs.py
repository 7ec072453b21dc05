"""Jobs: create, read, change, pause, resume, run, and ask why."""

from datetime import UTC, datetime
from typing import Any

from flask import request

from cronzimus.api.documents import defined, merged, named, next_firings, typed_params
from cronzimus.api.models import JobDetails, JobPage, JobView, WhyView
from cronzimus.api.once import once
from cronzimus.api.preconditions import etag, expected_version, is_known, seen, stale
from cronzimus.api.queries import (
    JobDocument,
    JobPatch,
    JobPath,
    JobQuery,
    JobRunQuery,
    NextQuery,
    RunBody,
    WhyQuery,
)
from cronzimus.api.render import job_view, why_view
from cronzimus.api.run_models import RunPage, RunStarted
from cronzimus.api.runs import found_runs, page_of_runs, started
from cronzimus.api.security import caller, needs
from cronzimus.api.support import V1, blueprint, house, page_of
from cronzimus.errors import Conflict
from cronzimus.models.job import JobDefinition
from cronzimus.models.run import Run

api = blueprint("jobs")


@api.get("/jobs", responses={200: JobPage})
@needs("read")
def list_jobs(query: JobQuery) -> tuple[Any, ...]:
    """List jobs by id."""
    filters = dict(query)
    return page_of(house().timetable.list(search=filters.pop("q"), **filters), job_view)


@api.post("/jobs", responses={201: JobView})
@needs("admin")
def create_job(body: JobDocument) -> Any:
    """Define a new job."""
    return once(body.root, lambda: _created(defined(body.root)))


@api.get("/jobs/<job_id>", responses={200: JobDetails})
@needs("read")
def get_job(path: JobPath, query: NextQuery) -> tuple[Any, ...]:
    """One job, its document and its next due instants."""
    job = house().timetable.get(path.job_id)
    details = {"definition": job.definition, "next": next_firings(job, query.next, house().operating)}
    answer = {**job_view(job), **details}
    tag = etag(job, answer)
    return ("", 304, tag) if is_known(tag) else (answer, 200, tag)


@api.put("/jobs/<job_id>", responses={200: JobView})
@needs("admin")
def replace_job(path: JobPath, body: JobDocument) -> tuple[Any, ...]:
    """Give a job another document; with If-Match only when nobody else changed it meanwhile."""
    definition = defined(named(body.root, path.job_id))
    expected = expected_version(house().timetable.get(path.job_id))
    return _replaced(definition, expected)


@api.patch("/jobs/<job_id>", responses={200: JobView})
@needs("admin")
def patch_job(path: JobPath, body: JobPatch) -> tuple[Any, ...]:
    """Change some fields of a job's document (RFC 7396)."""
    job = house().timetable.get(path.job_id)
    expected_version(job)
    definition = defined(named(merged(job.definition, body.root), path.job_id))
    return _replaced(definition, job.version)


@api.delete("/jobs/<job_id>", responses={204: None})
@needs("admin")
def delete_job(path: JobPath) -> tuple[str, int]:
    """Remove a job; its history stays."""
    with seen(path.job_id) as version:
        house().timetable.remove(path.job_id, by=caller(), expected_version=version)
    return "", 204


@api.post("/jobs/<job_id>/pause", responses={200: JobView})
@needs("operate")
def pause_job(path: JobPath) -> dict[str, Any]:
    """From now on nothing of it fires; each instant that passes is recorded as skipped."""
    with seen(path.job_id) as version:
        return job_view(house().timetable.pause(path.job_id, by=caller(), expected_version=version))


@api.post("/jobs/<job_id>/resume", responses={200: JobView})
@needs("operate")
def resume_job(path: JobPath) -> dict[str, Any]:
    """Fire again from now on."""
    with seen(path.job_id) as version:
        return job_view(house().timetable.resume(path.job_id, by=caller(), expected_version=version))


@api.post("/jobs/<job_id>/run", responses={202: RunStarted})
@needs("operate")
def run_job(path: JobPath, body: RunBody) -> Any:
    """Start a run by hand; answered before it begins."""
    return once(body.model_dump(mode="json"), lambda: started(_triggered(path.job_id, body)))


@api.get("/jobs/<job_id>/runs", responses={200: RunPage})
@needs("read")
def list_runs_of_job(path: JobPath, query: JobRunQuery) -> tuple[Any, ...]:
    """List the runs of one job, latest first; those of a removed job are still there."""
    page = found_runs(query, job_id=path.job_id, **query.filters())
    if not page.total:
        house().timetable.get(path.job_id)
    return page_of_runs(page)


@api.get("/jobs/<job_id>/why", responses={200: WhyView})
@needs("read")
def explain_job(path: JobPath, query: WhyQuery) -> dict[str, Any]:
    """Say in one sentence what happened at a moment, and show the rows it is read from."""
    return why_view(house().explain.why(path.job_id, query.at or datetime.now(UTC)))


def _created(definition: JobDefinition) -> tuple[Any, ...]:
    job = house().timetable.add(definition, by=caller())
    return job_view(job), 201, {"Location": f"{V1}/jobs/{job.id}", **etag(job)}


def _triggered(job_id: str, body: RunBody) -> Run:
    params = typed_params(house().timetable.get(job_id), body) if body.texts else body.params
    return house().runs.trigger(job_id, params=params, as_of=body.as_of, force=body.force, by=caller())


def _replaced(definition: JobDefinition, expected: int | None) -> tuple[Any, ...]:
    try:
        job = house().timetable.replace(definition, by=caller(), expected_version=expected)
    except Conflict as conflict:
        if conflict.code == "VERSION_CONFLICT" and request.if_match:
            raise stale(conflict.message) from conflict
        raise
    return job_view(job), 200, etag(job)
