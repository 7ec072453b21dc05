"""Time off: calendars with their next days off, and the blackouts of the house; the form of a calendar."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Final

from flask import request
from werkzeug.wrappers import Response

from cronzimus.api.queries import PageQuery
from cronzimus.api.security import caller, needs
from cronzimus.api.support import V1, house
from cronzimus.api.time_off import CalendarPath, calendar_of
from cronzimus.errors import Conflict, CronzimusError, DatabaseUnavailable, Invalid, Unavailable
from cronzimus.models.calendar import WEEKDAYS
from cronzimus.services.calendars import StoredCalendar
from cronzimus.web.blackouts import row_of
from cronzimus.web.calendar_form import EMPTY, country_in_words, document_of, said_of
from cronzimus.web.forms import Said, check_form, done, faults_of, said_in
from cronzimus.web.room import Answer, address, live, page, query_of, room

pages = room("calendars")

_LIST: Final = "/calendars"
_BLACKOUTS: Final = 200
_COMING: Final = 5
_AHEAD: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Row:
    """A calendar, what it is made of, its days off of every week, and the next others."""

    calendar: StoredCalendar
    parts: tuple[str, ...]
    weekly: tuple[str, ...]
    coming: tuple[tuple[date, str], ...]

    @property
    def has_source(self) -> bool:
        """Whether there is something to read again."""
        return bool(self.calendar.document["countries"] or self.calendar.document["ics"])


@pages.get("/calendars")
@live
@needs("read")
def show_time_off() -> Answer:
    """Calendars and blackouts by id."""
    query, now = query_of(PageQuery), datetime.now(UTC)
    found = house().operating.calendars.list(limit=query.limit, offset=query.offset)
    blackouts = house().operating.blackouts.list(limit=_BLACKOUTS)
    return page(
        "calendars.html",
        twin=address(f"{V1}/calendars", **dict(query)),
        topics="job",
        found=found,
        rows=[_row(one, now.date()) for one in found.items],
        href=lambda offset: address(_LIST, **{**dict(query), "offset": offset}),
        blackouts=[row_of(one, now) for one in blackouts.items],
        blackouts_total=blackouts.total,
    )


@pages.get("/calendars/new")
@needs("admin")
def show_new_calendar() -> Answer:
    """The empty form."""
    return _form(None, Said(EMPTY))


@pages.post("/calendars/new")
@needs("admin")
def make_calendar() -> Response | tuple[Answer, int]:
    """A new calendar; its countries and file are read now."""
    check_form()
    said = _said()
    try:
        stored = house().operating.calendars.add(calendar_of(document_of(said)), by=caller())
    except (Invalid, Conflict, Unavailable) as refused:
        return _refused(None, said, refused)
    return done(f"The calendar {stored.id} is made", _LIST)


@pages.get("/calendars/<calendar_id>/edit")
@needs("admin")
def show_edit_calendar(calendar_id: str) -> Answer:
    """The form, filled with the calendar as it is."""
    stored = house().operating.calendars.get(_known(calendar_id))
    said = said_of(stored.document)
    return _form(stored, Said({**said.fields, "tag": stored.tag}, said.taken))


@pages.post("/calendars/<calendar_id>/edit")
@needs("admin")
def change_calendar(calendar_id: str) -> Response | tuple[Answer, int]:
    """Other days, to which jobs keep from now on; unless somebody else changed it since the form was shown."""
    check_form()
    calendars = house().operating.calendars
    stored, said = calendars.get(_known(calendar_id)), _said()
    try:
        calendar = calendar_of({**document_of(said, _file(stored)), "id": stored.id})
        calendars.replace(calendar, by=caller(), expected_tag=said.fields["tag"])
    except (Invalid, Conflict, Unavailable) as refused:
        return _refused(stored, said, refused)
    return done(f"The calendar {stored.id} is changed", _LIST)


@pages.post("/calendars/<calendar_id>/refresh")
@needs("admin")
def refresh_calendar(calendar_id: str) -> Response:
    """Read countries and file again; what cannot be read leaves the days as they are."""
    check_form()
    known = _known(calendar_id)
    try:
        house().operating.calendars.refresh(known, by=caller())
    except DatabaseUnavailable:
        raise
    except (Invalid, Unavailable):
        return done(f"{known} could not be read again and keeps its days; the list says why", _LIST)
    return done(f"{known} was read again", _LIST)


@pages.post("/calendars/<calendar_id>/delete")
@needs("admin")
def delete_calendar(calendar_id: str) -> Response:
    """Remove a calendar that nothing uses; the refusal names what does."""
    check_form()
    house().operating.calendars.remove(_known(calendar_id), by=caller())
    return done(f"The calendar {calendar_id} was deleted", _LIST)


def _row(calendar: StoredCalendar, today: date) -> Row:
    days = house().operating.calendars.days(calendar.id)
    others = replace(days, weekdays=frozenset()).between(today, today + _AHEAD)
    weekly = tuple(WEEKDAYS[number] for number in sorted(days.weekdays))
    return Row(calendar, tuple(_parts(calendar)), weekly, tuple(islice(others, _COMING)))


def _parts(calendar: StoredCalendar) -> Iterator[str]:
    """What it is made of, in words; an address may hold a secret and is masked where it is shown."""
    document = calendar.document
    if document["weekdays"]:
        yield ", ".join(document["weekdays"])
    if own := len(document["days"]):
        yield f"{own} own date{'s' * (own > 1)}"
    if document["countries"]:
        yield f"holidays of {', '.join(map(country_in_words, document['countries']))}"
    if document["ics"]:
        yield document["ics"]["url"] or "an iCalendar file"
    if document["includes"]:
        yield f"all of {', '.join(document['includes'])}"


def _form(calendar: StoredCalendar | None, said: Said, faults: Mapping[str, str] | None = None) -> str:
    return page(
        "calendar.html",
        twin=f"{V1}/calendars/{calendar.id}" if calendar else f"{V1}/calendars",
        calendar_id=calendar.id if calendar else None,
        holds_file=bool(calendar and _file(calendar)),
        fields=said.fields,
        taken=said.taken,
        choices={"weekdays": WEEKDAYS},
        faults=faults or {},
    )


def _refused(calendar: StoredCalendar | None, said: Said, refused: CronzimusError) -> tuple[Answer, int]:
    """What was typed stays; without the database there is nothing to show it in."""
    if isinstance(refused, DatabaseUnavailable):
        raise refused
    faults, status = faults_of(refused)
    if isinstance(refused, Unavailable):
        faults["ics"] = refused.message
    return _form(calendar, said, faults), status


def _file(calendar: StoredCalendar) -> str | None:
    return (calendar.document["ics"] or {}).get("text")


def _said() -> Said:
    return said_in(request.form, EMPTY, "weekdays")


def _known(calendar_id: str) -> str:
    return CalendarPath.model_validate({"calendar_id": calendar_id}).calendar_id
