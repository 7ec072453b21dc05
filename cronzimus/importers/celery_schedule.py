"""What Celery's schedules mean here: crontab, timedelta and numbers, read as they are written."""

import ast
from collections.abc import Mapping
from typing import Any, Final

from cronzimus.importers.report import shortened

_UNITS: Final = ("weeks", "days", "hours", "minutes", "seconds")
_CRONTAB: Final = ("minute", "hour", "day_of_week", "day_of_month", "month_of_year")
_OURS: Final = {"day_of_month": "day", "month_of_year": "month"}
_SUN: Final = "solar: when the sun rises is not foreseen here; give a time of day"


class Unreadable(ValueError):
    """An entry that cannot be taken over, and why."""


def trigger_of(node: ast.expr) -> dict[str, Any]:
    """The trigger of a schedule that is written out; raises Unreadable for one that is computed."""
    if isinstance(node, ast.Call):
        return _of_call(node)
    if isinstance(node, ast.BinOp):
        return every(_number(node))
    value = value_of(node)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return every(value)
    raise Unreadable(f"a schedule of this kind is not known: {shortened(ast.unparse(node))}")


def _of_call(node: ast.Call) -> dict[str, Any]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    given = {word.arg: word.value for word in node.keywords if word.arg}
    if name == "solar":
        raise Unreadable(_SUN)
    if name == "crontab":
        given |= dict(zip(_CRONTAB, node.args, strict=False))
        return cron({field: value_of(value) for field, value in given.items() if field in _CRONTAB})
    if name == "timedelta":
        given |= dict(zip(("days", "seconds", "microseconds"), node.args, strict=False))
        return interval({unit: _number(value) for unit, value in given.items()})
    if name == "schedule":
        first = node.args[0] if node.args else given.get("run_every")
        if first is not None:
            return trigger_of(first)
    raise Unreadable(f"a schedule of this kind is not known: {shortened(ast.unparse(node))}")


def cron(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Celery's crontab: a field that is not named is any; numbers, text, lists and sets are members."""
    told = {name: _members(fields[name]) for name in _CRONTAB if fields.get(name) not in (None, "")}
    named = {_OURS.get(name, name): text for name, text in told.items()}
    return {"type": "cron", **{**{"minute": "*", "hour": "*"}, **named}}


def interval(units: Mapping[str, float]) -> dict[str, Any]:
    """A timedelta, unit by unit; what is shorter than a second counts in parts of one."""
    kept = {unit: _short(units[unit]) for unit in _UNITS if units.get(unit)}
    parts = units.get("milliseconds", 0) / 1000 + units.get("microseconds", 0) / 1_000_000
    if parts:
        kept["seconds"] = _short(kept.get("seconds", 0) + parts)
    return {"type": "interval", **kept}


def every(seconds: float) -> dict[str, Any]:
    """So many seconds."""
    return {"type": "interval", "seconds": _short(seconds)}


def document_of(
    entry: str, task: str, trigger: dict[str, Any], zone: str, args: Any, kwargs: Any, options: Any
) -> tuple[dict[str, Any], list[str]]:
    """The job that calls the task's function, and what to know about it; raises Unreadable."""
    module, dot, function = task.rpartition(".")
    if not dot:
        raise Unreadable(f"task {task!r} names no module, so its function is not known")
    if not isinstance(args, list | tuple) or not isinstance(kwargs, Mapping):
        raise Unreadable("args must be a list and kwargs a mapping")
    remarks = [f"calls {module}:{function}; it must be importable and within scheduler.allowed_functions"]
    policy = {"misfire_grace": float(options["expires"])} if _is_number(_get(options, "expires")) else {}
    left = sorted(str(name) for name in options if name not in ("expires", "queue")) if options else []
    if left:
        remarks.append(f"options not taken over: {', '.join(left)}")
    params: dict[str, Any] = {"func": f"{module}:{function}"}
    params |= {"args": list(args)} if args else {}
    params |= {"kwargs": dict(kwargs)} if kwargs else {}
    queue = _get(options, "queue")
    document = {
        "description": shortened(f"Celery beat: {entry} ({task})"),
        "params": params,
        "trigger": trigger,
        **({} if zone == "UTC" else {"timezone": zone}),
        **({"policy": policy} if policy else {}),
        **({"queue": queue} if isinstance(queue, str) else {}),
    }
    return document, remarks


def value_of(node: ast.expr) -> Any:
    """A value that is written out; raises Unreadable for one that is computed."""
    try:
        return _plain(ast.literal_eval(node))
    except (ValueError, TypeError, RecursionError, MemoryError):
        raise Unreadable(f"computed, not written out: {shortened(ast.unparse(node))}") from None


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return [_plain(item) for item in sorted(value, key=repr)]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise ValueError(f"{type(value).__name__} has no form in JSON")


def _number(node: ast.expr) -> float:
    """A number, or a product, sum or quotient of numbers such as `60 * 60`."""
    if isinstance(node, ast.BinOp):
        left, right = _number(node.left), _number(node.right)
        if isinstance(node.op, ast.Mult):
            return left * right
        if isinstance(node.op, ast.Add):
            return left + right
        if isinstance(node.op, ast.Div) and right:
            return left / right
    elif _is_number(value := value_of(node)):
        return float(value)
    raise Unreadable(f"computed, not written out: {shortened(ast.unparse(node))}")


def _members(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(str(item) for item in value)
    return str(value).replace(" ", "")


def _short(number: float) -> float:
    return int(number) if float(number).is_integer() else number


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _get(options: Any, name: str) -> Any:
    return options.get(name) if isinstance(options, Mapping) else None
