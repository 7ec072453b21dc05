"""Flask-APScheduler's shape of a job, to and from ours; nothing that shape can say is lost."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cronzimus.errors import Fault, Invalid
from cronzimus.models.faults import shown
from cronzimus.models.job import Job
from cronzimus.models.kinds import Kind, call_of, function_of
from cronzimus.models.policy import CatchUp

_FOREVER: Final = 31_536_000
_JOB_FIELDS: Final = frozenset(
    {"id", "name", "func", "args", "kwargs", "trigger", "misfire_grace_time", "coalesce", "max_instances"}
)
_STORE_FIELDS: Final = frozenset({"executor", "jobstore"})
_ADD_FIELDS: Final = frozenset({"next_run_time", "replace_existing"})
_UNITS: Final = {"weeks": 604_800, "days": 86_400, "hours": 3600, "minutes": 60, "seconds": 1}
_UNSAID: Final = (("jitter", 0), ("misfire", "skip"))
_EPOCH: Final = "1970-01-01T00:00:00Z"  # what an interval without a start counts from
_CRONTAB: Final = ("minute", "hour", "day", "month", "day_of_week")
_FROM_MONDAY: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FROM_SUNDAY: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAY_NUMBER: Final = re.compile(r"(?<![\d/#])[0-7](?!\d)")


def to_document(body: Mapping[str, Any]) -> dict[str, Any]:
    """A job's document from what Flask-APScheduler's clients send to add one."""
    _refuse_stores(body)
    document = {"params": _params(body, {}), "trigger": _trigger(body), "policy": _policy(body)}
    named = {"id": body["id"]} if "id" in body else {}
    return {**named, "kind": "function", **document, **_description(body)}


def to_changed_document(document: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the changes that Flask-APScheduler's clients send to modify one."""
    _refuse_stores(body)
    changed = dict(document)
    if {"func", "args", "kwargs"} & body.keys():
        _refuse_other_kinds(document)
        changed["params"] = _params(body, document.get("params", {}))
    if "trigger" in body or _trigger_fields(body):
        changed["trigger"] = _trigger(body)
    return {**changed, "policy": {**document.get("policy", {}), **_policy(body)}, **_description(body)}


def wants_pause(body: Mapping[str, Any]) -> bool:
    """Whether the job is to be added without firing: APScheduler says so with `next_run_time: null`."""
    if body.get("next_run_time") is not None:
        raise _invalid("next_run_time", "follows from the trigger; give null to add the job paused")
    return "next_run_time" in body


def wants_replacement(body: Mapping[str, Any]) -> bool:
    """Whether a job of that id may be there already."""
    return "replace_existing" in body and _flag(body, "replace_existing")


def legacy_view(job: Job) -> dict[str, Any]:
    """The job as Flask-APScheduler would show it."""
    document = job.definition
    kind, params = Kind(document["kind"]), document["params"]
    args, kwargs = call_of(kind, params)
    policy = document["policy"]
    return {
        "id": job.id,
        "name": document["description"] or job.id,
        "func": function_of(kind, params),
        "args": args,
        "kwargs": kwargs,
        **_shown_trigger(document["trigger"]),
        "misfire_grace_time": _whole(policy["misfire_grace"]),
        "max_instances": policy["max_instances"],
        "next_run_time": job.next_due_at,
    }


def _refuse_stores(body: Mapping[str, Any]) -> None:
    for name in _STORE_FIELDS & body.keys():
        if body[name] != "default":
            raise _invalid(name, f"must be 'default', got {shown(body[name])}: there is one")


def _refuse_other_kinds(document: Mapping[str, Any]) -> None:
    if document.get("kind") != Kind.FUNCTION:
        raise _invalid("func", f"cannot be changed here: the job is of kind {document.get('kind')}")


def _params(body: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: body[name] for name in ("func", "args", "kwargs") if body.get(name) is not None}
    return {**params, **given}


def _description(body: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": body["name"]} if body.get("name") is not None else {}


def _policy(body: Mapping[str, Any]) -> dict[str, Any]:
    policy: dict[str, Any] = {}
    if "misfire_grace_time" in body:
        grace = body["misfire_grace_time"]
        policy["misfire_grace"] = _FOREVER if grace is None else grace
    if "max_instances" in body:
        policy["max_instances"] = body["max_instances"]
    if "coalesce" in body:
        policy["catch_up"] = CatchUp.LATEST if _flag(body, "coalesce") else CatchUp.ALL
    return policy


def _flag(body: Mapping[str, Any], name: str) -> bool:
    value = body[name]
    if not isinstance(value, bool):
        raise _invalid(name, f"must be true or false, got {shown(value)}")
    return value


def _trigger_fields(body: Mapping[str, Any]) -> dict[str, Any]:
    known = _JOB_FIELDS | _STORE_FIELDS | _ADD_FIELDS
    return {name: value for name, value in body.items() if name not in known}


def _trigger(body: Mapping[str, Any]) -> dict[str, Any]:
    """The trigger by its name with its fields beside it, or as an object with a type."""
    trigger = body.get("trigger")
    if isinstance(trigger, Mapping):
        fields = {"type": "date", **trigger, **_trigger_fields(body)}
    elif isinstance(trigger, str):
        fields = {"type": trigger, **_trigger_fields(body)}
    else:
        message = "must be interval, cron or date with its fields beside it, or an object with a type"
        raise _invalid("trigger", message, code="INVALID_TRIGGER")
    if fields["type"] == "date" and fields.get("run_date") is None:
        fields["run_date"] = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    if fields["type"] == "cron" and "day_of_week" in fields:
        fields["day_of_week"] = _renamed(fields["day_of_week"], _FROM_MONDAY)
    return fields


def _shown_trigger(trigger: Any) -> dict[str, Any]:
    if not isinstance(trigger, Mapping):
        return {"trigger": f"or[{', '.join(str(part['type']) for part in trigger)}]"}
    given = {name: value for name, value in trigger.items() if name not in _UNITS and value is not None}
    fields = {name: value for name, value in given.items() if (name, value) not in _UNSAID and name != "type"}
    if trigger["type"] == "interval":
        fields = {"start_date": _EPOCH, **fields, **_split(trigger)}
    if trigger["type"] == "cron":
        fields = _cron_fields(fields)
    return {"trigger": trigger["type"], **fields}


def _split(trigger: Mapping[str, Any]) -> dict[str, Any]:
    rest = sum(_UNITS[unit] * (trigger.get(unit) or 0) for unit in _UNITS)
    counts = {}
    for unit, seconds in _UNITS.items():
        counts[unit], rest = divmod(rest, seconds)
    return {unit: _whole(count) for unit, count in counts.items() if count}


def _whole(number: float) -> float:
    return int(number) if number == int(number) else number


def _cron_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """Cron text as the fields clients know; weekdays by name, because APScheduler counts from Monday."""
    words = str(fields.get("expression") or "").split()
    if len(words) in (5, 6):
        names = _CRONTAB if len(words) == 5 else ("second", *_CRONTAB)
        others = {name: value for name, value in fields.items() if name != "expression"}
        fields = {**others, **dict(zip(names, words, strict=True))}
    if "day_of_week" in fields:
        fields["day_of_week"] = _renamed(fields["day_of_week"], _FROM_SUNDAY)
    return fields


def _renamed(weekdays: Any, names: tuple[str, ...]) -> Any:
    """Weekday numbers as names; those the naming does not know stay, for the trigger to judge."""
    if isinstance(weekdays, bool) or not isinstance(weekdays, int | str):
        return weekdays
    return _WEEKDAY_NUMBER.sub(
        lambda found: names[int(found[0])] if int(found[0]) < len(names) else found[0], str(weekdays)
    )


def _invalid(field: str, message: str, *, code: str | None = None) -> Invalid:
    fault = Fault(field, message)
    return Invalid(f"{field}: {message}", code=code, faults=(fault,))
