"""Calendars: named days off, which jobs keep to."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from flask import request

from cronzimus.api.documents import named
from cronzimus.api.problems import Refusal
from cronzimus.api.queries import PageQuery
from cronzimus.api.security import caller, needs
from cronzimus.api.support import V1, blueprint, house, page_of
from cronzimus.api.time_off import (
    CalendarDocument,
    CalendarPage,
    CalendarPath,
    CalendarView,
    DaysQuery,
    DaysView,
    calendar_of,
)
from cronzimus.errors import Conflict
from cronzimus.services.calendars import StoredCalendar

api = blueprint("calendars")
_MOST_DAYS: Final = timedelta(days=3660)
_YEAR: Final = timedelta(days=365)


@api.get("/calendars", responses={200: CalendarPage})
@needs("read")
def list_calendars(query: PageQuery) -> tuple[Any, ...]:
    """List calendars by id; what files hold is left out."""
    page = house().operating.calendars.list(limit=query.limit, offset=query.offset)
    return page_of(page, lambda one: _view(one, whole=False))


@api.post("/calendars", responses={201: CalendarView})
@needs("admin")
def create_calendar(body: CalendarDocument) -> tuple[Any, ...]:
    """A new calendar; its countries and file are read now."""
    stored = house().operating.calendars.add(calendar_of(body.root), by=caller())
    return _view(stored), 201, {"Location": f"{V1}/calendars/{stored.id}", **_etag(stored)}


@api.get("/calendars/<calendar_id>", responses={200: CalendarView})
@needs("read")
def get_calendar(path: CalendarPath) -> tuple[Any, ...]:
    """One calendar."""
    stored = house().operating.calendars.get(path.calendar_id)
    return _view(stored), 200, _etag(stored)


@api.put("/calendars/<calendar_id>", responses={200: CalendarView})
@needs("admin")
def replace_calendar(path: CalendarPath, body: CalendarDocument) -> tuple[Any, ...]:
    """Give a calendar another document; jobs keep to its new days from now on."""
    calendars = house().operating.calendars
    calendar = calendar_of(named(body.root, path.calendar_id))
    try:
        stored = calendars.replace(calendar, by=caller(), expected_tag=_expected(calendars.get(calendar.id)))
    except Conflict as conflict:
        raise _stale(conflict.message) from conflict
    return _view(stored), 200, _etag(stored)


@api.delete("/calendars/<calendar_id>", responses={204: None})
@needs("admin")
def delete_calendar(path: CalendarPath) -> tuple[str, int]:
    """Remove a calendar that nothing uses."""
    if request.if_match:
        _expected(house().operating.calendars.get(path.calendar_id))
    house().operating.calendars.remove(path.calendar_id, by=caller())
    return "", 204


@api.post("/calendars/<calendar_id>/refresh", responses={200: CalendarView})
@needs("admin")
def refresh_calendar(path: CalendarPath) -> tuple[Any, ...]:
    """Read countries and file again, which happens once a day by itself."""
    stored = house().operating.calendars.refresh(path.calendar_id, by=caller())
    return _view(stored), 200, _etag(stored)


@api.get("/calendars/<calendar_id>/days", responses={200: DaysView})
@needs("read")
def list_days(path: CalendarPath, query: DaysQuery) -> dict[str, Any]:
    """The days off of a stretch of time, those of included calendars too; of the first ten years if it is longer."""
    first = query.begins or (_moved(query.ends, -_YEAR) if query.ends else datetime.now(UTC).date())
    last = min(query.ends or _moved(first, _YEAR), _moved(first, _MOST_DAYS))
    calendars = house().operating.calendars
    version, days = calendars.get(path.calendar_id).version, calendars.days(path.calendar_id)
    items = [{"day": day, "name": name} for day, name in days.between(first, last)]
    return {"calendar_id": path.calendar_id, "version": version, "items": items}


def _moved(day: date, by: timedelta) -> date:
    """A day so much later, as far as there are days."""
    return date.fromordinal(min(max(day.toordinal() + by.days, 1), date.max.toordinal()))


def _view(stored: StoredCalendar, *, whole: bool = True) -> dict[str, Any]:
    document = dict(stored.document)
    if not whole and document["ics"]:
        document["ics"] = {**document["ics"], "text": None}
    stands = {name: getattr(stored, name) for name in ("version", "refreshed_at", "trouble")}
    return {**document, **stands, "created_at": stored.created_at, "updated_at": stored.updated_at}


def _etag(stored: StoredCalendar) -> dict[str, str]:
    return {"ETag": f'"{stored.tag}"'}


def _expected(stored: StoredCalendar) -> str | None:
    """The state the client insists on; refused at once when the calendar is in another."""
    if not request.if_match:
        return None
    if not request.if_match.contains_weak(stored.tag):
        raise _stale(f"calendar {stored.id!r} was changed; read it again before you change it")
    return stored.tag


def _stale(message: str) -> Refusal:
    return Refusal(412, message, code="PRECONDITION_FAILED")
