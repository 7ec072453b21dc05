"""The jobs of APScheduler's SQLAlchemy store: its pickles are read as data and never executed."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any, Final, NamedTuple

from cronzimus.importers.apscheduler_cron import Unreadable, cron_fields
from cronzimus.importers.pickles import Name, Record, read_pickle
from cronzimus.importers.report import Fate, Imported, Names, Note, shortened, told, trouble_with
from cronzimus.models.cron_zone import zone_of

_TRIGGERS: Final = "apscheduler.triggers."
_EXPRESSIONS: Final = ("All", "Range", "MonthRange", "WeekdayRange", "WeekdayPosition", "LastDayOfMonth")
_FIELDS: Final = ("Base", "Month", "DayOfMonth", "Week", "DayOfWeek")
_ZONES: Final = {"zoneinfo.ZoneInfo", "zoneinfo.ZoneInfo._unpickle", "pytz._p", "pytz.timezone"}
_UTC: Final = {"pytz._UTC", "pytz.utc", "dateutil.tz.tz.tzutc", "datetime.timezone"}
_LONGEST_GRACE: Final = 31_536_000.0

KNOWN: Final = frozenset(
    {f"{_TRIGGERS}cron.expressions.{name}Expression" for name in _EXPRESSIONS}
    | {f"{_TRIGGERS}cron.fields.{name}Field" for name in _FIELDS}
    | {f"{_TRIGGERS}{name}" for name in ("cron.CronTrigger", "interval.IntervalTrigger", "date.DateTrigger")}
    | {f"{_TRIGGERS}combining.{name}Trigger" for name in ("And", "Or")}
    | {"datetime.datetime", "datetime.timedelta", "_codecs.encode", "copy_reg._reconstructor"}
    | {"copyreg._reconstructor", "builtins.object", "__builtin__.object"}
    | _ZONES
    | _UTC
)


class Entry(NamedTuple):
    """One row of the store; `next_run_time` None is a job that was paused."""

    id: str
    next_run_time: float | None
    job_state: bytes


def import_apscheduler(entries: Iterable[Entry]) -> Imported:
    """Every row of the store; one that cannot be read without executing it is refused with the reason."""
    documents: list[dict[str, Any]] = []
    notes: list[Note] = []
    names = Names()
    for entry in entries:
        try:
            document, remarks = _document(entry)
        except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError) as error:
            notes.append(Note(entry.id, Fate.REFUSED, str(error) or type(error).__name__))
            continue
        trouble = trouble_with({"id": "a", **document})
        if trouble is not None:
            notes.append(Note(entry.id, Fate.REFUSED, trouble))
            continue
        job_id = names.slug(entry.id)
        documents.append({"id": job_id, **document})
        fate = Fate.PAUSED if document.get("paused") else Fate.JOB
        notes.append(Note(entry.id, fate, told(remarks), job_id))
    return Imported(tuple(documents), tuple(notes))


def _document(entry: Entry) -> tuple[dict[str, Any], list[str]]:
    state = read_pickle(entry.job_state, KNOWN)
    if not isinstance(state, dict) or not isinstance(state.get("func"), str):
        raise Unreadable("its state is not that of a job")
    function = state["func"]
    triggers = [_trigger(trigger) for trigger in _each(state["trigger"])]
    params: dict[str, Any] = {"func": function}
    params |= {"args": _json("args", list(state["args"]))} if state.get("args") else {}
    params |= {"kwargs": _json("kwargs", dict(state["kwargs"]))} if state.get("kwargs") else {}
    remarks = [f"calls {function}; it must be importable and within scheduler.allowed_functions"]
    if state.get("executor") not in (None, "default"):
        remarks.append(f"executor {state['executor']!r} has no counterpart; see queue")
    if any("jitter" in trigger for trigger in triggers):
        remarks.append("jitter puts a start off, it never makes it earlier")
    document: dict[str, Any] = {
        "description": shortened(f"APScheduler: {state.get('name') or entry.id}"),
        "params": params,
        "trigger": triggers[0] if len(triggers) == 1 else triggers,
        "policy": _policy(state),
    }
    if entry.next_run_time is None:
        document["paused"] = True
        remarks.append("it was paused")
    return document, remarks


def _policy(state: dict[str, Any]) -> dict[str, Any]:
    grace = state.get("misfire_grace_time")
    return {
        "misfire_grace": _LONGEST_GRACE if grace is None else float(grace),
        "catch_up": "latest" if state.get("coalesce", True) else "all",
        "max_instances": int(state.get("max_instances") or 1),
    }


def _each(trigger: Any) -> Iterator[Record]:
    """The triggers of a job: those of an OrTrigger one by one."""
    kind = _kind(trigger)
    if kind == "OrTrigger":
        if trigger.fields.get("jitter"):
            raise Unreadable("an OrTrigger with a jitter of its own has no counterpart")
        for reference, state in trigger.fields["triggers"]:
            module, _, name = str(reference).partition(":")
            yield from _each(Record(Name(module, name), (), state))
    elif kind == "AndTrigger":
        raise Unreadable("an AndTrigger has no counterpart: instants of several schedules at once")
    else:
        yield trigger


def _trigger(trigger: Record) -> dict[str, Any]:
    kind, state = _kind(trigger), trigger.fields
    if kind == "DateTrigger":
        return {"type": "date", "run_date": _moment(state["run_date"])}
    common = {name: _moment(state[name]) for name in ("start_date", "end_date") if state.get(name)}
    if state.get("jitter"):
        common["jitter"] = state["jitter"]
    if kind == "IntervalTrigger":
        length = _length(state["interval"])
        return {"type": "interval", "seconds": _short(length.total_seconds()), **common}
    if kind == "CronTrigger":
        return {
            "type": "cron",
            **cron_fields(state["fields"]),
            "timezone": _zone(state["timezone"]),
            **common,
        }
    raise Unreadable(f"a trigger of the kind {trigger.made_by} is not known")


def _kind(trigger: Any) -> str:
    if not isinstance(trigger, Record):
        raise Unreadable("it has no trigger")
    by = trigger.made_by
    if by.name == "_reconstructor" and trigger.args and isinstance(trigger.args[0], Name):
        by = trigger.args[0]
    return by.name if by.module.startswith(_TRIGGERS) else str(by)


def _moment(value: Any) -> str:
    """A pickled datetime in ISO 8601; ten bytes say it, the zone stands behind them."""
    if not isinstance(value, Record) or str(value.made_by) != "datetime.datetime":
        raise Unreadable("a date of an unknown kind")
    raw = _bytes(value.args[0])
    year, month, day, hour, minute, second = int.from_bytes(raw[:2]), raw[2] & 0x7F, *raw[3:7]
    fold = raw[2] >> 7
    found = datetime(year, month, day, hour, minute, second, int.from_bytes(raw[7:10]), fold=fold)
    if len(value.args) == 1:
        return found.isoformat()
    return found.replace(tzinfo=_tzinfo(value.args[1])).isoformat()


def _tzinfo(value: Any) -> Any:
    from_offset = isinstance(value, Record) and str(value.made_by) == "datetime.timezone"
    return timezone(_length(value.args[0])) if from_offset else zone_of(_zone(value))


def _zone(value: Any) -> str:
    """The name of a pickled time zone."""
    if isinstance(value, Name) and str(value) in _UTC:
        return "UTC"
    if isinstance(value, Record):
        made_by = str(value.made_by)
        if made_by in _ZONES and value.args and isinstance(value.args[0], str):
            return value.args[0]
        if made_by in _UTC and (made_by != "datetime.timezone" or not _length(value.args[0])):
            return "UTC"
    raise Unreadable("a time zone of an unknown kind")


def _length(value: Any) -> timedelta:
    if not isinstance(value, Record) or str(value.made_by) != "datetime.timedelta":
        raise Unreadable("a length of an unknown kind")
    return timedelta(*value.args)


def _bytes(value: Any) -> bytes:
    """Ten bytes, as they are or in the disguise older protocols gave them."""
    if isinstance(value, Record) and str(value.made_by) == "_codecs.encode":
        value = str(value.args[0]).encode("latin-1")
    if isinstance(value, str):
        value = value.encode("latin-1")
    if not isinstance(value, bytes) or len(value) != 10:
        raise Unreadable("a date of an unknown kind")
    return value


def _json(name: str, value: Any) -> Any:
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError):
        raise Unreadable(f"its {name} hold more than plain data") from None


def _short(number: float) -> float:
    return int(number) if number.is_integer() else number
