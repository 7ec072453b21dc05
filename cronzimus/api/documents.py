"""From what a client wrote to a definition, and from a definition to what comes next."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from cronzimus.api.support import house
from cronzimus.errors import CronzimusError, Fault, Invalid
from cronzimus.jobs.job_factory import definition_of
from cronzimus.models.faults import shown
from cronzimus.models.job import Job, JobDefinition, JobStatus


def defined(document: Mapping[str, Any]) -> JobDefinition:
    """The definition a document describes; raises Invalid with every fault."""
    return definition_of(house().factory.from_document(document))


def named(document: Mapping[str, Any], job_id: str) -> dict[str, Any]:
    """The document with the id of the path, which it may repeat but not change."""
    if document.get("id", job_id) != job_id:
        fault = Fault(
            "id", f"must be {job_id!r} as in the path, got {shown(document['id'])}; a job keeps its id"
        )
        raise Invalid(f"{fault.field}: {fault.message}", faults=(fault,))
    return {**document, "id": job_id}


def merged(document: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """The document after a JSON merge patch.

    One step aside from RFC 7396: a trigger that names its type replaces the old one whole. The stored
    trigger holds fields of its own type that nobody who writes a new one can know of.
    """
    trigger = patch.get("trigger")
    if isinstance(trigger, Mapping) and "type" in trigger:
        document = {name: value for name, value in document.items() if name != "trigger"}
    result = _merge(document, patch)
    return dict(result)


def next_firings(job: Job, count: int) -> list[dict[str, Any]]:
    """The next due instants of a job that fires; none of one that is paused, finished or broken."""
    if job.status != JobStatus.ACTIVE or job.next_due_at is None:
        return []
    try:
        definition = JobDefinition.model_validate(job.definition)
    except (ValidationError, CronzimusError):
        return []
    zone = _zone_of(definition)
    return [_firing_to_come(definition, due_at, zone) for due_at in _from(definition, job.next_due_at, count)]


def _from(definition: JobDefinition, first: datetime, count: int) -> Iterator[datetime]:
    due_at: datetime | None = first
    for _ in range(count):
        if due_at is None:
            return
        yield due_at
        due_at = definition.schedule.next_after(due_at)


def _firing_to_come(definition: JobDefinition, due_at: datetime, zone: ZoneInfo) -> dict[str, Any]:
    mark = definition.schedule.mark_of(due_at)
    return {"due_at": due_at, "local": due_at.astimezone(zone).isoformat(), "dst": mark}


def _zone_of(definition: JobDefinition) -> ZoneInfo:
    """The trigger's own zone when there is one, else the job's."""
    own = {getattr(trigger, "timezone", None) for trigger in definition.triggers}
    named = own.pop() if len(own) == 1 else None
    return ZoneInfo(named or definition.timezone)


def _merge(target: Any, patch: Any) -> Any:
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = _merge(result.get(name), value)
    return result
