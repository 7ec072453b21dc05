"""The filters of templates: instants and texts, each with what it takes; what they make is bounded."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from cronzimus.models.cron_zone import known_zone
from cronzimus.utils.env import did_you_mean, duration

_FORMAT: Final = re.compile(r"(?:[^%]|%[YmdHMSjyBbAaGVuzZ%])*")


def check_filter(name: str, values: list[Any]) -> None:
    """Raise ValueError unless there is such a filter and it takes these values."""
    if name not in FILTERS:
        raise ValueError(f"there is no filter {name!r}{did_you_mean(name, FILTERS)}")
    check, takes = _ARGUMENTS.get(name, (None, 0))
    if len(values) != takes:
        raise ValueError(f"filter {name}: takes {'one value' if takes else 'no value'}")
    if check is not None:
        check(*values)


def written(value: Any) -> Any:
    """A value as it stands in a text when no filter shaped it: an instant is written as ISO 8601."""
    return _iso(value) if isinstance(value, datetime) else value


def _instant(value: Any) -> datetime:
    if value is None:
        raise ValueError("there is no such instant yet; name another with 'or'")
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    if isinstance(found, date) and not isinstance(found, datetime):
        found = datetime(found.year, found.month, found.day)
    if not isinstance(found, datetime):
        raise ValueError(_not_an_instant(found))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _not_an_instant(value: Any) -> str:
    """Why not; a name that is not there says so itself when it is made a text."""
    return f"the filter wants an instant, got {str(value)[:60]!r}"


def _iso(value: Any) -> str:
    return _instant(value).isoformat().replace("+00:00", "Z")


def _format(value: Any, form: str) -> str:
    return _instant(value).strftime(form)


def _in_zone(value: Any, zone: str) -> datetime:
    return _instant(value).astimezone(ZoneInfo(zone))


def _moved(value: Any, text: str, sign: int) -> datetime:
    return _instant(value) + sign * timedelta(seconds=duration(text))


def _check_zone(zone: Any) -> None:
    if not isinstance(zone, str):
        raise ValueError("filter in_zone: takes the name of a zone, such as in_zone('Europe/Berlin')")
    known_zone(zone)


def _check_format(form: Any) -> None:
    if not isinstance(form, str) or len(form) > 100 or not _FORMAT.fullmatch(form):
        raise ValueError(
            "filter format: takes a text with %Y %m %d %H %M %S %j %y %B %b %A %a %G %V %u %z %Z %%"
        )


def _check_length(text: Any) -> None:
    if duration(text if isinstance(text, str) else "") > timedelta(days=3660).total_seconds():
        raise ValueError("filters plus and minus: at most ten years")


def _or_default(value: Any, otherwise: Any) -> Any:
    return otherwise if value is None else value


_ARGUMENTS: Final[Mapping[str, Any]] = {
    "in_zone": (_check_zone, 1),
    "format": (_check_format, 1),
    "plus": (_check_length, 1),
    "minus": (_check_length, 1),
    "default": (None, 1),
}
FILTERS: Final[Mapping[str, Any]] = {
    "iso": _iso,
    "date": lambda value: _format(value, "%Y-%m-%d"),
    "time": lambda value: _format(value, "%H:%M:%S"),
    "epoch": lambda value: int(_instant(value).timestamp()),
    "format": _format,
    "in_zone": _in_zone,
    "plus": lambda value, text: _moved(value, text, 1),
    "minus": lambda value, text: _moved(value, text, -1),
    "default": _or_default,
    "lower": lambda value: str(value).lower(),
    "upper": lambda value: str(value).upper(),
    "urlencode": lambda value: quote(str(value), safe=""),
}
