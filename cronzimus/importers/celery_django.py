"""A dump of django-celery-beat (`manage.py dumpdata django_celery_beat`) as jobs."""

import json
from collections.abc import Mapping
from typing import Any, Final

from cronzimus.importers.celery_schedule import Unreadable, cron, document_of, interval
from cronzimus.importers.report import Fate, Imported, Names, Note, told, trouble_with

_APP: Final = "django_celery_beat."
_PERIODS: Final = {"days", "hours", "minutes", "seconds", "microseconds"}

Rows = dict[tuple[str, Any], Mapping[str, Any]]


def is_dump(data: Any) -> bool:
    """Whether it is a list of rows of that app."""
    return isinstance(data, list) and any(_model(row).startswith(_APP) for row in data)


def import_dump(data: list[Any]) -> Imported:
    """Every row: a task becomes a job, a schedule belongs to the tasks that name it, the rest is refused."""
    rows: Rows = {
        (_model(row), row.get("pk")): row.get("fields") or {} for row in data if isinstance(row, Mapping)
    }
    documents: list[dict[str, Any]] = []
    notes: list[Note] = []
    names = Names()
    for row in data:
        model = _model(row)
        place = f"{model or 'a row'} {row.get('pk') if isinstance(row, Mapping) else ''}".strip()
        if model == f"{_APP}periodictask":
            notes.append(_take(place, row["fields"], rows, names, documents))
        elif model in (f"{_APP}periodictasks", f"{_APP}solarschedule") or model.endswith("schedule"):
            notes.append(Note(place, Fate.COMMENT, "belongs to the tasks that name it"))
        else:
            notes.append(Note(place, Fate.REFUSED, "no row of django-celery-beat"))
    return Imported(tuple(documents), tuple(notes))


def _take(
    place: str, fields: Mapping[str, Any], rows: Rows, names: Names, documents: list[dict[str, Any]]
) -> Note:
    try:
        document, remarks = _document(fields, rows)
    except (Unreadable, ValueError) as error:
        return Note(place, Fate.REFUSED, f"{fields.get('name')}: {error}")
    trouble = trouble_with({"id": "a", **document})
    if trouble is not None:
        return Note(place, Fate.REFUSED, f"{fields.get('name')}: {trouble}")
    job_id = names.slug(str(fields.get("name") or fields.get("task")))
    enabled = fields.get("enabled", True)
    documents.append({"id": job_id, **document, **({} if enabled else {"paused": True})})
    return Note(place, Fate.JOB if enabled else Fate.PAUSED, told(remarks), job_id)


def _document(fields: Mapping[str, Any], rows: Rows) -> tuple[dict[str, Any], list[str]]:
    trigger, zone = _trigger(fields, rows)
    args, kwargs = json.loads(fields.get("args") or "[]"), json.loads(fields.get("kwargs") or "{}")
    given = {"queue": fields.get("queue"), "expires": fields.get("expire_seconds")}
    options = {name: value for name, value in given.items() if value is not None}
    document, remarks = document_of(
        str(fields.get("name")), str(fields.get("task")), trigger, zone, args, kwargs, options
    )
    if fields.get("one_off"):
        remarks.append("one_off: it would end after its first run; here it goes on")
    for name in ("start_time", "expires"):
        if fields.get(name):
            trigger["start_date" if name == "start_time" else "end_date"] = fields[name]
    return document, remarks


def _trigger(fields: Mapping[str, Any], rows: Rows) -> tuple[dict[str, Any], str]:
    for name in ("crontab", "interval", "clocked", "solar"):
        if fields.get(name) is None:
            continue
        found = rows.get((f"{_APP}{name}schedule", fields[name]))
        if found is None:
            raise Unreadable(f"its {name} schedule {fields[name]} is not in the dump")
        if name == "crontab":
            return cron(found), str(found.get("timezone") or "UTC")
        if name == "interval" and found.get("period") in _PERIODS:
            return interval({str(found["period"]): float(found.get("every") or 0)}), "UTC"
        if name == "clocked":
            return {"type": "date", "run_date": str(found.get("clocked_time"))}, "UTC"
        raise Unreadable(f"{name}: no schedule that is known here")
    raise Unreadable("it has no schedule")


def _model(row: Any) -> str:
    return str(row.get("model", "")) if isinstance(row, Mapping) else ""
