"""Celery beat entries as jobs, from Python that is read and never run."""

import ast
from collections.abc import Iterator
from typing import Any, Final

from cronzimus.importers.celery_schedule import Unreadable, document_of, trigger_of, value_of
from cronzimus.importers.report import Fate, Imported, Names, Note, shortened, told, trouble_with

_SCHEDULES: Final = {"beat_schedule", "CELERYBEAT_SCHEDULE", "CELERY_BEAT_SCHEDULE"}
_ZONES: Final = {"timezone", "CELERY_TIMEZONE"}


def import_celery_python(text: str, name: str) -> Imported:
    """Every entry of every beat schedule a Python file writes out; raises ValueError when it is no Python."""
    try:
        tree = ast.parse(text, filename=name)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        raise ValueError(
            f"{name}{f':{line}' if line else ''}: not Python that can be read: {error}"
        ) from None
    zone, schedules = "UTC", []
    for target, value in _assigned(tree):
        if target in _ZONES and isinstance(value, ast.Constant) and isinstance(value.value, str):
            zone = value.value
        elif target in _SCHEDULES:
            schedules.append(value)
    documents: list[dict[str, Any]] = []
    notes: list[Note] = []
    names = Names()
    for schedule in schedules:
        for entry, place, value in _entries(schedule, notes):
            _take(entry, place, value, zone, names, documents, notes)
    notes += _added_by_code(tree)
    return Imported(tuple(documents), tuple(notes))


def _assigned(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Every `name = value`, `a.name = value`, `d["name"] = value` and `update(name=value)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            yield from ((_last_name(target), node.value) for target in node.targets)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            yield _last_name(node.target), node.value
        elif isinstance(node, ast.AugAssign):
            yield _last_name(node.target), node.value
        elif isinstance(node, ast.Call) and _last_name(node.func) == "update":
            if _last_name(getattr(node.func, "value", node.func)) in _SCHEDULES:
                yield from (("beat_schedule", argument) for argument in node.args)
            yield from ((word.arg, word.value) for word in node.keywords if word.arg)


def _last_name(target: ast.expr) -> str:
    if isinstance(target, ast.Attribute):
        return target.attr
    if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
        return str(target.slice.value)
    return target.id if isinstance(target, ast.Name) else ""


def _entries(schedule: ast.expr, notes: list[Note]) -> Iterator[tuple[str, str, ast.expr]]:
    if not isinstance(schedule, ast.Dict):
        text = f"the schedule is computed, not written out: {shortened(ast.unparse(schedule))}"
        notes.append(Note(_line(schedule), Fate.REFUSED, text))
        return
    for key, value in zip(schedule.keys, schedule.values, strict=True):
        if isinstance(key, ast.Constant):
            yield str(key.value), _line(key), value
        else:
            said = shortened(ast.unparse(value if key is None else key))
            notes.append(
                Note(_line(value), Fate.REFUSED, f"the entry's name is computed, not written out: {said}")
            )


def _take(
    entry: str,
    place: str,
    value: ast.expr,
    zone: str,
    names: Names,
    documents: list[dict[str, Any]],
    notes: list[Note],
) -> None:
    try:
        document, remarks = _document(entry, value, zone)
    except Unreadable as error:
        notes.append(Note(place, Fate.REFUSED, f"{entry}: {error}"))
        return
    trouble = trouble_with({"id": "a", **document})
    if trouble is not None:
        notes.append(Note(place, Fate.REFUSED, f"{entry}: {trouble}"))
        return
    job_id = names.slug(entry)
    documents.append({"id": job_id, **document})
    notes.append(Note(place, Fate.JOB, told(remarks), job_id))


def _document(entry: str, value: ast.expr, zone: str) -> tuple[dict[str, Any], list[str]]:
    fields = _fields(value)
    if "task" not in fields or "schedule" not in fields:
        raise Unreadable("an entry needs task and schedule")
    task, trigger = value_of(fields["task"]), trigger_of(fields["schedule"])
    args = value_of(fields["args"]) if "args" in fields else []
    kwargs = value_of(fields["kwargs"]) if "kwargs" in fields else {}
    options = value_of(fields["options"]) if "options" in fields else {}
    return document_of(entry, str(task), trigger, zone, args, kwargs, options)


def _fields(value: ast.expr) -> dict[str, ast.expr]:
    """The fields of an entry, be it `{...}` or `dict(...)`."""
    if isinstance(value, ast.Dict):
        pairs = zip(value.keys, value.values, strict=True)
        named = {key.value: item for key, item in pairs if isinstance(key, ast.Constant)}
        if len(named) == len(value.keys):
            return {str(name): item for name, item in named.items()}
    if isinstance(value, ast.Call) and _last_name(value.func) == "dict" and not value.args:
        return {word.arg: word.value for word in value.keywords if word.arg}
    raise Unreadable(f"computed, not written out: {shortened(ast.unparse(value))}")


def _added_by_code(tree: ast.Module) -> Iterator[Note]:
    """Calls of `add_periodic_task` are code; what they would add is only known to who runs it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _last_name(node.func) == "add_periodic_task":
            said = shortened(ast.unparse(node))
            yield Note(_line(node), Fate.REFUSED, f"added by code that would have to run: {said}")


def _line(node: ast.expr) -> str:
    return str(node.lineno)
