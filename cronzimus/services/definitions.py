"""Definitions by (job, version), loaded once: what was stored is data, what comes out is checked."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pydantic import ValidationError

from cronzimus.common.arrays import array
from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.errors import CronzimusError, Fault, Invalid, NotFound
from cronzimus.models.calendar import DaysOff, days_of
from cronzimus.models.job import JobDefinition
from cronzimus.utils.env import did_you_mean

_SQL = queries("cronzimus.services.sql", "definitions.sql")
_CAPACITY = 20_000
# Asked once of every definition, so that one whose schedule cannot be computed is found when it is loaded.
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)

Key = tuple[str, int]
# Many jobs keep to few calendars, each of them at one version or two.
_MOST_CALENDARS = 500


class Observed(NamedTuple):
    """A definition that knows its days off, and the version of the calendar they are from."""

    definition: JobDefinition
    calendar_version: int | None


class Definitions:
    """A bounded cache of definitions; a version never changes, so nothing is ever stale."""

    def __init__(
        self, database: Database, check_function: Callable[[JobDefinition], None] = lambda _: None
    ) -> None:
        self._database = database
        self._check_function = check_function
        self._lock = threading.Lock()
        self._loaded: OrderedDict[Key, JobDefinition | Invalid] = OrderedDict()
        self._troubles: dict[Key, str | None] = {}
        self._days: dict[Key, DaysOff] = {}

    def get(self, job_id: str, version: int) -> JobDefinition:
        """The definition; raises Invalid when what is stored cannot be one, NotFound when nothing is."""
        found = self.get_many([(job_id, version)]).get((job_id, version))
        if found is None:
            raise NotFound(f"job {job_id!r} has no version {version}", code="JOB_NOT_FOUND")
        if isinstance(found, Invalid):
            raise found
        return found

    def get_many(self, keys: Iterable[Key]) -> dict[Key, JobDefinition | Invalid]:
        """All of them in one question to the database; one that cannot be loaded is an Invalid value."""
        wanted = list(keys)
        loaded = self._loaded
        missing = [key for key in wanted if key not in loaded]
        if missing:
            self._load(missing)
        return {key: loaded[key] for key in wanted if key in loaded}

    def observing(self, definition: JobDefinition) -> Observed:
        """The definition with the days off its calendar has now; raises Invalid UNKNOWN_CALENDAR."""
        if definition.calendar is None:
            return Observed(definition, None)
        calendar_id = definition.calendar.id
        found = self._database.fetch_one(_SQL["calendar_now"], {"id": calendar_id})
        if found is None:
            known = [name for (name,) in self._database.fetch_all(_SQL["calendars"])]
            message = f"there is no calendar {calendar_id!r}{did_you_mean(calendar_id, known)}"
            faults = [Fault("calendar", message)]
            raise Invalid(f"calendar: {message}", code="UNKNOWN_CALENDAR", faults=faults)
        return Observed(definition.observing(self._days_of([(calendar_id, found[0])])[0]), found[0])

    def trouble_with(self, definition: JobDefinition, version: int) -> str | None:
        """Why the definition's function cannot be loaded in this process; None when it can."""
        key = (definition.id, version)
        if key not in self._troubles:
            self._troubles[key] = self._check(definition)
        return self._troubles[key]

    def _check(self, definition: JobDefinition) -> str | None:
        try:
            self._check_function(definition)
        except CronzimusError as error:
            return error.message
        return None

    def _load(self, keys: list[Key]) -> None:
        params = {
            "ids": array(job_id for job_id, _ in keys),
            "versions": array(version for _, version in keys),
        }
        rows = self._database.fetch_all(_SQL["load"], params)
        read = {(job_id, version): (_read(document), pinned) for job_id, version, document, pinned in rows}
        self._observe(read)
        with self._lock:
            self._loaded.update((key, definition) for key, (definition, _) in read.items())
            while len(self._loaded) > _CAPACITY:
                forgotten, _ = self._loaded.popitem(last=False)
                self._troubles.pop(forgotten, None)

    def _observe(self, read: dict[Key, tuple[JobDefinition | Invalid, int | None]]) -> None:
        """Give those that keep to a calendar the days off of the version their own version means."""
        pinned = {
            key: (definition, (definition.calendar.id, version))
            for key, (definition, version) in read.items()
            if isinstance(definition, JobDefinition) and definition.calendar and version is not None
        }
        if pinned:
            days = self._days_of([calendar for _, calendar in pinned.values()])
            for (key, (definition, calendar)), found in zip(pinned.items(), days, strict=True):
                read[key] = (definition.observing(found), calendar[1])

    def _days_of(self, calendars: list[Key]) -> list[DaysOff]:
        missing = {key for key in calendars if key not in self._days}
        if missing:
            params = {"ids": array(name for name, _ in missing), "versions": array(v for _, v in missing)}
            rows = self._database.fetch_all(_SQL["calendar_days"], params)
            with self._lock:
                if len(self._days) > _MOST_CALENDARS:
                    self._days = {key: self._days[key] for key in calendars if key in self._days}
                for name, version, days, timezone in rows:
                    self._days[(name, version)] = days_of(days, calendar=name, timezone=timezone)
        known = self._days
        return [known[key] for key in calendars]


def _read(document: dict[str, Any]) -> JobDefinition | Invalid:
    try:
        definition = JobDefinition.model_validate(document)
        definition.schedule.next_after(_ANY_TIME)
    except (ValidationError, CronzimusError) as error:
        return Invalid(f"the stored definition cannot be loaded: {error}", code="JOB_BROKEN")
    return definition
