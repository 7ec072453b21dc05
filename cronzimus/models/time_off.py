"""A schedule that keeps to a calendar: which instants fall on a day off, and where they move."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from cronzimus.models.calendar import DaysOff, Shift
from cronzimus.models.cron_zone import instant_of, zone_of
from cronzimus.models.schedule import Schedule

_TICK = timedelta(microseconds=1)
_DAY = timedelta(days=1)
# A job that may not fire for longer than a year in a row has no business day to move to.
_LONGEST_RUN = 366


@dataclass(frozen=True, slots=True)
class Observance:
    """Which days are off for one job: those of its calendar in `zone`, or with `only` all the others."""

    days: DaysOff
    zone: str
    only: bool = False

    def day_of(self, instant: datetime) -> date:
        """The day an instant falls on."""
        return instant.astimezone(zone_of(self.zone)).date()

    def is_off(self, day: date) -> bool:
        """Whether nothing fires on that day."""
        return (self.days.name_of(day) is None) is self.only

    def why_off(self, day: date) -> str:
        """What makes it a day off."""
        if self.only:
            return f"not one of the days of calendar {self.days.calendar}"
        return f"{self.days.name_of(day)} in calendar {self.days.calendar}"

    def run_from(self, day: date, step: timedelta) -> list[date]:
        """The days off in a row that begin with `day` and go on by `step`; none where there is no end to them."""
        run: list[date] = []
        while self.is_off(day):
            run.append(day)
            day += step
            if len(run) > _LONGEST_RUN:
                return []
        return run

    def day_beyond(self, day: date, step: timedelta) -> date | None:
        """The nearest business day by `step`, `day` itself if it is one; None after more than a year of days off."""
        if not self.is_off(day):
            return day
        run = self.run_from(day, step)
        beyond = run[-1] + step if run else None
        return beyond if beyond is not None and self.run_from(beyond - step, -step) else None

    def at(self, day: date, clock: time) -> datetime:
        """The instant of a wall time of that day."""
        return instant_of(datetime.combine(day, clock), self.zone)


@dataclass(frozen=True, slots=True)
class WorkingSchedule(Schedule):
    """The instants of the triggers, and those to which the ones on days off move.

    An instant on a day off stays an instant, so that the ledger can say that it was skipped. What it moves to is
    an instant of its own, at the same wall time; where that was one already, the two are one.
    """

    observance: Observance
    shift: Shift

    def next_after(self, instant: datetime) -> datetime | None:
        """The first instant strictly after `instant`, as written or moved there."""
        written = Schedule.next_after(self, instant)
        moved = None if self.shift is Shift.SKIP else self._next_moved(instant, written)
        if written is None or moved is None:
            return moved if written is None else written
        return min(written, moved)

    def why_off(self, due_at: datetime) -> str | None:
        """Why the instant falls on a day off; None when it does not."""
        day = self.observance.day_of(due_at)
        return self.observance.why_off(day) if self.observance.is_off(day) else None

    def moved_to(self, due_at: datetime) -> datetime | None:
        """Where an instant on a day off moves to."""
        if self.shift is Shift.SKIP or not self.observance.is_off(day := self.observance.day_of(due_at)):
            return None
        target = self.observance.day_beyond(day, _DAY if self.shift is Shift.NEXT else -_DAY)
        return None if target is None else self._placed(due_at, target)

    def moved_from(self, due_at: datetime) -> datetime | None:
        """The instant that moved here; None for one that is written."""
        if self.shift is Shift.SKIP or self._is_written(due_at):
            return None
        step = -_DAY if self.shift is Shift.NEXT else _DAY
        day = self.observance.day_of(due_at)
        origins = (self._origin(due_at, off) for off in self.observance.run_from(day + step, step))
        return next((origin for origin in origins if origin is not None), None)

    def _is_written(self, due_at: datetime) -> bool:
        return Schedule.next_after(self, due_at - _TICK) == due_at

    def _origin(self, due_at: datetime, day: date) -> datetime | None:
        before = self.observance.at(day, time()) - _TICK
        return next((at for at in self._written_on(day, before) if self.moved_to(at) == due_at), None)

    def _next_moved(self, instant: datetime, written: datetime | None) -> datetime | None:
        """The first instant after `instant` to which another one moves, if it comes before the next written one.

        Forward, only days off that are past or under way can move there: those just before the day that is now, or
        around it. Backward, only the days off that hold the next written instant or follow its day.
        """
        if self.shift is Shift.NEXT:
            day, step = self.observance.day_of(instant), _DAY
        elif written is not None:
            day, step = self.observance.day_of(written), -_DAY
        else:
            return None
        target = self.observance.day_beyond(day, step)
        if target is None:
            return None
        return self._first_moved(self.observance.run_from(target - step, -step), target, instant)

    def _first_moved(self, run: list[date], target: date, after: datetime) -> datetime | None:
        begin = self.observance.day_of(after)
        if begin > target:
            return None
        clock = after.astimezone(zone_of(self.observance.zone)).time() if begin == target else time()
        found = (self._first_of(day, clock, target, after) for day in run)
        return min((at for at in found if at is not None), default=None)

    def _first_of(self, day: date, clock: time, target: date, after: datetime) -> datetime | None:
        before = self.observance.at(day, clock) - _TICK
        moved = (self._placed(at, target) for at in self._written_on(day, before))
        return next((at for at in moved if at > after), None)

    def _written_on(self, day: date, after: datetime) -> Iterator[datetime]:
        end = self.observance.at(day + _DAY, time())
        at = Schedule.next_after(self, after)
        while at is not None and at < end:
            if self.observance.day_of(at) == day:
                yield at
            at = Schedule.next_after(self, at)

    def _placed(self, due_at: datetime, day: date) -> datetime:
        clock = due_at.astimezone(zone_of(self.observance.zone)).time()
        return self.observance.at(day, clock.replace(fold=0))
