"""The kinds of value the command line reads: moments, durations, parameters, names of jobs."""

import json
import re
import zoneinfo
from datetime import UTC, datetime
from datetime import time as Time
from datetime import timedelta
from typing import Any, Final, NoReturn

import click

from cronzimus.errors import Invalid
from cronzimus.utils.env import did_you_mean, duration

MOMENT: Final = "now, -5m, +1h30m, HH:MM[:SS] or ISO 8601 such as 2026-03-29T02:30"

_JOB_ID: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_OFFSET: Final = re.compile(r"(?P<sign>[-+])\s*(?P<length>[0-9].*)")
_CLOCK: Final = re.compile(r"\d{1,2}:\d{2}(:\d{2})?")


class Duration(click.ParamType[float]):
    """A length of time in seconds, written `90s`, `1h30m`, `PT5M` or `90`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds; whole ones as int."""
        if not isinstance(value, str):
            return float(value)
        try:
            seconds = duration(value)
        except ValueError as error:
            self.fail(f"{error}, got {value!r}", param, ctx)
        return int(seconds) if seconds == int(seconds) else seconds


class KeyValue(click.ParamType[tuple[str, Any]]):
    """`name=value`, the value being JSON where it is that, else text."""

    name = "name=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Any]:
        """The name, and the value it stands for."""
        if isinstance(value, tuple):
            return value
        name, sign, text = str(value).partition("=")
        if not sign or not name.strip():
            self.fail(f"expected name=value, got {value!r}", param, ctx)
        return name.strip(), json_or_text(text)


class Label(click.ParamType[tuple[str, str]]):
    """`name=value`, both text."""

    name = "name=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """The name and the value."""
        if isinstance(value, tuple):
            return value
        name, sign, text = str(value).partition("=")
        if not sign or not name.strip():
            self.fail(f"expected name=value, got {value!r}", param, ctx)
        return name.strip(), text


class Rate(click.ParamType[dict[str, Any]]):
    """`10/1m`: so many starts in any stretch so long."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, Any]:
        """The rate as a document says it."""
        if isinstance(value, dict):
            return value
        limit, sign, stretch = str(value).partition("/")
        if not sign or not limit.strip().isdecimal():
            self.fail(f"expected starts/stretch such as 10/1m, got {value!r}", param, ctx)
        return {"limit": int(limit), "seconds": Duration().convert(stretch, param, ctx)}


def is_job_id(text: str) -> bool:
    """Whether a job can be called so."""
    return bool(_JOB_ID.fullmatch(text))


def json_or_text(text: str) -> Any:
    """What the text means as JSON; what is no JSON means itself."""
    try:
        return json.loads(text, parse_constant=_not_json)
    except (ValueError, RecursionError):
        return text


def moment(text: str, zone: str, option: str, *, now: datetime | None = None) -> datetime:
    """The UTC instant somebody wrote; Invalid names the option. Without an offset it is read in `zone`.

    What counts from now is cut to the second, as due instants lie there.
    """
    place = zone_named(zone)
    here = (now or datetime.now(UTC)).replace(microsecond=0)
    try:
        return _read(text.strip(), place, here).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(f"{option}: expected {MOMENT}; got {text!r}") from None


def optional_moment(text: str | None, option: str) -> str | None:
    """The same for an option that may be missing, as the service reads it."""
    return None if text is None else iso(moment(text, "UTC", option))


def zone_named(name: str) -> zoneinfo.ZoneInfo:
    """The time zone of that name; Invalid names the nearest one."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        hint = did_you_mean(name, zoneinfo.available_timezones()) or "; use one such as Europe/Berlin"
        raise Invalid(f"--timezone: unknown time zone {name!r}{hint}") from None


def iso(instant: datetime) -> str:
    """The instant in UTC, as the service writes it."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _read(text: str, zone: zoneinfo.ZoneInfo, now: datetime) -> datetime:
    if text.lower() == "now":
        return now
    if offset := _OFFSET.fullmatch(text):
        length = timedelta(seconds=duration(offset["length"]))
        return now - length if offset["sign"] == "-" else now + length
    if _CLOCK.fullmatch(text):
        clock = Time.fromisoformat(text.rjust(len(text) + (text[1] == ":"), "0"))
        return datetime.combine(now.astimezone(zone).date(), clock, zone)
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=zone)


def _not_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
