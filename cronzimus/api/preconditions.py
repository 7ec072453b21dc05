"""`ETag`, `If-Match` and `If-None-Match`: nobody overwrites what they have not seen.

The tag of a job begins with its version. Where the whole job is read it goes on with a digest of the answer, since
its next due times change without the version: only then is the answer still the same.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import request
from pydantic_core import to_json

from cronzimus.api.problems import Refusal
from cronzimus.api.support import house
from cronzimus.errors import Conflict
from cronzimus.models.job import Job


def etag(job: Job, answer: Any = None) -> dict[str, str]:
    """The header with the tag of a job, or of one answer about it."""
    if answer is None:
        return {"ETag": f'"{job.version}"'}
    digest = hashlib.sha256(to_json(answer, inf_nan_mode="null")).hexdigest()[:16]
    return {"ETag": f'"{job.version}.{digest}"'}


def is_known(tag: dict[str, str]) -> bool:
    """Whether the client holds just this answer."""
    return bool(request.if_none_match) and request.if_none_match.contains_weak(tag["ETag"].strip('"'))


def expected_version(job: Job) -> int | None:
    """The version the client insists on; refused at once when the job is at another."""
    if not request.if_match:
        return None
    if request.if_match.star_tag or job.version in _versions():
        return job.version
    raise stale(f"job {job.id!r} is at version {job.version}; read it again before you change it")


@contextmanager
def seen(job_id: str) -> Iterator[int | None]:
    """The version a change insists on, None without If-Match; one that was overtaken is 412."""
    version = expected_version(house().timetable.get(job_id)) if request.if_match else None
    try:
        yield version
    except Conflict as conflict:
        raise (stale(conflict.message) if conflict.code == "VERSION_CONFLICT" else conflict) from None


def stale(message: str) -> Refusal:
    """The refusal of a change to something that has changed meanwhile."""
    return Refusal(412, message, code="PRECONDITION_FAILED")


def _versions() -> set[int]:
    """The versions the client has seen, whatever answer it has seen them in."""
    tags = {(tag or "").partition(".")[0] for tag in request.if_match.as_set(include_weak=True)}
    return {int(tag) for tag in tags if tag.isdecimal()}
