"""What is found, in words: pure, from facts to sentences."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_FATES = {
    "undecided": "no leader has decided that instant",
    "pending": "its run waits for a worker",
    "running": "its run has not ended",
    "failed": "its run failed",
    "timeout": "its run timed out",
    "lost": "its run was lost with its worker",
    "cancelled": "its run was cancelled",
}
_REASONS = {
    "paused": "the job is paused",
    "overlap": "an earlier run was not finished",
    "misfire": "it was decided too late",
    "broken": "the job's definition cannot be loaded",
}
_ENDED = {"failed": "failed", "timeout": "timed out", "lost": "was lost with its worker"}


class Deadline(NamedTuple):
    """A time of day that has come in a zone: it judges what was due since the same time the day before."""

    zone: str
    after: datetime
    at: datetime


def deadlines(clock: str, zones: Iterable[str], since: datetime, now: datetime) -> list[Deadline]:
    """The zones in which the wall clock passed `clock` after `since` and up to `now`; each once, the latest."""
    hour, minute = map(int, clock.split(":"))
    found = [_latest(time(hour, minute), zone, now) for zone in zones]
    return [deadline for deadline in found if since < deadline.at <= now]


def _latest(clock: time, zone: str, now: datetime) -> Deadline:
    info = ZoneInfo(zone)
    today = now.astimezone(info).date()
    moments = [_moment(day, clock, info) for day in (today - timedelta(n) for n in range(3))]
    come = [moment for moment in moments if moment <= now]
    return Deadline(zone, come[1], come[0])


def _moment(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """A wall clock time as an instant; the first of two, and after a gap by as much as the gap is long."""
    return datetime.combine(day, clock, zone).astimezone(UTC)


def failed(job_id: str, condition: str, state: str, message: str | None, count: int, times: int) -> str:
    """A job whose run did not succeed."""
    said = f": {_short(message)}" if message else ""
    if condition == "failures_in_a_row":
        return f"{job_id} {_ENDED[state]} {count} times in a row{said}"
    again = f" {times} times" if times > 1 else ""
    return f"{job_id} {_ENDED[state]}{again}{said}"


def late(job_id: str, condition: str, due_at: datetime, seconds: float, fate: str, reason: str | None) -> str:
    """A job that was expected and did not come, or did not get through."""
    verb = "start" if condition == "not_started" else "finish"
    why = _REASONS.get(reason or "") or _FATES.get(fate) or f"the instant was {fate} ({reason})"
    return f"{job_id} did not {verb} within {length(seconds)} of {_utc(due_at)}: {why}"


def unfinished(job_id: str, due_at: datetime, deadline: datetime, reason: str | None) -> str:
    """A job that should have succeeded by a time of day."""
    why = f": {_REASONS.get(reason, reason)}" if reason else ""
    return f"{job_id}, due {_utc(due_at)}, has not succeeded by {_utc(deadline)}{why}"


def long(job_id: str, elapsed: float, limit: float, usual: float | None) -> str:
    """A run that does not come to its end."""
    learned = f"; 95 of 100 runs take at most {length(usual)}" if usual is not None else ""
    return f"{job_id} has been running for {length(elapsed)}, longer than {length(limit)}{learned}"


def waiting(queue: str, oldest: float, count: int) -> str:
    """A queue nobody empties."""
    return (
        f"queue {queue} is {length(oldest)} old: {count} run{'s' * (count != 1)} waited too long for a worker"
    )


def leaderless(seconds: float, last: str | None) -> str:
    """Nobody fires."""
    return f"no replica has led for {length(seconds)}: nothing fires; the last leader was {last or 'nobody'}"


def halted(job_id: str, condition: str, seconds: float, reason: str | None) -> str:
    """A job that fires nothing."""
    if condition == "broken":
        return f"{job_id} is broken: {_short(reason or 'its definition cannot be loaded')}"
    return f"{job_id} has been paused for {length(seconds)}"


def length(seconds: float) -> str:
    """A length of time as people say it, by its two largest units."""
    if seconds < 10:
        return f"{seconds:.3g} s"
    rest, parts = round(seconds), []
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        parts += [f"{count} {unit}"] if count else []
    return " ".join(parts[:2])


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 200 else f"{line[:199]}…"


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
