"""Blackouts: windows in which nothing fires, once or every week, for one job or for many."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from cronzimus.models.calendar import CALENDAR_ID, WeekdayName
from cronzimus.models.cron_zone import instant_of, zone_of
from cronzimus.models.trigger import Moment, ZoneName

_DAY = timedelta(days=1)
# Windows that follow each other without a break are one; nobody chains more of them.
_MOST_CHAINED = 100

Clock = Annotated[time, Field(description="wall time, such as 22:00")]


class OnBlackout(StrEnum):
    """What becomes of the instants in a blackout: each is skipped, or the last one starts at its end."""

    SKIP = "skip"
    HOLD = "hold"


class Blackout(BaseModel):
    """A window once, `from` and `to`, or every week: `start` and `end` on `days`. Its end belongs to it no more."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    begins: Moment | None = Field(default=None, alias="from", description="first instant of the window")
    ends: Moment | None = Field(default=None, alias="to", description="first instant after it")
    days: Annotated[tuple[WeekdayName, ...], Field(max_length=7)] = Field(
        default=(), description="days on which it begins; none named: every day"
    )
    start: Clock | None = None
    end: Clock | None = Field(default=None, description="on the next day where it is not after start")
    timezone: ZoneName | None = Field(default=None, description="zone of its wall times; the job's if unset")
    policy: OnBlackout = Field(default=OnBlackout.SKIP, description="skip, or hold until the end")
    reason: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f]*$")] = ""

    @model_validator(mode="after")
    def _once_or_weekly(self) -> Self:
        once = self.begins is not None or self.ends is not None
        weekly = self.start is not None or self.end is not None or bool(self.days)
        if once == weekly:
            raise ValueError("give from and to, or start and end of a window that comes again")
        if once and (self.begins is None or self.ends is None):
            raise ValueError("a window that comes once needs both from and to")
        if weekly and (self.start is None or self.end is None):
            raise ValueError("a window that comes again needs both start and end")
        for clock in (self.start, self.end):
            if clock is not None and clock.tzinfo is not None:
                raise ValueError("start and end are wall times without an offset; name the zone as timezone")
        if once and self._span("UTC")[1] <= self._span("UTC")[0]:
            raise ValueError("to must lie after from")
        return self

    def end_of(self, instant: datetime, zone: str) -> datetime | None:
        """When the window that holds the instant ends; None when it holds it not."""
        zone = self.timezone or zone
        if self.begins is not None:
            begins, ends = self._span(zone)
            return ends if begins <= instant < ends else None
        return self._weekly_end(instant, zone)

    def name(self) -> str:
        """How a sentence calls it."""
        return f"the blackout {self.reason!r}" if self.reason else "a blackout"

    def _span(self, zone: str) -> tuple[datetime, datetime]:
        assert self.begins is not None and self.ends is not None  # nosec B101  # the model was checked
        zone = self.timezone or zone
        return instant_of(self.begins, zone), instant_of(self.ends, zone)

    def _weekly_end(self, instant: datetime, zone: str) -> datetime | None:
        assert self.start is not None and self.end is not None  # nosec B101  # the model was checked
        today = instant.astimezone(zone_of(zone)).date()
        overnight = _DAY if self.end <= self.start else timedelta(0)
        for day in (today, today - _DAY):
            if self.days and day.weekday() not in {name.number for name in self.days}:
                continue
            begins = instant_of(datetime.combine(day, self.start), zone)
            ends = instant_of(datetime.combine(day + overnight, self.end), zone)
            if begins <= instant < ends:
                return ends
        return None


class HouseBlackout(Blackout):
    """A blackout of the whole house, or of the jobs that bear one of its tags or ids."""

    id: Annotated[str, StringConstraints(pattern=CALENDAR_ID)] = Field(
        description="a slug, unique in the house"
    )
    tags: Annotated[tuple[str, ...], Field(max_length=50)] = Field(
        default=(), description="jobs with any of these tags"
    )
    jobs: Annotated[tuple[str, ...], Field(max_length=200)] = Field(default=(), description="these jobs")
    timezone: ZoneName | None = "UTC"

    def concerns(self, job_id: str, tags: Iterable[str]) -> bool:
        """Whether it holds for a job; one that names neither tags nor jobs holds for all."""
        if not self.tags and not self.jobs:
            return True
        return job_id in self.jobs or not set(self.tags).isdisjoint(tags)

    def name(self) -> str:
        """How a sentence calls it."""
        return f"the blackout {self.id}" + (f" ({self.reason})" if self.reason else "")

    def document(self) -> dict[str, Any]:
        """The blackout as plain JSON data, defaults included."""
        return self.model_dump(mode="json", by_alias=True)


@dataclass(frozen=True, slots=True)
class Closure:
    """An instant lies in a blackout: which one decides, and with `hold` when the firing may start."""

    window: Blackout
    ends: datetime

    @property
    def skips(self) -> bool:
        """Whether the instant is lost."""
        return self.window.policy is OnBlackout.SKIP


def closure(windows: Sequence[Blackout], instant: datetime, zone: str) -> Closure | None:
    """What the blackouts make of an instant; to skip is stronger than to hold, and a hold lasts to the last end."""
    holding: list[Blackout] = []
    for window in windows:
        if (ends := window.end_of(instant, zone)) is not None:
            if window.policy is OnBlackout.SKIP:
                return Closure(window, ends)
            holding.append(window)
    return Closure(holding[0], _release(windows, instant, zone)) if holding else None


def _release(windows: Sequence[Blackout], instant: datetime, zone: str) -> datetime:
    for _ in range(_MOST_CHAINED):
        held = [window.end_of(instant, zone) for window in windows if window.policy is OnBlackout.HOLD]
        later = max((ends for ends in held if ends is not None), default=instant)
        if later == instant:
            break
        instant = later
    return instant
