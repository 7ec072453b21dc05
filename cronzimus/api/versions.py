"""Versions of a job: every definition it had, what differs between two, and the way back to one."""

from typing import Annotated, Any

from flask import request
from pydantic import BeforeValidator, Field

from cronzimus.api.documents import defined
from cronzimus.api.job_models import DifferenceView
from cronzimus.api.models import JobView, VersionPage
from cronzimus.api.preconditions import etag, expected_version, stale
from cronzimus.api.queries import JobPath, PageQuery, whole_number
from cronzimus.api.render import job_view, version_view
from cronzimus.api.security import caller, needs
from cronzimus.api.support import V1, blueprint, house, page_of
from cronzimus.errors import Conflict, NotFound
from cronzimus.models.difference import differences
from cronzimus.models.page import Page
from cronzimus.services.history import JobVersion

api = blueprint("versions")

Version = Annotated[int, Field(ge=1, le=2**31 - 1), BeforeValidator(whole_number)]


class VersionPath(JobPath):
    """A version in the path."""

    version: Version


class TwoVersionsPath(VersionPath):
    """Two of them."""

    other: Version


@api.get("/jobs/<job_id>/versions", responses={200: VersionPage})
@needs("read")
def list_versions(path: JobPath, query: PageQuery) -> tuple[Any, ...]:
    """Every definition the job ever had, oldest first."""
    found = _versions(path.job_id)
    items = found[query.offset : query.offset + query.limit]
    return page_of(Page(items, len(found), query.limit, query.offset), version_view)


@api.get("/jobs/<job_id>/versions/<version>/diff/<other>", responses={200: DifferenceView})
@needs("read")
def compare_versions(path: TwoVersionsPath) -> dict[str, Any]:
    """What differs between two versions, field by field."""
    before, after = _version(path.job_id, path.version), _version(path.job_id, path.other)
    changes = differences(before.definition or {}, after.definition or {})
    return {"job_id": path.job_id, "before": path.version, "after": path.other, "changes": list(changes)}


@api.post("/jobs/<job_id>/versions/<version>/restore", responses={200: JobView, 201: JobView})
@needs("admin")
def restore_version(path: VersionPath) -> tuple[Any, ...]:
    """Give the job the definition it had; it becomes a new version. A job that was removed comes back."""
    version = _version(path.job_id, path.version)
    if version.definition is None:
        raise Conflict(
            f"version {version.version} of {path.job_id!r} is its removal; name an earlier one",
            code="NOTHING_TO_RESTORE",
        )
    definition = defined(version.definition)
    try:
        job = house().timetable.get(path.job_id)
    except NotFound:
        job = house().timetable.add(definition, by=caller())
        return job_view(job), 201, {"Location": f"{V1}/jobs/{job.id}", **etag(job)}
    try:
        job = house().timetable.replace(
            definition, by=caller(), expected_version=expected_version(job) or job.version
        )
    except Conflict as conflict:
        raise (stale(conflict.message) if request.if_match else conflict) from None
    return job_view(job), 200, etag(job)


def _versions(job_id: str) -> tuple[JobVersion, ...]:
    found = house().history.versions(job_id)
    if not found:
        house().timetable.get(job_id)
    return found


def _version(job_id: str, number: int) -> JobVersion:
    for version in _versions(job_id):
        if version.version == number:
            return version
    raise NotFound(f"job {job_id!r} has no version {number}", code="VERSION_NOT_FOUND")
