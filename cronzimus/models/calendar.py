"""A named calendar: the document people write, and the days off it comes to."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from cronzimus.models.trigger import ZoneName

CALENDAR_ID = r"^[a-z0-9][a-z0-9_-]{0,62}$"
LARGEST_ICS = 1_000_000

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_YEARLY = re.compile(r"(\d\d)-(\d\d)")
_RANGE = re.compile(r"(\d{4}-\d\d-\d\d)(?:\.\.(\d{4}-\d\d-\d\d))?")
_LONGEST_RANGE = 3660
_LEAP_YEAR = 2000

CalendarId = Annotated[str, StringConstraints(pattern=CALENDAR_ID)]
Name = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f]*$")]


class Weekday(StrEnum):
    """A day of the week."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"

    @property
    def number(self) -> int:
        """Monday is 0."""
        return WEEKDAYS.index(self)


def _weekday(value: object) -> object:
    """Any case, short or whole."""
    if not isinstance(value, str):
        return value
    name = value.strip().lower()
    return name[:3] if name.title() in _NAMES else name


WeekdayName = Annotated[Weekday, BeforeValidator(_weekday)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OwnDay(_Part):
    """A date, a range of dates or a day of every year; as an object with a name, or just the text."""

    on: str = Field(description="2026-12-24, 2026-12-24..2027-01-01 (both included), or 12-24 for every year")
    name: Name = Field(default="", description="what people call it")

    @model_validator(mode="before")
    @classmethod
    def _may_be_text(cls, value: object) -> object:
        value = value.isoformat() if isinstance(value, date) else value
        return {"on": value} if isinstance(value, str) else value

    @field_validator("on", mode="before")
    @classmethod
    def _reads(cls, value: object) -> object:
        text = value.isoformat() if isinstance(value, date) else value
        if isinstance(text, str):
            _check_day(text.strip())
            return text.strip()
        return text

    @property
    def yearly(self) -> tuple[int, int] | None:
        """Month and day, when it is a day of every year."""
        found = _YEARLY.fullmatch(self.on)
        return (int(found[1]), int(found[2])) if found else None

    @property
    def dates(self) -> Iterator[date]:
        """The dates it names; none for a day of every year."""
        found = _RANGE.fullmatch(self.on)
        if found:
            first = date.fromisoformat(found[1])
            last = date.fromisoformat(found[2] or found[1])
            yield from (first + timedelta(days=n) for n in range((last - first).days + 1))


def _check_day(text: str) -> None:
    try:
        if found := _YEARLY.fullmatch(text):
            date(_LEAP_YEAR, int(found[1]), int(found[2]))
            return
        if not (found := _RANGE.fullmatch(text)):
            raise ValueError
        first, last = date.fromisoformat(found[1]), date.fromisoformat(found[2] or found[1])
    except ValueError:
        raise ValueError(
            f"{text[:40]!r} is no day; write 2026-12-24, 2026-12-24..2027-01-01, or 12-24 for every year"
        ) from None
    if not 0 <= (last - first).days <= _LONGEST_RANGE:
        raise ValueError(f"{text!r} must end after it begins, and within {_LONGEST_RANGE} days")


class Country(_Part):
    """The public holidays of a country or of a part of it."""

    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] = Field(
        description="ISO 3166 code such as DE"
    )
    subdivision: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9 -]{1,40}$")] | None = Field(
        default=None, description="a part of it, such as BE"
    )


class Ics(_Part):
    """An iCalendar file: its whole-day events are days off."""

    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$", max_length=4096)] | None = Field(
        default=None, description="read again once a day"
    )
    text: Annotated[str, StringConstraints(min_length=1, max_length=LARGEST_ICS)] | None = Field(
        default=None, description="what the file holds"
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.url is None) == (self.text is None):
            raise ValueError("give exactly one of url and text")
        return self


class Calendar(BaseModel):
    """The document of a calendar: everything in it is a day off."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: CalendarId = Field(description="a slug, unique in the house")
    description: Annotated[str, StringConstraints(max_length=2000)] = ""
    timezone: ZoneName | None = Field(
        default=None, description="zone whose days these are; unset: that of the job that uses it"
    )
    days: Annotated[tuple[OwnDay, ...], Field(max_length=2000)] = ()
    weekdays: Annotated[tuple[WeekdayName, ...], Field(max_length=7)] = ()
    countries: Annotated[tuple[Country, ...], Field(max_length=20)] = ()
    ics: Ics | None = None
    includes: Annotated[tuple[CalendarId, ...], Field(max_length=20)] = ()

    def document(self) -> dict[str, Any]:
        """The calendar as plain JSON data, defaults included."""
        return self.model_dump(mode="json")


class On(StrEnum):
    """Whether the days of a calendar are those without firings, or the only ones with them."""

    SKIP = "skip"
    ONLY = "only"


class Shift(StrEnum):
    """What becomes of an instant on a day off: it is skipped, and may come on another day instead."""

    SKIP = "skip"
    NEXT = "next"
    PREVIOUS = "previous"


class CalendarUse(_Part):
    """The calendar a job keeps to; its name alone means `on: skip`."""

    id: CalendarId
    on: On = Field(default=On.SKIP, description="skip its days, or fire on them only")

    @model_validator(mode="before")
    @classmethod
    def _may_be_a_name(cls, value: object) -> object:
        return {"id": value} if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class DaysOff:
    """What a calendar comes to at one of its versions: looked up, never computed, when something fires."""

    weekdays: frozenset[int] = frozenset()
    yearly: Mapping[tuple[int, int], str] = field(default_factory=dict)
    dates: Mapping[date, str] = field(default_factory=dict)
    calendar: str = ""
    timezone: str | None = None

    def name_of(self, day: date) -> str | None:
        """What the day off is called, None on any other day."""
        name = self.dates.get(day)
        if name is None and self.yearly:
            name = self.yearly.get((day.month, day.day))
        if name is None and day.weekday() in self.weekdays:
            return _NAMES[day.weekday()]
        return name

    def between(self, first: date, last: date) -> Iterator[tuple[date, str]]:
        """Every day off from `first` to `last`, both included."""
        for day in map(date.fromordinal, range(first.toordinal(), last.toordinal() + 1)):
            if (name := self.name_of(day)) is not None:
                yield day, name

    def document(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {
            "weekdays": sorted(self.weekdays),
            "yearly": {f"{month:02}-{day:02}": name for (month, day), name in sorted(self.yearly.items())},
            "dates": {day.isoformat(): name for day, name in sorted(self.dates.items())},
        }


def days_of(document: Mapping[str, Any], *, calendar: str = "", timezone: str | None = None) -> DaysOff:
    """The days off that were kept as JSON."""
    yearly = {(int(text[:2]), int(text[3:])): name for text, name in document["yearly"].items()}
    dates = {date.fromisoformat(text): name for text, name in document["dates"].items()}
    return DaysOff(frozenset(document["weekdays"]), yearly, dates, calendar, timezone)


def together(all_days: Iterable[DaysOff]) -> DaysOff:
    """The union; where two name the same day, the first does."""
    weekdays: set[int] = set()
    yearly: dict[tuple[int, int], str] = {}
    dates: dict[date, str] = {}
    for days in all_days:
        weekdays |= days.weekdays
        yearly = {**days.yearly, **yearly}
        dates = {**days.dates, **dates}
    return DaysOff(frozenset(weekdays), yearly, dates)


def own_days(calendar: Calendar) -> DaysOff:
    """What the document itself names: no country, no file, no other calendar."""
    yearly = {day.yearly: day.name or "a day off" for day in calendar.days if day.yearly}
    dates = {on: day.name or "a day off" for day in calendar.days for on in day.dates}
    return DaysOff(frozenset(day.number for day in calendar.weekdays), yearly, dates)
