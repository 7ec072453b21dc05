"""Things in words: triggers, lengths of time, documents without their secrets."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from cronzimus.api.render import milliseconds
from cronzimus.common.masking import mask, mask_all
from cronzimus.errors import CronzimusError
from cronzimus.models.schedule import describe
from cronzimus.models.trigger import Trigger

_TRIGGERS: Final = TypeAdapter[Trigger | tuple[Trigger, ...]](Trigger | tuple[Trigger, ...])
_STEPS: Final = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"))


def trigger_in_words(definition: Mapping[str, Any]) -> str:
    """When the job of a document is due; of one that nobody can read, that it cannot be read."""
    trigger = json.dumps(definition.get("trigger"))
    return _told(trigger, str(definition.get("timezone", "UTC")), str(definition.get("id", "")))


@lru_cache(maxsize=4096)
def _told(trigger: str, timezone: str, job_id: str) -> str:
    try:
        read = _TRIGGERS.validate_python(_frozen(json.loads(trigger)))
        triggers = read if isinstance(read, tuple) else (read,)
        told = "; ".join(describe(one, job_id=job_id) for one in triggers)
    except (ValidationError, CronzimusError, ValueError):
        return "cannot be read"
    on_a_clock = any(one.type in ("cron", "date") and not one.timezone for one in triggers)
    return f"{told} ({timezone})" if on_a_clock and timezone != "UTC" else told


def _frozen(trigger: Any) -> Any:
    return tuple(trigger) if isinstance(trigger, list) else trigger


def duration(value: float | None) -> str:
    """A length of time given in milliseconds: `12 ms`, `3.4 s`, `2 min 5 s`, `1 d 4 h`."""
    if value is None:
        return ""
    if value < 1000:
        return f"{value:.0f} ms"
    if value < 60_000:
        return f"{value / 1000:.3g} s"
    words = []
    for size, unit in _STEPS:
        count, value = divmod(value, size)
        if count:
            words.append(f"{count:.0f} {unit}")
    return " ".join([*words, f"{value / 1000:.0f} s"][:2])


def lasted(thing: Any) -> str:
    """How long a run or an attempt took, once it has ended."""
    return duration(milliseconds(thing.started_at, thing.ended_at))


def what_it_calls(definition: Mapping[str, Any]) -> str:
    """What the job of a document does, on one line."""
    params = definition.get("params", {})
    match definition.get("kind"):
        case "shell":
            return " ".join(map(str, params.get("command", ())))
        case "http":
            return f"{params.get('method', 'GET')} {params.get('url', '')}"
        case "sql":
            return str(params.get("statement", ""))
        case _:
            return str(params.get("func", ""))


def pretty(document: Any) -> str:
    """A document for people, without the secrets in it."""
    return mask(json.dumps(mask_all(document), indent=2, ensure_ascii=False, default=str))


def utc(moment: datetime) -> str:
    """An instant as it is written before a browser makes it local."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def outcomes(states: Iterable[str]) -> str:
    """Outcomes counted, the most frequent first: `28 success, 2 failed`."""
    return ", ".join(f"{number} {state}" for state, number in Counter(states).most_common())


def count(number: int) -> str:
    """A number that can be read: 12,345."""
    return f"{number:,}"


FILTERS: Final[Mapping[str, Callable[..., str]]] = {
    "trigger_in_words": trigger_in_words,
    "duration": duration,
    "outcomes": outcomes,
    "lasted": lasted,
    "pretty": pretty,
    "what_it_calls": what_it_calls,
    "masked": mask,
    "utc": utc,
    "count": count,
}
