"""Where days off come from: the holidays of countries and the whole-day events of iCalendar files.

Both are made into dates when a calendar is saved or refreshed, so that nothing that fires ever asks a library or
the network. The only door to the libraries of the extra `calendars`, which need not be installed.
"""

import importlib
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from cronzimus.common.http import RequestFailed, request
from cronzimus.errors import Fault, Invalid, Unavailable
from cronzimus.models.calendar import LARGEST_ICS, Calendar, Country, DaysOff, Ics, own_days, together
from cronzimus.utils.env import did_you_mean

_FETCH_SECONDS = 10.0
_MOST_EVENTS = 5000
_TOO_OFTEN = re.compile(rb"FREQ=(SECONDLY|MINUTELY|HOURLY)", re.IGNORECASE)
# Days are named from the beginning of last year to the end of the year this many years ahead.
_YEARS_AHEAD = 3


def named_by(calendar: Calendar, today: date) -> DaysOff:
    """Every day off the document names, without the calendars it includes.

    Raises Invalid for a country or file that cannot be read, Unavailable CALENDAR_UNREACHABLE for an address that
    does not answer.
    """
    years = range(today.year - 1, today.year + _YEARS_AHEAD + 1)
    parts = [own_days(calendar)]
    parts += [DaysOff(dates=_holidays(country, years)) for country in calendar.countries]
    if calendar.ics is not None:
        parts.append(DaysOff(dates=_events(_content(calendar.ics), years)))
    return together(parts)


def needs_refresh(calendar: Calendar) -> bool:
    """Whether its days may change although nobody changes the document."""
    return bool(calendar.countries) or calendar.ics is not None


def _holidays(country: Country, years: Iterable[int]) -> dict[date, str]:
    library = _library("holidays", "countries")
    supported = library.list_supported_countries()
    if country.country not in supported:
        raise _wrong(
            "countries", f"no holidays are known for {country.country!r}", country.country, supported
        )
    parts = supported[country.country]
    if country.subdivision is not None and country.subdivision not in parts:
        raise _wrong(
            "countries", f"{country.country} has no part {country.subdivision!r}", country.subdivision, parts
        )
    found = library.country_holidays(country.country, subdiv=country.subdivision, years=list(years))
    return {day: str(name)[:200] for day, name in found.items()}


def _content(ics: Ics) -> bytes:
    if ics.text is not None:
        return ics.text.encode()
    assert ics.url is not None  # nosec B101  # the model was checked
    try:
        answer = request(
            "GET",
            ics.url,
            headers={"Accept": "text/calendar", "Accept-Encoding": "identity"},
            content=None,
            timeout=_FETCH_SECONDS,
            keep_bytes=LARGEST_ICS,
        )
    except RequestFailed as error:
        raise Unavailable(f"the calendar cannot be fetched: {error}", code="CALENDAR_UNREACHABLE") from None
    if answer.status != 200:
        raise Unavailable(
            f"the calendar cannot be fetched: its address answers {answer.status}",
            code="CALENDAR_UNREACHABLE",
        )
    if answer.truncated:
        raise _unreadable(f"it is longer than {LARGEST_ICS} bytes")
    return answer.body


def _events(content: bytes, years: range) -> dict[date, str]:
    if _TOO_OFTEN.search(content):
        raise _unreadable("an event comes again more often than daily")
    read, expand = _library("icalendar", "ics"), _library("recurring_ical_events", "ics")
    try:
        return _days_of(read.Calendar.from_ical(content), expand, years)
    except Invalid:
        raise
    except Exception as error:  # what a file may hold, and how the libraries stumble over it, has no end
        raise _unreadable(str(error)[:200] or type(error).__name__) from None


def _days_of(calendar: Any, expand: Any, years: range) -> dict[date, str]:
    if calendar.name != "VCALENDAR":
        raise _unreadable("it is no VCALENDAR")
    if len(calendar.subcomponents) > _MOST_EVENTS:
        raise _unreadable(f"it holds more than {_MOST_EVENTS} events")
    kept = [part for part in calendar.subcomponents if part.name != "VEVENT" or _is_whole_day(part)]
    calendar.subcomponents = kept
    first, last = date(years[0], 1, 1), date(years[-1], 12, 31)
    found = expand.of(calendar).between(first, last + timedelta(days=1))
    return {day: _title(event) for event in found for day in _days_within(event, first, last)}


def _is_whole_day(event: Any) -> bool:
    """A meeting takes no day off, nor does an event that was called off."""
    start = event.get("DTSTART")
    cancelled = str(event.get("STATUS", "")).upper() == "CANCELLED"
    return start is not None and not isinstance(start.dt, datetime) and not cancelled


def _days_within(event: Any, first: date, last: date) -> Iterator[date]:
    begins, ends = event.start, event.end
    while begins < ends or begins == event.start:
        if first <= begins <= last:
            yield begins
        begins += timedelta(days=1)
        if begins > last:
            return


def _title(event: Any) -> str:
    text = "".join(char for char in str(event.get("SUMMARY", "")) if char.isprintable())
    return text[:200] or "a day off"


def _library(name: str, field: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        message = "needs the extra 'calendars': pip install 'cronzimus[calendars]'"
        raise Invalid(
            f"{field}: {message}", code="CALENDAR_NEEDS_EXTRA", faults=[Fault(field, message)]
        ) from None


def _wrong(field: str, message: str, given: str, known: Iterable[str]) -> Invalid:
    text = f"{message}{did_you_mean(given, known)}"
    return Invalid(f"{field}: {text}", faults=[Fault(field, text)])


def _unreadable(why: str) -> Invalid:
    return Invalid(f"ics: cannot be read: {why}", faults=[Fault("ics", f"cannot be read: {why}")])
