"""The routes of Flask-APScheduler, in its shapes, over the same services as everything else."""

import socket
from collections.abc import Iterator
from typing import Any, Final

from pydantic import RootModel

from cronzimus.api.documents import defined, named
from cronzimus.api.legacy import legacy_view, to_changed_document, to_document, wants_pause, wants_replacement
from cronzimus.api.models import LegacyJob, SchedulerInfo
from cronzimus.api.problems import LEGACY_PREFIX
from cronzimus.api.queries import JobPath, LegacyDocument
from cronzimus.api.security import caller, needs
from cronzimus.api.support import blueprint, house
from cronzimus.errors import Conflict
from cronzimus.models.job import Job, JobDefinition

api = blueprint("scheduler", prefix=LEGACY_PREFIX)

_AT_A_TIME: Final = 1000


class LegacyJobs(RootModel[list[LegacyJob]]):
    """Every job, without pages."""


@api.get("", responses={200: SchedulerInfo})
@needs("read")
def get_scheduler() -> dict[str, Any]:
    """What Flask-APScheduler tells of itself."""
    return {"current_host": socket.gethostname().lower(), "allowed_hosts": ["*"], "running": _is_running()}


@api.get("/jobs", responses={200: LegacyJobs})
@needs("read")
def list_scheduler_jobs() -> list[dict[str, Any]]:
    """Every job."""
    return [legacy_view(job) for job in _all_jobs()]


@api.post("/jobs", responses={200: LegacyJob})
@needs("admin")
def add_scheduler_job(body: LegacyDocument) -> dict[str, Any]:
    """Add a job; `replace_existing` and `next_run_time: null` mean what they mean in APScheduler."""
    is_paused, may_replace = wants_pause(body.root), wants_replacement(body.root)
    job = _added(defined(to_document(body.root)), may_replace=may_replace)
    return legacy_view(house().timetable.pause(job.id, by=caller()) if is_paused else job)


@api.get("/jobs/<job_id>", responses={200: LegacyJob})
@needs("read")
def get_scheduler_job(path: JobPath) -> dict[str, Any]:
    """One job."""
    return legacy_view(house().timetable.get(path.job_id))


@api.patch("/jobs/<job_id>", responses={200: LegacyJob})
@needs("admin")
def update_scheduler_job(path: JobPath, body: LegacyDocument) -> dict[str, Any]:
    """Change a job."""
    return _changed(path.job_id, body.root)


@api.put("/jobs/<job_id>", responses={200: LegacyJob})
@needs("admin")
def put_scheduler_job(path: JobPath, body: LegacyDocument) -> dict[str, Any]:
    """The same as PATCH."""
    return _changed(path.job_id, body.root)


@api.delete("/jobs/<job_id>", responses={204: None})
@needs("admin")
def delete_scheduler_job(path: JobPath) -> tuple[str, int]:
    """Remove a job."""
    house().timetable.remove(path.job_id, by=caller())
    return "", 204


@api.post("/jobs/<job_id>/pause", responses={200: LegacyJob})
@needs("operate")
def pause_scheduler_job(path: JobPath) -> dict[str, Any]:
    """Pause a job."""
    return legacy_view(house().timetable.pause(path.job_id, by=caller()))


@api.post("/jobs/<job_id>/resume", responses={200: LegacyJob})
@needs("operate")
def resume_scheduler_job(path: JobPath) -> dict[str, Any]:
    """Resume a job."""
    return legacy_view(house().timetable.resume(path.job_id, by=caller()))


@api.post("/jobs/<job_id>/run", responses={200: LegacyJob})
@needs("operate")
def run_scheduler_job(path: JobPath) -> dict[str, Any]:
    """Start a run, paused or not; it happens on a worker, not in this request."""
    house().runs.trigger(path.job_id, force=True, by=caller())
    return legacy_view(house().timetable.get(path.job_id))


def _is_running() -> bool:
    component = house().readiness.report().components.get("scheduler")
    status = component.get("status") if isinstance(component, dict) else component
    return status in ("leader", "standby")


def _all_jobs() -> Iterator[Job]:
    offset, total = 0, 1
    while offset < total:
        page = house().timetable.list(limit=_AT_A_TIME, offset=offset)
        yield from page.items
        offset, total = offset + _AT_A_TIME, page.total


def _added(definition: JobDefinition, *, may_replace: bool) -> Job:
    try:
        return house().timetable.add(definition, by=caller())
    except Conflict:
        if not may_replace:
            raise
        return house().timetable.replace(definition, by=caller())


def _changed(job_id: str, body: dict[str, Any]) -> dict[str, Any]:
    job = house().timetable.get(job_id)
    definition = defined(to_changed_document(job.definition, named(body, job_id)))
    return legacy_view(house().timetable.replace(definition, by=caller(), expected_version=job.version))
