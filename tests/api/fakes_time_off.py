"""Calendars, blackouts and backfills in memory, with the signatures of the real ones."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from cronzimus.errors import Conflict, NotFound
from cronzimus.models.backfill import (
    Backfill,
    BackfillItem,
    BackfillRequest,
    BackfillState,
    Estimate,
    Item,
    Was,
)
from cronzimus.models.blackout import Blackout, HouseBlackout
from cronzimus.models.calendar import Calendar, DaysOff, own_days
from cronzimus.models.job import JobDefinition
from cronzimus.models.page import Page
from cronzimus.services.blackouts import StoredBlackout
from cronzimus.services.calendars import StoredCalendar
from cronzimus.utils.ids import new_id

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def page(items: list[Any], limit: int, offset: int) -> Page[Any]:
    return Page(tuple(items[offset : offset + limit]), len(items), limit, offset)


class FakeCalendars:
    """Calendars in a dictionary; only what a document names itself is off."""

    def __init__(self) -> None:
        self.stored: dict[str, StoredCalendar] = {}

    def get(self, calendar_id: str) -> StoredCalendar:
        if calendar_id not in self.stored:
            raise NotFound(f"there is no calendar {calendar_id!r}", code="CALENDAR_NOT_FOUND")
        return self.stored[calendar_id]

    def list(self, *, limit: int = 50, offset: int = 0) -> Page[StoredCalendar]:
        return page([one for _, one in sorted(self.stored.items())], limit, offset)

    def days(self, calendar_id: str) -> DaysOff:
        calendar = Calendar.model_validate(self.get(calendar_id).document)
        return replace(own_days(calendar), calendar=calendar_id, timezone=calendar.timezone)

    def add(self, calendar: Calendar, *, by: str) -> StoredCalendar:
        if calendar.id in self.stored:
            raise Conflict(f"a calendar {calendar.id!r} exists already", code="CALENDAR_EXISTS")
        self.stored[calendar.id] = StoredCalendar(calendar.id, 1, calendar.document(), NOW, None, NOW, NOW)
        return self.stored[calendar.id]

    def replace(self, calendar: Calendar, *, by: str, expected_tag: str | None = None) -> StoredCalendar:
        stored = self.get(calendar.id)
        if expected_tag not in (None, stored.tag):
            raise Conflict("changed meanwhile", code="VERSION_CONFLICT")
        changed = replace(
            stored, document=calendar.document(), version=stored.version + 1, updated_at=datetime.now(UTC)
        )
        self.stored[calendar.id] = changed
        return changed

    def remove(self, calendar_id: str, *, by: str) -> None:
        self.get(calendar_id)
        if calendar_id == "used":
            raise Conflict("calendar 'used' is used by job hourly", code="CALENDAR_IN_USE")
        del self.stored[calendar_id]

    def refresh(self, calendar_id: str, *, by: str) -> StoredCalendar:
        return self.get(calendar_id)


class FakeBlackouts:
    """Blackouts in a dictionary."""

    def __init__(self) -> None:
        self.stored: dict[str, StoredBlackout] = {}

    def get(self, blackout_id: str) -> StoredBlackout:
        if blackout_id not in self.stored:
            raise NotFound(f"there is no blackout {blackout_id!r}", code="BLACKOUT_NOT_FOUND")
        return self.stored[blackout_id]

    def list(self, *, limit: int = 50, offset: int = 0) -> Page[StoredBlackout]:
        return page([one for _, one in sorted(self.stored.items())], limit, offset)

    def concerning(self, definition: JobDefinition) -> tuple[Blackout, ...]:
        known = [HouseBlackout.model_validate(one.document) for one in self.stored.values()]
        return tuple(one for one in known if one.concerns(definition.id, definition.tags))

    def add(self, blackout: HouseBlackout, *, by: str) -> StoredBlackout:
        if blackout.id in self.stored:
            raise Conflict(f"a blackout {blackout.id!r} exists already", code="BLACKOUT_EXISTS")
        self.stored[blackout.id] = StoredBlackout(blackout.document(), 1, by, NOW, NOW)
        return self.stored[blackout.id]

    def replace(
        self, blackout: HouseBlackout, *, by: str, expected_revision: int | None = None
    ) -> StoredBlackout:
        stored = self.get(blackout.id)
        if expected_revision not in (None, stored.revision):
            raise Conflict("changed meanwhile", code="VERSION_CONFLICT")
        self.stored[blackout.id] = replace(stored, document=blackout.document(), revision=stored.revision + 1)
        return self.stored[blackout.id]

    def remove(self, blackout_id: str, *, by: str) -> None:
        self.get(blackout_id)
        del self.stored[blackout_id]


class FakeBackfills:
    """Backfills in a dictionary; none ever moves by itself."""

    def __init__(self) -> None:
        self.stored: dict[UUID, Backfill] = {}
        self.asked: list[BackfillRequest] = []

    def foresee(self, request: BackfillRequest) -> Estimate:
        self.asked.append(request)
        return Estimate((Item(NOW, Was.MISSED), Item(NOW.replace(hour=13), Was.FAILED)), 12.5)

    def start(self, request: BackfillRequest, *, by: str) -> Backfill:
        self.asked.append(request)
        return self.put(job_id=request.job_id, created_by=by, max_running=request.max_running)

    def put(self, **fields: Any) -> Backfill:
        whole: dict[str, Any] = {
            "id": new_id(),
            "job_id": "hourly",
            "job_version": 1,
            "from_at": NOW,
            "to_at": NOW,
            "outcomes": ["missed"],
            "max_running": 1,
            "reverse": False,
            "params": None,
            "state": BackfillState.RUNNING,
            "created_by": "me",
            "created_at": NOW,
            "updated_at": NOW,
            "ended_at": None,
            "total": 4,
            "done": 1,
            "failed": 1,
            "running": 1,
            "run_seconds": 3.0,
        }
        backfill = Backfill(**{**whole, **fields})
        self.stored[backfill.id] = backfill
        return backfill

    def get(self, backfill_id: UUID) -> Backfill:
        if backfill_id not in self.stored:
            raise NotFound(f"there is no backfill {backfill_id}", code="BACKFILL_NOT_FOUND")
        return self.stored[backfill_id]

    def list(
        self, *, job_id: str | None = None, state: str | None = None, limit: int = 50, offset: int = 0
    ) -> Page[Backfill]:
        found = [
            one for one in self.stored.values() if job_id in (None, one.job_id) and state in (None, one.state)
        ]
        return page(found, limit, offset)

    def items(self, backfill_id: UUID, *, limit: int = 50, offset: int = 0) -> Page[BackfillItem]:
        self.get(backfill_id)
        return page(
            [BackfillItem(NOW, "missed", new_id(), "success"), BackfillItem(NOW, "failed", None, None)],
            limit,
            offset,
        )

    def pause(self, backfill_id: UUID, *, by: str) -> Backfill:
        return self._turn(backfill_id, BackfillState.PAUSED)

    def resume(self, backfill_id: UUID, *, by: str) -> Backfill:
        return self._turn(backfill_id, BackfillState.RUNNING)

    def cancel(self, backfill_id: UUID, *, by: str) -> Backfill:
        return self._turn(backfill_id, BackfillState.CANCELLED)

    def _turn(self, backfill_id: UUID, state: BackfillState) -> Backfill:
        if self.get(backfill_id).state == BackfillState.CANCELLED:
            raise Conflict(f"backfill {backfill_id} has ended already", code="BACKFILL_ENDED")
        ended = NOW if state == BackfillState.CANCELLED else None
        self.stored[backfill_id] = replace(self.stored[backfill_id], state=state, ended_at=ended)
        return self.stored[backfill_id]


def ours(**fields: Any) -> Calendar:
    """A calendar with one day off."""
    return Calendar.model_validate({"id": "ours", "days": [date(2026, 12, 24)], **fields})


def freeze(**fields: Any) -> HouseBlackout:
    """A blackout over the end of the year."""
    return HouseBlackout.model_validate({"id": "freeze", "from": "2026-12-20", "to": "2027-01-02", **fields})
