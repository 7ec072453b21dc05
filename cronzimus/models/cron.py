"""A whole cron line: from its text or fields to a compiled table of wall-clock times.

A table knows nothing of zones: it answers in *wall seconds*, what a clock on the wall would show, counted
from 1970-01-01 00:00 on that clock. `cron_dst.py` turns wall seconds into instants.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from cronzimus.models.cron_days import DayRule
from cronzimus.models.cron_field import CronError, Item, check_text, plain_text, read_field, read_years
from cronzimus.models.cron_zone import DAY

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_NEVER = 255
_SHORTHANDS = {
    "@YEARLY": "0 0 1 1 *",
    "@ANNUALLY": "0 0 1 1 *",
    "@MONTHLY": "0 0 1 * *",
    "@WEEKLY": "0 0 * * 0",
    "@DAILY": "0 0 * * *",
    "@MIDNIGHT": "0 0 * * *",
    "@HOURLY": "0 * * * *",
}
_BY_SIGNIFICANCE = ("year", "month", "day", "week", "day_of_week", "hour", "minute", "second")
_LEAST = {
    "month": "1",
    "day": "1",
    "week": "*",
    "day_of_week": "*",
    "hour": "0",
    "minute": "0",
    "second": "0",
}


class CronFields(NamedTuple):
    """The text of all eight fields, in capitals."""

    second: str
    minute: str
    hour: str
    day: str
    month: str
    day_of_week: str
    week: str = "*"
    year: str = "*"

    @property
    def spread(self) -> bool:
        """Whether any field leaves its place to the job id (`H`)."""
        return any("H" in text.replace("THU", "") for text in self)

    @property
    def both_days(self) -> bool:
        """Vixie's rule: day and weekday must agree if either begins with `*`, else one of them is enough."""
        return self.day.startswith("*") or self.day_of_week.startswith("*")

    @property
    def follows_wall(self) -> bool:
        """Debian's rule: such a line runs whenever the wall clock shows its time, twice or not at all."""
        return self.minute.startswith("*") or self.hour.startswith("*")

    def placed(self, salt: str | None) -> "CronFields":
        """The same line with every `H` placed for one job."""
        return CronFields(*(plain_text(name, text, salt) for name, text in self._asdict().items()))


def split_expression(expression: str) -> CronFields:
    """Read five fields (minute first), six (second first) or a shorthand such as `@daily`."""
    text = check_text("expression", expression)
    if text == "@REBOOT":
        raise CronError(
            "expression", "'@reboot' has no time: a restart of the service is no date on a calendar"
        )
    if text.startswith("@") and text not in _SHORTHANDS:
        known = ", ".join(_SHORTHANDS).lower()
        raise CronError("expression", f"unknown shorthand {expression.strip()!r}; known are {known}")
    parts = _SHORTHANDS.get(text, text).split()
    if len(parts) not in (5, 6):
        raise CronError(
            "expression", f"{expression!r} has {len(parts)} fields; 5 or 6 (seconds first) are read"
        )
    return CronFields(*parts) if len(parts) == 6 else CronFields("0", *parts)


def fill_fields(given: Mapping[str, str]) -> CronFields:
    """Complete named fields: below the least significant one given the lowest value, elsewhere `*`."""
    least = max(_BY_SIGNIFICANCE.index(name) for name in given)
    more, less = _BY_SIGNIFICANCE[:least], _BY_SIGNIFICANCE[least + 1 :]
    return CronFields(**{**dict.fromkeys(more, "*"), **{name: _LEAST[name] for name in less}, **given})


@dataclass(frozen=True, slots=True)
class Clock:
    """The times of day of a line, as ladders: `hours[h]` is the first matching hour from `h` on, or 255."""

    seconds: bytes
    minutes: bytes
    hours: bytes

    def at_or_after(self, second_of_day: int) -> int | None:
        """The first matching second of the day, or None if the day is over."""
        hour, rest = divmod(second_of_day, 3600)
        minute, second = divmod(rest, 60)
        if self.hours[hour] == hour:
            if self.minutes[minute] == minute and (found := self.seconds[second]) != _NEVER:
                return hour * 3600 + minute * 60 + found
            if (found := self.minutes[minute + 1]) != _NEVER:
                return hour * 3600 + found * 60 + self.seconds[0]
        if (found := self.hours[hour + 1]) == _NEVER:
            return None
        return found * 3600 + self.minutes[0] * 60 + self.seconds[0]


@dataclass(frozen=True, slots=True)
class CronTable:
    """One compiled line, shared by every job that has it."""

    clock: Clock
    days: DayRule
    follows_wall: bool

    def at_or_after(self, wall: int) -> int | None:
        """The first matching wall second from `wall` on, or None if the calendar ends before one comes."""
        day, second = divmod(wall, DAY)
        ordinal = max(day + _EPOCH_DAY, 1)
        found = self.days.at_or_after(ordinal)
        if found == ordinal:
            if (time := self.clock.at_or_after(second)) is not None:
                return day * DAY + time
            found = self.days.at_or_after(ordinal + 1)
        if found is None:
            return None
        return (found - _EPOCH_DAY) * DAY + self._first_time

    @property
    def _first_time(self) -> int:
        return self.clock.hours[0] * 3600 + self.clock.minutes[0] * 60 + self.clock.seconds[0]


def compile_fields(fields: CronFields, salt: str | None) -> CronTable:
    """The table of a line; `salt` is the job id that places every `H`, without it `H` is its whole range."""
    return _compile(fields, salt if fields.spread else None)


@lru_cache(maxsize=16_384)
def _compile(fields: CronFields, salt: str | None) -> CronTable:
    texts = fields._asdict()
    year = texts.pop("year")
    years = None if year == "*" else read_years(year)
    read = {name: read_field(name, text, salt if "H" in text else None) for name, text in texts.items()}
    clock = Clock(_ladder(read["second"], 60), _ladder(read["minute"], 60), _ladder(read["hour"], 24))
    weeks = None if fields.week == "*" else read["week"]
    days = _day_rule(read["day"], read["month"], read["day_of_week"], fields.both_days, weeks, years)
    return CronTable(clock, days, fields.follows_wall)


@lru_cache(maxsize=4096)
def _ladder(values: frozenset[Item], size: int) -> bytes:
    rungs = [_NEVER] * (size + 1)
    for value in range(size - 1, -1, -1):
        rungs[value] = value if value in values else rungs[value + 1]
    return bytes(rungs)


@lru_cache(maxsize=4096)
def _day_rule(
    days: frozenset[Item],
    months: frozenset[Item],
    weekdays: frozenset[Item],
    both: bool,
    weeks: frozenset[Item] | None,
    years: int | None,
) -> DayRule:
    return DayRule(days, months, weekdays, both, weeks, years)


def can_fire(fields: CronFields) -> bool:
    """Whether any day from 1970 to 9999 matches, for a job id that suits best."""
    return compile_fields(fields, None).at_or_after(0) is not None
