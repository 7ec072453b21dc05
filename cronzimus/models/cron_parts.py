"""What a trigger compiles to: a part that knows its next instant, and nothing else."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from cronzimus.models.cron_dst import CronWalk
from cronzimus.models.cron_zone import EPOCH, FIRST_SECOND

_SECOND = timedelta(seconds=1)
_END_OF_CALENDAR = (datetime.max.replace(tzinfo=UTC) - EPOCH) // _SECOND + 1


class Part(Protocol):
    """The instants of one trigger; `jitter` is the longest delay of their start, in seconds."""

    @property
    def jitter(self) -> float:
        """Longest delay in seconds."""

    def next_after(self, instant: datetime) -> datetime | None:
        """The first instant strictly after `instant`, in UTC, or None."""


@dataclass(frozen=True, slots=True)
class IntervalPart:
    """Every `step` from `anchor` on, in absolute time; bounds are inclusive."""

    anchor: datetime
    step: timedelta
    start: datetime | None
    end: datetime | None
    jitter: float = 0

    def next_after(self, instant: datetime) -> datetime | None:
        """The first multiple of the step after `instant`."""
        if self.start is not None and instant < self.start:
            found = self.start
        else:
            try:
                found = self.anchor + ((instant - self.anchor) // self.step + 1) * self.step
            except OverflowError:
                return None
        return found if self.end is None or found <= self.end else None


@dataclass(frozen=True, slots=True)
class DatePart:
    """One instant; `late` says it is to run even when it is found in the past."""

    at: datetime
    late: bool
    jitter: float = 0

    def next_after(self, instant: datetime) -> datetime | None:
        """The instant itself, while it lies ahead."""
        return self.at if instant < self.at else None


@dataclass(frozen=True, slots=True)
class CronPart:
    """A cron walk between two inclusive bounds."""

    walk: CronWalk
    start: datetime | None
    end: datetime | None
    jitter: float = 0

    def next_after(self, instant: datetime) -> datetime | None:
        """The first firing of the line after `instant`."""
        second = max((instant - EPOCH) // _SECOND + 1, FIRST_SECOND)
        if self.start is not None and instant < self.start:
            second = max(second, -((EPOCH - self.start) // _SECOND))
        found = self.walk.at_or_after(second)
        if found is None or found >= _END_OF_CALENDAR:
            return None
        moment = EPOCH + timedelta(seconds=found)
        return moment if self.end is None or moment <= self.end else None
