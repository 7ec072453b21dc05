"""From what a client wrote to a definition, and from a definition to what comes next."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from cronzimus.api.queries import RunBody
from cronzimus.api.support import house
from cronzimus.errors import CronzimusError, Fault, Invalid, NotFound
from cronzimus.jobs.job_factory import definition_of
from cronzimus.models.blackout import Blackout
from cronzimus.models.faults import shown
from cronzimus.models.forms import read_texts
from cronzimus.models.job import Job, JobDefinition, JobStatus
from cronzimus.services.off import foresee

if TYPE_CHECKING:
    from cronzimus.operating import Operating


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


def typed_params(job: Job, body: RunBody) -> dict[str, Any]:
    """What is given for a run: the values, and the texts as the job's schema reads them; raises Invalid."""
    read = read_texts(job.definition.get("parameters") or {}, body.texts or {})
    twice = [
        Fault(f"params.{name}", "is given twice") for name in read.params.keys() & (body.params or {}).keys()
    ]
    if faults := (*read.faults, *twice):
        detail = "; ".join(f"{fault.field}: {fault.message}" for fault in faults)
        raise Invalid(detail, code="INVALID_PARAMS", faults=faults)
    return {**(body.params or {}), **read.params}


def next_firings(job: Job, count: int, operating: "Operating | None" = None) -> list[dict[str, Any]]:
    """The next due instants of a job that fires; none of one that is paused, finished or broken.

    `operating` knows the calendars and the blackouts of the house; without it only those of the job count.
    """
    if job.status != JobStatus.ACTIVE or job.next_due_at is None:
        return []
    try:
        definition = _observed(JobDefinition.model_validate(job.definition), operating)
    except (ValidationError, CronzimusError):
        return []
    of_the_house = operating.blackouts.concerning(definition) if operating is not None else ()
    windows = (*definition.blackouts, *of_the_house)
    return [
        _firing_to_come(definition, windows, due_at) for due_at in _from(definition, job.next_due_at, count)
    ]


def _observed(definition: JobDefinition, operating: "Operating | None") -> JobDefinition:
    """The definition with the days off its calendar has now."""
    if definition.calendar is None or operating is None:
        return definition
    try:
        return definition.observing(operating.calendars.days(definition.calendar.id))
    except NotFound:
        return definition


def _from(definition: JobDefinition, first: datetime, count: int) -> Iterator[datetime]:
    due_at: datetime | None = first
    for _ in range(count):
        if due_at is None:
            return
        yield due_at
        due_at = definition.schedule.next_after(due_at)


def _firing_to_come(
    definition: JobDefinition, windows: Sequence[Blackout], due_at: datetime
) -> dict[str, Any]:
    seen = foresee(definition, windows, due_at)
    return {
        "due_at": due_at,
        "local": due_at.astimezone(ZoneInfo(definition.zone)).isoformat(),
        "dst": definition.schedule.mark_of(due_at),
        "fires": seen.fires,
        "reason": seen.reason,
        "notes": list(seen.notes),
    }


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
