"""The timetable as documents: only what differs from the defaults, always in the same order."""

from collections.abc import Callable, Mapping
from typing import Any

from cronzimus.models.job import Job, JobDefinition, JobStatus
from cronzimus.services.timetable import Timetable

_PAGE = 200
_FIRST = ("description", "kind", "params", "trigger", "timezone", "policy")
_REQUIRED = {"id", "params", "trigger"}
_LENGTHS = {"weeks", "days", "hours", "minutes", "seconds", "jitter"}

# A document filled in with the defaults of the installation.
Complete = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class Exporter:
    """Reads every job. May raise DatabaseUnavailable."""

    def __init__(self, timetable: Timetable) -> None:
        self._timetable = timetable

    def documents(self, complete: Complete, **filters: str | None) -> dict[str, dict[str, Any]]:
        """Each job's document by its id, as jobs.yaml holds them; `paused: true` where a job is halted."""
        defaults = _defaults(complete)
        found: dict[str, dict[str, Any]] = {}
        offset, total = 0, 1
        while offset < total:
            page = self._timetable.list(limit=_PAGE, offset=offset, **filters)
            found |= {job.id: _shortened(job, defaults) for job in page.items}
            offset, total = offset + _PAGE, page.total
        return found


def _defaults(complete: Complete) -> dict[str, Any]:
    """What a document says that leaves everything open: the installation's defaults over the model's."""
    fields = {name: field for name, field in JobDefinition.model_fields.items() if name not in _REQUIRED}
    open_fields = {name: field.get_default(call_default_factory=True) for name, field in fields.items()}
    plain = JobDefinition.model_construct(**open_fields).model_dump(
        mode="json", by_alias=True, include=set(fields)
    )
    given = complete({})
    return {**plain, **given, "policy": {**plain["policy"], **given.get("policy", {})}}


def _shortened(job: Job, defaults: Mapping[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = {**defaults, **job.definition}
    document["trigger"] = _told_of(document["trigger"])
    document["policy"] = _different(document["policy"], defaults["policy"])
    names = (*_FIRST, *sorted(document.keys() - {"id", *_FIRST}))
    empty = {**defaults, "policy": {}}
    kept = {name: document[name] for name in names if name in _REQUIRED or document[name] != empty.get(name)}
    return {**kept, **({"paused": True} if job.status == JobStatus.PAUSED else {})}


def _told_of(trigger: Any) -> Any:
    return [_told(one) for one in trigger] if isinstance(trigger, list) else _told(trigger)


def _told(trigger: Mapping[str, Any]) -> dict[str, Any]:
    """What a trigger says, without what it leaves open; a cron field of 0 says something."""
    return {
        name: value
        for name, value in trigger.items()
        if value is not None and not (name in _LENGTHS and value == 0)
    }


def _different(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value != defaults.get(name)}
