"""A job's document as the fields of a form, and back; what has no field of its own is written as JSON."""

import json
import shlex
from collections.abc import Mapping
from typing import Any, Final

from cronzimus.errors import Fault, Invalid

Fields = dict[str, str]

UNITS: Final = ("seconds", "minutes", "hours", "days", "weeks")
TRIGGERS: Final = ("interval", "cron", "date", "manual", "json")
EMPTY: Final[Mapping[str, str]] = {
    "id": "",
    "description": "",
    "kind": "function",
    "what": "",
    "trigger": "cron",
    "cron": "",
    "every": "",
    "unit": "minutes",
    "at": "",
    "timezone": "UTC",
    "tags": "",
    "max_attempts": "",
    "timeout": "",
    "overlap": "skip",
    "more": "",
}

_WHAT: Final = {"function": "func", "shell": "command", "http": "url", "sql": "statement"}
_POLICY: Final = ("max_attempts", "timeout", "overlap")
_PLAIN: Final = ("id", "description", "kind", "timezone")
_OF_TRIGGER: Final = {"cron": "cron", "interval": "every", "date": "at"}
_NOTHING: Final[tuple[Any, ...]] = (None, 0, "", "skip", [])


def fields_of(document: Mapping[str, Any]) -> Fields:
    """What the form shows of a document."""
    rest = json.loads(json.dumps(document))
    plain = {name: str(rest.pop(name, EMPTY[name])) for name in _PLAIN}
    what = rest.get("params", {}).pop(_WHAT[plain["kind"]], "")
    policy = {name: _text(rest.get("policy", {}).pop(name, None)) for name in _POLICY}
    tags = ", ".join(rest.pop("tags", ()))
    trigger = _trigger_fields(rest.get("trigger"))
    if trigger["trigger"] != "json":
        rest.pop("trigger", None)
    told = {
        **plain,
        **trigger,
        **policy,
        "tags": tags,
        "what": shlex.join(what) if isinstance(what, list) else _text(what),
        "more": json.dumps({name: one for name, one in rest.items() if one not in (None, {}, [])}, indent=2),
    }
    return {**EMPTY, **told}


def document_of(fields: Mapping[str, str]) -> dict[str, Any]:
    """The document that filled-in fields mean, unchecked; raises Invalid where they cannot be put together."""
    said = {**EMPTY, **fields}
    document = _more(said["more"])
    document.update({name: said[name].strip() for name in _PLAIN if said[name].strip()})
    document["tags"] = [tag.strip() for tag in said["tags"].split(",") if tag.strip()]
    document["params"] = {**_object(document, "params"), **_what(said)}
    policy = {name: _number(said[name].strip()) for name in _POLICY if said[name].strip()}
    document["policy"] = {**_object(document, "policy"), **policy}
    if said["trigger"] != "json":
        document["trigger"] = _trigger(said)
    return document


def field_of(path: str, fields: Mapping[str, str]) -> str:
    """The field of the form in which the mistake at a path of the document was made."""
    first, _, rest = path.partition(".")
    if first == "params" and rest.split(".")[0] in _WHAT.values():
        return "what"
    if first == "trigger":
        return _OF_TRIGGER.get(fields.get("trigger", ""), "more")
    if first == "policy" and rest in _POLICY:
        return rest
    return first if first in (*_PLAIN, "tags", "trigger") else "more"


def _trigger_fields(trigger: Any) -> Fields:
    """The fields of a trigger that is no more than they can say."""
    if trigger is None:
        return {"trigger": EMPTY["trigger"]}
    if isinstance(trigger, list):
        return {"trigger": "json"}
    said = {name: one for name, one in trigger.items() if one not in _NOTHING and name != "type"}
    match trigger.get("type"), [*said]:
        case "manual", []:
            return {"trigger": "manual"}
        case "cron", ["expression"]:
            return {"trigger": "cron", "cron": str(said["expression"])}
        case "date", ["run_date"]:
            return {"trigger": "date", "at": str(said["run_date"])}
        case "interval", [unit] if unit in UNITS:
            return {"trigger": "interval", "every": _text(said[unit]), "unit": unit}
        case _:
            return {"trigger": "json"}


def _trigger(said: Mapping[str, str]) -> dict[str, Any]:
    match said["trigger"]:
        case "interval":
            return {"type": "interval", said["unit"]: _number(said["every"].strip())}
        case "date":
            return {"type": "date", "run_date": said["at"].strip()}
        case "manual":
            return {"type": "manual"}
        case _:
            return {"type": "cron", "expression": said["cron"].strip()}


def _what(said: Mapping[str, str]) -> dict[str, Any]:
    text, kind = said["what"].strip(), said["kind"]
    if not text or kind not in _WHAT:
        return {}
    try:
        return {_WHAT[kind]: shlex.split(text) if kind == "shell" else text}
    except ValueError as error:
        raise _fault("params.command", f"cannot be read as a command: {error}") from None


def _more(text: str) -> dict[str, Any]:
    try:
        more = json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        raise _fault("more", f"must be JSON: {error}") from None
    if not isinstance(more, dict):
        raise _fault("more", "must be a JSON object")
    return more


def _object(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = document.get(name, {})
    if not isinstance(found, dict):
        raise _fault("more", f"{name} must be an object")
    return found


def _number(text: str) -> int | float | str:
    """The number a text is; any other text stays, and the model says what is wrong with it."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _text(value: Any) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _fault(field: str, message: str) -> Invalid:
    return Invalid(f"{field}: {message}", faults=(Fault(field, message),))
