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

    def why_never(self, now: datetime) -> tuple[str, str]:
        """The field to blame, and a sentence, when nothing comes after `now`."""


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

    def why_never(self, now: datetime) -> tuple[str, str]:
        """An interval ends only by its end_date."""
        return _why_it_ended(self.start, self.end, now)


@dataclass(frozen=True, slots=True)
class DatePart:
    """One instant; `late` says it is to run even when it is found in the past."""

    at: datetime
    late: bool
    jitter: float = 0

    def next_after(self, instant: datetime) -> datetime | None:
        """The instant itself, while it lies ahead."""
        return self.at if instant < self.at else None

    def why_never(self, now: datetime) -> tuple[str, str]:
        """A date is never due only when it has passed."""
        return "run_date", f"{_said(self.at)} has passed; give a later date or misfire: run_once"


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

    def why_never(self, now: datetime) -> tuple[str, str]:
        """A line ends by its end_date, its years, or by gaps that swallow every time it has."""
        if self.end is not None:
            return _why_it_ended(self.start, self.end, now)
        rules = "this zone and dst policy" if self.walk.policy else "this zone"
        return "expression", f"no time after {_said(now)} matches in {rules}"


def _why_it_ended(start: datetime | None, end: datetime | None, now: datetime) -> tuple[str, str]:
    if end is None:
        return "start_date", "nothing falls due before the calendar ends"
    if start is not None and end < start:
        return "end_date", "end_date lies before start_date"
    if end <= now:
        return "end_date", f"{_said(end)} has passed"
    return "end_date", f"nothing falls due before {_said(end)}"


def _said(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
