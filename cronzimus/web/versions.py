"""The versions of a job: what changed from one to the next, and the way back."""

from typing import Annotated, Any

from flask import request
from pydantic import BaseModel, BeforeValidator, Field
from werkzeug.wrappers import Response

from cronzimus.api.documents import defined
from cronzimus.api.queries import JobPath, whole_number
from cronzimus.api.security import caller, needs
from cronzimus.api.support import V1, Query, house
from cronzimus.errors import Conflict, NotFound
from cronzimus.models.plan import differences
from cronzimus.services.history import JobVersion
from cronzimus.web.forms import check_form, done
from cronzimus.web.room import Answer, live, page, room

pages = room("versions")

Number = Annotated[int, Field(ge=1, le=1_000_000), BeforeValidator(whole_number)]


class VersionPath(BaseModel):
    """One version of a job."""

    version: Number


class DiffQuery(Query):
    """What it is compared with; the version before it when absent."""

    to: Number | None = None


@pages.get("/jobs/<job_id>/versions/<version>")
@live
@needs("read")
def show_version(job_id: str, version: str) -> Answer:
    """A version beside another one."""
    known = JobPath(job_id=job_id).job_id
    number = VersionPath.model_validate({"version": version}).version
    versions = {one.version: one for one in house().history.versions(known)}
    shown = _found(versions, known, number)
    to = DiffQuery.model_validate(request.args.to_dict()).to or number - 1
    other = _found(versions, known, to) if to else None
    return page(
        "version.html",
        twin=f"{V1}/jobs/{known}/versions",
        topics="job",
        job=known,
        shown=shown,
        other=other,
        versions=tuple(reversed(versions.values())),
        is_last=number == max(versions),
        changes=tuple(differences(_document(other), _document(shown))),
    )


@pages.post("/jobs/<job_id>/versions/<version>/restore")
@needs("admin")
def restore_version(job_id: str, version: str) -> Response:
    """Make the job what it was; that is a new version, and everything since stays in the list."""
    check_form()
    number = VersionPath.model_validate({"version": version}).version
    versions = {one.version: one for one in house().history.versions(job_id)}
    wanted = _found(versions, job_id, number)
    if wanted.definition is None:
        raise Conflict(
            f"in version {number} the job was deleted; there is nothing to go back to", code="VERSION_EMPTY"
        )
    job = house().timetable.replace(defined(wanted.definition), by=caller())
    return done(f"{job_id} is as in version {number} again; that is version {job.version}", f"/jobs/{job_id}")


def _found(versions: dict[int, JobVersion], job_id: str, number: int) -> JobVersion:
    if number not in versions:
        raise NotFound(f"job {job_id!r} has no version {number}", code="VERSION_NOT_FOUND")
    return versions[number]


def _document(version: JobVersion | None) -> dict[str, Any]:
    return (version.definition if version else None) or {}
