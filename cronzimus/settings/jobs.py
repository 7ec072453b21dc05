"""Jobs that files define: overlaid, not validated, with every field's place kept for the errors."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cronzimus.settings.expand import expand
from cronzimus.settings.files import Source
from cronzimus.settings.report import Report, shown


@dataclass(frozen=True, slots=True)
class FileJob:
    """A job as the files define it: not yet validated. `origin` is `file:line`."""

    id: str
    document: dict[str, Any]
    origin: str
    places: Mapping[str, str] = field(default_factory=dict)

    def where(self, key: str) -> str:
        """`file:line` of a field such as `trigger.expression`, or of the nearest thing around it."""
        while key and key not in self.places:
            key = key.rpartition(".")[0]
        return self.places.get(key, self.origin)


def overlay_jobs(
    jobs: dict[str, FileJob], source: Source, variables: Mapping[str, str], report: Report
) -> None:
    """Lay the jobs of one file over `jobs`: maps merge key by key, lists replace, `null` takes a job away."""
    for job_id, document, path in _entries(source, report):
        label = f"jobs.{job_id}"
        if document is None and job_id in jobs:
            del jobs[job_id]
            continue
        if not isinstance(document, Mapping):
            report.fault(label, "expected a job: a mapping with kind, params and trigger", source.where(path))
            continue
        if document.get("id", job_id) != job_id:
            report.fault(label, f"the id inside, {shown(document['id'])}, differs", source.where(path))
            continue
        try:
            given = expand(document, variables)
        except ValueError as error:
            report.fault(label, str(error), source.where(path))
            continue
        jobs[job_id] = _overlaid(jobs.get(job_id), job_id, given, source, path)


def _entries(source: Source, report: Report) -> Iterator[tuple[str, Any, tuple[str | int, ...]]]:
    """Id, document and path of each entry of `jobs:`, be it a mapping or a list."""
    jobs = source.data.get("jobs")
    if isinstance(jobs, Mapping):
        yield from ((str(job_id), document, ("jobs", job_id)) for job_id, document in jobs.items())
    elif isinstance(jobs, list):
        yield from _listed(jobs, source, report)
    elif jobs is not None:
        report.fault(
            "jobs", "expected a mapping of id to job, or a list of jobs with ids", source.where(("jobs",))
        )


def _listed(
    jobs: list[Any], source: Source, report: Report
) -> Iterator[tuple[str, Any, tuple[str | int, ...]]]:
    seen: dict[str, str] = {}
    for index, document in enumerate(jobs):
        path = ("jobs", index)
        job_id = document.get("id") if isinstance(document, Mapping) else None
        if not isinstance(job_id, str):
            report.fault(f"jobs.{index}", "expected a job with an id that is text", source.where(path))
        elif job_id in seen:
            report.fault(f"jobs.{job_id}", f"appears twice, first at {seen[job_id]}", source.where(path))
        else:
            seen[job_id] = source.where(path)
            yield job_id, document, path


def _overlaid(
    below: FileJob | None, job_id: str, given: dict[str, Any], source: Source, path: tuple[str | int, ...]
) -> FileJob:
    places = {".".join(map(str, inner)): source.where((*path, *inner)) for inner in _paths(given)}
    if below is None:
        return FileJob(job_id, {"id": job_id, **given}, source.where(path), places)
    document = _merged(below.document, given)
    return FileJob(job_id, document, source.where(path), {**below.places, **places})


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Key by key; but a map that becomes another kind of thing keeps nothing of what it was."""
    result = dict(below)
    if above.get("kind", below.get("kind")) != below.get("kind"):
        result.pop("params", None)
    for key, value in above.items():
        old = result.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping) and _same_type(old, value):
            value = _merged(old, value)
        result[key] = value
    return result


def _same_type(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return bool(new.get("type", old.get("type")) == old.get("type"))


def _paths(value: Any, prefix: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    items = (
        value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, item in items:
        yield (*prefix, key)
        yield from _paths(item, (*prefix, key))
