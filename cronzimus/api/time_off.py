"""What the routes of calendars, blackouts and backfills take and answer."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Final
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field, JsonValue, RootModel

from cronzimus.api.queries import PageQuery, Text
from cronzimus.api.slugs import AnySlug, slug_of
from cronzimus.api.support import Query, required_body
from cronzimus.errors import Fault, Invalid, NotFound
from cronzimus.models.backfill import BackfillRequest, BackfillState, Outcome
from cronzimus.models.blackout import HouseBlackout
from cronzimus.models.calendar import Calendar
from cronzimus.models.faults import shown, validated

_UUID: Final = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"


class Document(RootModel[dict[str, Any]]):
    """A document handed on unread; `read` makes of it what it describes."""

    describes: ClassVar[type[BaseModel]]

    @classmethod
    def model_json_schema(cls, *args: Any, **options: Any) -> dict[str, Any]:
        """The schema of what it describes."""
        return cls.describes.model_json_schema(*args, **options)

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> "Document":
        """Take any object."""
        return cls.model_construct(root=required_body(obj))


class CalendarDocument(Document):
    """A calendar."""

    describes = Calendar


class BlackoutDocument(Document):
    """A blackout of the house."""

    describes = HouseBlackout


class BackfillDocument(Document):
    """Which instants of a job are to run, and `dry_run`."""

    describes = BackfillRequest

    @classmethod
    def model_json_schema(cls, *args: Any, **options: Any) -> dict[str, Any]:
        """The schema of the request, and whether to start it."""
        schema = super().model_json_schema(*args, **options)
        schema["properties"]["dry_run"] = {
            "type": "boolean",
            "default": False,
            "description": "only say what would run",
        }
        return schema


def calendar_of(document: Mapping[str, Any]) -> Calendar:
    """The calendar a document describes; raises Invalid with every fault."""
    return validated(Calendar, document, Calendar.model_validate)


def blackout_of(document: Mapping[str, Any]) -> HouseBlackout:
    """The blackout a document describes; raises Invalid with every fault."""
    return validated(HouseBlackout, document, HouseBlackout.model_validate)


def request_of(document: Mapping[str, Any]) -> tuple[BackfillRequest, bool]:
    """What a document asks for, and whether it is only a question."""
    asked = dict(document)
    dry_run = asked.pop("dry_run", False)
    if not isinstance(dry_run, bool):
        fault = Fault("dry_run", f"must be true or false, got {shown(dry_run)}")
        raise Invalid(f"{fault.field}: {fault.message}", faults=(fault,))
    return validated(BackfillRequest, asked, BackfillRequest.model_validate), dry_run


def _backfill_id(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch(_UUID, value):
        raise NotFound(f"no backfill has the id {shown(value)}; they are UUIDs", code="BACKFILL_NOT_FOUND")
    return value


def _day(value: object) -> object:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError(f"must be a date such as 2026-12-24, got {shown(value)}") from None


Day = Annotated[date, BeforeValidator(_day)]


class CalendarPath(BaseModel):
    """A calendar in the path."""

    calendar_id: Annotated[str, BeforeValidator(slug_of("calendar", "CALENDAR_NOT_FOUND")), AnySlug]


class BlackoutPath(BaseModel):
    """A blackout in the path."""

    blackout_id: Annotated[str, BeforeValidator(slug_of("blackout", "BLACKOUT_NOT_FOUND")), AnySlug]


class BackfillPath(BaseModel):
    """A backfill in the path."""

    backfill_id: Annotated[UUID, BeforeValidator(_backfill_id)]


class DaysQuery(Query):
    """Which stretch of a calendar."""

    begins: Day | None = Field(default=None, alias="from", description="first day; today when absent")
    ends: Day | None = Field(default=None, alias="to", description="last day; a year later when absent")


class BackfillQuery(PageQuery):
    """Which backfills."""

    job_id: Text | None = None
    state: BackfillState | None = None


class CalendarView(BaseModel):
    """A calendar: the fields of its document, and how it stands."""

    id: str
    description: str
    timezone: str | None
    days: list[dict[str, Any]]
    weekdays: list[str]
    countries: list[dict[str, Any]]
    ics: dict[str, Any] | None
    includes: list[str]
    version: int = Field(description="grows whenever the days change")
    refreshed_at: datetime = Field(description="when countries and file were last read")
    trouble: str | None = Field(description="why they could not be read, when they could not")
    created_at: datetime
    updated_at: datetime


class BlackoutView(BaseModel):
    """A blackout: the fields of its document, and how it stands."""

    model_config = {"populate_by_name": True}

    id: str
    begins: str | None = Field(
        alias="from", description="without an offset where it is read in the time zone"
    )
    ends: str | None = Field(alias="to")
    days: list[str]
    start: str | None
    end: str | None
    timezone: str | None
    policy: str
    reason: str
    tags: list[str]
    jobs: list[str]
    revision: int
    created_by: str
    created_at: datetime
    updated_at: datetime


class BackfillView(BaseModel):
    """A backfill and how far it is."""

    model_config = {"populate_by_name": True}

    id: UUID
    job_id: str
    job_version: int
    begins: datetime = Field(alias="from")
    ends: datetime = Field(alias="to")
    outcomes: list[Outcome]
    max_running: int
    reverse: bool
    params: dict[str, JsonValue] | None
    state: BackfillState
    total: int
    done: int = Field(description="runs that succeeded")
    failed: int = Field(description="runs that did not")
    running: int = Field(description="runs that are open")
    left: int = Field(description="instants without a run yet")
    eta_seconds: float | None
    created_by: str
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None


class DayOffView(BaseModel):
    """A day off."""

    day: date
    name: str


class DaysView(BaseModel):
    """The days off of a stretch of time."""

    calendar_id: str
    version: int
    items: list[DayOffView]


class ItemView(BaseModel):
    """One due instant of a backfill."""

    due_at: datetime
    was: str = Field(description="what became of it before")
    run_id: UUID | None
    state: str | None = Field(description="how its run stands, or ended")


class ForeseenItem(BaseModel):
    """One due instant that would run."""

    due_at: datetime
    was: str


class EstimateView(BaseModel):
    """What a backfill would run."""

    count: int
    seconds: float | None = Field(description="how long it may take; null before any run of the job ended")
    items: list[ForeseenItem] = Field(description="the first 200, in the order in which they would run")


class CalendarPage(BaseModel):
    """Calendars by id."""

    items: list[CalendarView]
    total: int
    limit: int
    offset: int


class BlackoutPage(BaseModel):
    """Blackouts by id."""

    items: list[BlackoutView]
    total: int
    limit: int
    offset: int


class BackfillPage(BaseModel):
    """Backfills, latest first."""

    items: list[BackfillView]
    total: int
    limit: int
    offset: int


class ItemPage(BaseModel):
    """Instants of a backfill in the order in which they run."""

    items: list[ItemView]
    total: int
    limit: int
    offset: int
