"""One record of the log as text: for people, for machines, and as whoever listens to it gets it."""

import json
import math
import re
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from cronzimus.common.masking import mask

Record = Mapping[str, Any]

_COLOURS: Final = {
    "TRACE": "2",
    "DEBUG": "36",
    "SUCCESS": "32",
    "WARNING": "33",
    "ERROR": "31",
    "CRITICAL": "1;31",
}
_FRAMES: Final = 30
_OWN_FIELDS: Final = frozenset({"ts", "level", "message", "logger", "exception"})
# What a line of a run need not repeat: the run says it.
_OF_THE_RUN: Final = frozenset({"run_id", "job_id", "trace_id"})


def json_line(record: Record) -> str:
    """One flat JSON object."""
    fields: dict[str, Any] = {"ts": _time(record), "level": record["level"].name, "logger": name_of(record)}
    fields["message"] = mask(record["message"])
    for name, value in _extras(record).items():
        fields[f"extra_{name}" if name in _OWN_FIELDS else name] = _plain(value)
    if text := _exception(record):
        fields["exception"] = text
    return json.dumps(fields, ensure_ascii=False)


def text_line(record: Record, coloured: bool) -> str:
    """One line, or several of which all but the first are indented."""
    level = f"{record['level'].name:<8}"
    if coloured and (colour := _COLOURS.get(record["level"].name)):
        level = f"\x1b[{colour}m{level}\x1b[0m"
    extras = "".join(f" {name}={value}" for name, value in _extras(record).items())
    text = mask(record["message"] + extras)
    if trace := _exception(record):
        text += "\n" + trace
    return f"{_time(record)} {level} {name_of(record)}: {_tame(text)}"


def run_text(record: Record) -> str:
    """The message with its fields and its traceback, as the log of a run shows it; not masked."""
    fields = _extras(record).items()
    text = str(record["message"]) + "".join(f" {n}={v}" for n, v in fields if n not in _OF_THE_RUN)
    trace = _exception(record)
    return f"{text}\n{trace}" if trace else text


def name_of(record: Record) -> str:
    """The logger it was said to."""
    return str(record["extra"].get("logger") or record["name"])


def _time(record: Record) -> str:
    moment: datetime = record["time"]
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _extras(record: Record) -> Mapping[str, Any]:
    return {name: value for name, value in record["extra"].items() if name not in ("logger", "_line")}


def _exception(record: Record) -> str:
    """The traceback without values of variables, which may be secrets, and with bounded depth."""
    caught = record["exception"]
    if caught is None or caught.type is None:
        return ""
    return mask(
        "".join(traceback.format_exception(caught.type, caught.value, caught.traceback, limit=-_FRAMES))
    ).rstrip()


def _plain(value: Any) -> Any:
    """`value` as JSON can carry it, masked."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return mask(str(value))


def _tame(text: str) -> str:
    """Continuation lines are indented and control characters shown, so that no message can forge a line."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]", lambda m: f"\\x{ord(m[0]):02x}", text).replace(
        "\n", "\n    "
    )
