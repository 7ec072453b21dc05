"""Named calendars: kept as documents, made into days when they are saved or refreshed, taken up by the jobs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from cronzimus.common.db import Database, Refused, as_json
from cronzimus.common.sql import queries
from cronzimus.errors import Conflict, CronzimusError, DatabaseUnavailable, Fault, Invalid, NotFound
from cronzimus.models.calendar import Calendar, DaysOff, days_of, together
from cronzimus.models.page import Page
from cronzimus.services.audit import Audit
from cronzimus.services.days import named_by, needs_refresh
from cronzimus.services.timetable import Timetable

_SQL = queries("cronzimus.services.sql", "calendars.sql")
_BATCH = 200
_STALE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class StoredCalendar:
    """One row of `calendars`; `version` grows whenever its days change, `trouble` is why it was not refreshed."""

    id: str
    version: int
    document: dict[str, Any]
    refreshed_at: datetime
    trouble: str | None
    created_at: datetime
    updated_at: datetime

    @property
    def tag(self) -> str:
        """Another one after every change, for whoever wants to change only what they have seen."""
        return str(int(self.updated_at.timestamp() * 1_000_000))


@dataclass(frozen=True, slots=True)
class _Own:
    """What one calendar names itself."""

    days: DaysOff
    includes: tuple[str, ...]
    version: int
    timezone: str | None


class Calendars:
    """Add, replace, refresh, remove. `by` names who did it. All may raise DatabaseUnavailable.

    1. Sources are asked before anything is locked: a slow address holds nobody up.
    2. Under the lock a calendar and all that include it get a version each, if their days changed.
    3. Each job then takes its new version up in a transaction of its own; the leader goes on where this ends.
    """

    def __init__(self, database: Database, timetable: Timetable) -> None:
        self._database = database
        self._timetable = timetable
        self._audit = Audit(database)

    def get(self, calendar_id: str) -> StoredCalendar:
        """One calendar; raises NotFound CALENDAR_NOT_FOUND."""
        found = self._database.fetch_one(_SQL["get"], {"id": calendar_id}, row=StoredCalendar)
        if found is None:
            raise NotFound(f"there is no calendar {calendar_id!r}", code="CALENDAR_NOT_FOUND")
        return found

    def list(self, *, limit: int = 50, offset: int = 0) -> Page[StoredCalendar]:
        """One page of calendars by id."""
        params = {"limit": limit, "offset": offset}
        rows = self._database.fetch_all(_SQL["page"], params, row=StoredCalendar)
        (total,) = self._database.fetch_one(_SQL["count"]) or (0,)
        return Page(tuple(rows), total, limit, offset)

    def days(self, calendar_id: str) -> DaysOff:
        """What the calendar comes to now; raises NotFound."""
        stored = self.get(calendar_id)
        params = {"id": calendar_id, "version": stored.version}
        days, timezone = self._database.fetch_one(_SQL["days"], params) or ({}, None)
        return days_of(days, calendar=calendar_id, timezone=timezone)

    def add(self, calendar: Calendar, *, by: str) -> StoredCalendar:
        """A new calendar; raises Conflict CALENDAR_EXISTS, Invalid, Unavailable CALENDAR_UNREACHABLE."""
        own = named_by(calendar, _today())
        with self._database.transaction():
            self._database.execute(_SQL["alone"])
            if self._database.fetch_one(_SQL["get"], {"id": calendar.id}) is not None:
                raise Conflict(f"a calendar {calendar.id!r} exists already", code="CALENDAR_EXISTS")
            self._put(calendar, own, by)
            self._audit.record("calendar.create", f"calendar/{calendar.id}", after=calendar.document())
        return self.get(calendar.id)

    def replace(self, calendar: Calendar, *, by: str, expected_tag: str | None = None) -> StoredCalendar:
        """Another document under the same id; raises NotFound, Conflict VERSION_CONFLICT, Invalid."""
        self.get(calendar.id)
        own = named_by(calendar, _today())
        with self._database.transaction():
            self._database.execute(_SQL["alone"])
            stored = self.get(calendar.id)
            if expected_tag is not None and stored.tag != expected_tag:
                message = (
                    f"calendar {calendar.id!r} was changed meanwhile; read it again before you change it"
                )
                raise Conflict(message, code="VERSION_CONFLICT")
            self._put(calendar, own, by)
            after = calendar.document()
            self._audit.record(
                "calendar.replace", f"calendar/{calendar.id}", before=stored.document, after=after
            )
        self.take_up(by=by)
        return self.get(calendar.id)

    def remove(self, calendar_id: str, *, by: str) -> None:
        """Raises NotFound, and Conflict CALENDAR_IN_USE while a job or another calendar needs it."""
        try:
            with self._database.transaction():
                self._database.execute(_SQL["alone"])
                before = self.get(calendar_id).document
                users = self._database.fetch_all(_SQL["users"], {"id": calendar_id})
                if users:
                    named = ", ".join(f"{kind} {name}" for kind, name in users)
                    raise Conflict(f"calendar {calendar_id!r} is used by {named}", code="CALENDAR_IN_USE")
                self._database.execute(_SQL["remove"], {"id": calendar_id})
                self._audit.record("calendar.delete", f"calendar/{calendar_id}", before=before)
        except Refused as refused:
            raise Conflict(f"calendar {calendar_id!r} is used by a job", code="CALENDAR_IN_USE") from refused

    def refresh(self, calendar_id: str, *, by: str) -> StoredCalendar:
        """Read countries and files again; a new version only if that changed the days. Raises as `replace` does."""
        stored = self.get(calendar_id)
        calendar = Calendar.model_validate(stored.document)
        try:
            own = named_by(calendar, _today())
        except DatabaseUnavailable:
            raise
        except CronzimusError as error:
            self._database.execute(_SQL["note_trouble"], {"id": calendar_id, "trouble": error.message})
            raise
        with self._database.transaction():
            self._database.execute(_SQL["alone"])
            if self.get(calendar_id).document == stored.document:
                self._put(calendar, own, by)
        self.take_up(by=by)
        return self.get(calendar_id)

    def stale(self) -> tuple[str, ...]:
        """The calendars whose sources were not asked for a day."""
        rows = self._database.fetch_all(_SQL["stale"], {"age": _STALE})
        return tuple(
            name for (name,) in rows if needs_refresh(Calendar.model_validate(self.get(name).document))
        )

    def take_up(self, *, by: str) -> int:
        """Let jobs keep to the last version of their calendar; how many did. A job that is due does it next time."""
        taken = 0
        for (job_id,) in self._database.fetch_all(_SQL["behind"], {"limit": _BATCH}):
            try:
                taken += self._timetable.take_up(job_id, by=by)
            except (NotFound, Invalid):
                continue  # removed meanwhile, or broken: it will be mended or replaced first
        return taken

    def _put(self, calendar: Calendar, own: DaysOff, by: str) -> None:
        everyone = self._everyone()
        before = everyone.get(calendar.id)
        version = before.version if before else self._last_version(calendar.id)
        everyone[calendar.id] = _Own(own, calendar.includes, version, calendar.timezone)
        _check_includes(calendar, everyone)
        params = {"id": calendar.id, "version": version, "document": as_json(calendar.document())}
        kept = {"own": as_json(own.document()), "includes": list(calendar.includes)}
        self._database.execute(_SQL["put"], {**params, **kept})
        for name in _affected(calendar.id, everyone):
            self._settle(name, everyone, by)

    def _settle(self, name: str, everyone: Mapping[str, _Own], by: str) -> None:
        """Give a calendar its next version, if its days are not those of the last."""
        own = everyone[name]
        days = together(everyone[one].days for one in _within(name, everyone)).document()
        last = self._database.fetch_one(_SQL["days"], {"id": name, "version": own.version})
        if last == (days, own.timezone):
            return
        version = self._last_version(name) + 1
        params = {"id": name, "version": version, "days": as_json(days), "timezone": own.timezone, "by": by}
        self._database.execute(_SQL["write_version"], params)
        self._database.execute(_SQL["set_version"], {"id": name, "version": version})

    def _everyone(self) -> dict[str, _Own]:
        rows = self._database.fetch_all(_SQL["own"])
        return {name: _Own(days_of(own), tuple(inc), version, zone) for name, own, inc, version, zone in rows}

    def _last_version(self, calendar_id: str) -> int:
        (last,) = self._database.fetch_one(_SQL["last_version"], {"id": calendar_id}) or (0,)
        return int(last)


def _check_includes(calendar: Calendar, everyone: Mapping[str, _Own]) -> None:
    for place, name in enumerate(calendar.includes):
        if name not in everyone:
            message = f"there is no calendar {name!r}"
        elif calendar.id in _within(name, everyone):
            message = f"calendar {name!r} includes this one already"
        else:
            continue
        raise Invalid(f"includes.{place}: {message}", faults=[Fault(f"includes.{place}", message)])


def _within(name: str, everyone: Mapping[str, _Own]) -> list[str]:
    """The calendar and all that it includes, nearest first."""
    found = [name]
    for one in found:
        found += [inner for inner in everyone[one].includes if inner in everyone and inner not in found]
    return found


def _affected(name: str, everyone: Mapping[str, _Own]) -> list[str]:
    """The calendar and all that include it."""
    return [name, *(one for one in everyone if one != name and name in _within(one, everyone))]


def _today() -> date:
    return datetime.now(UTC).date()
