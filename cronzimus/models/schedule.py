"""The due instants of a job: the union of its triggers, always in UTC."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cronsim import CronSim

from cronzimus.models.cron import CronFields
from cronzimus.models.cron_dst import DstPolicy
from cronzimus.models.cron_parts import CronPart, DatePart, Part
from cronzimus.models.cron_zone import EPOCH, eras_of_day, known_zone
from cronzimus.models.trigger import (
    CronTrigger,
    DateTrigger,
    IntervalTrigger,
    Trigger,
    compile_trigger,
)

_INSTANT = timedelta(microseconds=1)
_FIRST = datetime.min.replace(tzinfo=UTC)


def just_before(instant: datetime) -> datetime:
    """The moment before an instant, so that what comes after it begins there; the first moment of all is its own."""
    return max(instant, _FIRST + _INSTANT) - _INSTANT


@dataclass(frozen=True, slots=True)
class Schedule:
    """When one job is due; small, because there are as many of them as there are jobs."""

    job_id: str
    parts: tuple[Part, ...]

    def next_after(self, instant: datetime) -> datetime | None:
        """The first due instant strictly after `instant`, in UTC, or None if there is none."""
        if len(self.parts) == 1:
            return self.parts[0].next_after(instant)
        return min((due for part in self.parts if (due := part.next_after(instant))), default=None)

    def between(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """Every due instant with start < instant <= end, in order, each once."""
        due = self.next_after(start)
        while due is not None and due <= end:
            yield due
            due = self.next_after(due)

    def first_due(self, now: datetime) -> datetime | None:
        """The first due instant of a job defined at `now`: a past date counts if it is to run once."""
        late = [part.at for part in self.parts if isinstance(part, DatePart) and part.late and part.at <= now]
        return min(late) if late else self.next_after(now)

    def runs_late(self, due_at: datetime) -> bool:
        """Whether this instant is a date that runs however late it is found."""
        return any(isinstance(part, DatePart) and part.late and part.at == due_at for part in self.parts)

    def why_off(self, due_at: datetime) -> str | None:
        """Why the instant falls on a day off; None without a calendar, and on any other day."""
        return None

    def moved_to(self, due_at: datetime) -> datetime | None:
        """Where an instant on a day off moves to, if it does."""
        return None

    def moved_from(self, due_at: datetime) -> datetime | None:
        """The instant on a day off that moved here, if one did."""
        return None

    def delay_of(self, due_at: datetime) -> timedelta:
        """How long after the due instant the start is put off: the same on every replica, at most the jitter.

        Where several triggers meet in one instant, the least jitter among them holds.
        """
        longest = min((part.jitter for part in self._parts_at(due_at)), default=0)
        if not longest:
            return timedelta(0)
        key = f"{self.job_id}@{due_at.astimezone(UTC).isoformat()}".encode()
        share = int.from_bytes(hashlib.blake2b(key, digest_size=6).digest()) / (2**48 - 1)
        return timedelta(seconds=longest * share)

    def mark_of(self, due_at: datetime) -> str | None:
        """As `dst_mark`, but "gap" only where the firing stands for a wall time that did not exist."""
        second = (due_at - EPOCH) // timedelta(seconds=1)
        walks = [part.walk for part in self._parts_at(due_at) if isinstance(part, CronPart)]
        if any(walk.stands_for_missing(second) for walk in walks):
            return "gap"
        marks = [dst_mark(due_at, walk.zone) for walk in walks]
        return next((mark for mark in marks if mark not in (None, "gap")), None)

    def dst_note(self, due_at: datetime) -> str | None:
        """What a changed clock has to do with the instant, in words."""
        mark = self.mark_of(due_at)
        if mark != "gap":
            return None if mark is None else f"dst {mark.replace('repeated', 'repeated hour')}"
        second = (due_at - EPOCH) // timedelta(seconds=1)
        walks = [part.walk for part in self._parts_at(due_at) if isinstance(part, CronPart)]
        walk = next(walk for walk in walks if walk.stands_for_missing(second))
        gap = next(era.gap for era in eras_of_day(walk.zone, second // 86_400) if era.gap)
        if walk.policy is DstPolicy.SHIFT:
            return f"dst gap: moved from {_clock(second + gap.offset_before)}"
        return f"dst gap: stands for a time from {_clock(gap.start)} to before {_clock(gap.end)}"

    def _parts_at(self, due_at: datetime) -> list[Part]:
        if len(self.parts) == 1:
            return list(self.parts)
        return [part for part in self.parts if part.next_after(due_at - _INSTANT) == due_at]


def compile_schedule(triggers: Sequence[Trigger], *, job_id: str, timezone: str) -> Schedule:
    """The schedule of a job whose triggers are read in `timezone` unless they name their own."""
    known_zone(timezone)
    parts = (compile_trigger(trigger, job_id=job_id, timezone=timezone) for trigger in triggers)
    return Schedule(job_id, tuple(part for part in parts if part is not None))


def dst_mark(due_at: datetime, zone: str) -> str | None:
    """What is odd about an instant there: "gap", "repeated, first", "repeated, second" or None.

    "gap" is the very instant at which the clock jumped forward, which stands for the times it jumped over.
    """
    second = (due_at - EPOCH) // timedelta(seconds=1)
    for era in eras_of_day(zone, second // 86_400):
        if era.start <= second < era.end:
            wall = second + era.offset
            if era.gap and era.gap.at == second:
                return "gap"
            if wall < era.second_until:
                return "repeated, second"
            if wall >= era.first_from:
                return "repeated, first"
    return None


def _clock(wall: int) -> str:
    return f"{EPOCH + timedelta(seconds=wall):%H:%M}"


def describe(trigger: Trigger, *, job_id: str | None = None) -> str:
    """The trigger in words; with a job id, `H` is told as the place it took."""
    if isinstance(trigger, CronTrigger):
        return _describe_cron(trigger.fields, job_id) + _in_zone(trigger.timezone)
    if isinstance(trigger, IntervalTrigger):
        return f"Every {_describe_length(trigger.every)}"
    if isinstance(trigger, DateTrigger):
        return f"Once, at {trigger.run_date.isoformat(' ')}{_in_zone(trigger.timezone)}"
    return "Only when started by hand or by another job"


def _in_zone(zone: str | None) -> str:
    return f" ({zone})" if zone else ""


def _describe_cron(fields: CronFields, job_id: str | None) -> str:
    line = fields if fields.spread and job_id is None else fields.placed(job_id)
    extra = [f"week {line.week}"] * (line.week != "*") + [f"year {line.year}"] * (line.year != "*")
    tail = f", in {' and '.join(extra)}" if extra else ""
    if line.spread or "W" in line.day.replace("LW", ""):
        return _describe_by_name(line) + tail
    return CronSim(" ".join(line[:6]), EPOCH).explain() + tail


def _describe_by_name(line: CronFields) -> str:
    named = {"second": line.second, "minute": line.minute, "hour": line.hour, "day of month": line.day}
    named |= {"month": line.month, "day of week": line.day_of_week}
    told = [
        f"{name} is {text}" for name, text in named.items() if text != "*" and (name, text) != ("second", "0")
    ]
    notes = ["H: a place of its own for each job"] * line.spread
    notes += ["W: the workday nearest to that date"] * ("W" in line.day.replace("LW", ""))
    return f"When {', '.join(told)} ({'; '.join(notes)})"


def _describe_length(length: timedelta) -> str:
    words = []
    rest = length.total_seconds()
    for unit, seconds in (("week", 604_800), ("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count = rest / seconds if unit == "second" else rest // seconds
        rest -= count * seconds
        if count:
            words.append(f"{count:g} {unit}{'' if count == 1 else 's'}")
    return words[0].removeprefix("1 ") if len(words) == 1 else " ".join(words)
