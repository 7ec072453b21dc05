"""A trigger in a few words, from the JSON the service answers with."""

from collections.abc import Mapping
from typing import Any, Final

_UNITS: Final = {"weeks": 604_800, "days": 86_400, "hours": 3600, "minutes": 60, "seconds": 1}
_LETTERS: Final = (("d", 86_400), ("h", 3600), ("m", 60))
_CRON_FIELDS: Final = ("second", "minute", "hour", "day", "month", "day_of_week", "week", "year")


def triggers_in_words(trigger: Mapping[str, Any] | list[Mapping[str, Any]]) -> str:
    """One trigger, or several joined by a plus."""
    triggers = trigger if isinstance(trigger, list) else [trigger]
    return " + ".join(map(_in_words, triggers))


def length_in_words(seconds: float) -> str:
    """A length of time such as `1h30m`."""
    words = ""
    for letter, unit in _LETTERS:
        count, seconds = divmod(seconds, unit)
        words += f"{int(count)}{letter}" if count else ""
    return words + (f"{seconds:g}s" if seconds or not words else "")


def _in_words(trigger: Mapping[str, Any]) -> str:
    kind = trigger.get("type")
    if kind == "interval":
        return f"every {length_in_words(sum(trigger.get(unit, 0) * size for unit, size in _UNITS.items()))}"
    if kind == "date":
        return f"at {trigger.get('run_date')}{_in_zone(trigger)}"
    if kind == "cron":
        return f"cron {trigger.get('expression') or _fields(trigger)}{_in_zone(trigger)}"
    return str(kind)


def _fields(trigger: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={trigger[name]}" for name in _CRON_FIELDS if trigger.get(name) is not None)


def _in_zone(trigger: Mapping[str, Any]) -> str:
    return f" ({trigger['timezone']})" if trigger.get("timezone") else ""
