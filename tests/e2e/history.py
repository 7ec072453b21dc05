"""What a test asked for, what the ledger says, what the jobs wrote down: three stories to compare."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

Instant = float
"""Seconds since 1970-01-01T00:00Z."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, both ends included."""

    start: Instant
    end: Instant

    def touches(self, start: Instant, end: Instant) -> bool:
        """Whether the two have an instant in common."""
        return self.start <= end and start <= self.end


@dataclass(frozen=True, slots=True)
class Asked:
    """One job as it was asked for. `every` is seconds counted from 1970, or five fields of cron in UTC.

    A `fenced` one leaves one row in the table `effects`, in the transaction that makes its run a success.
    """

    job_id: str
    every: float | str
    max_attempts: int = 1
    exclusive: bool = True
    all_fire: bool = False
    paused: tuple[Span, ...] = ()
    fenced: bool = False

    def targets(self, start: Instant, end: Instant) -> list[Instant]:
        """Every due instant from `start` to `end`."""
        if isinstance(self.every, str):
            return list(_minutes(self.every, start, end))
        first = -(-start // self.every)
        return [n * self.every for n in range(int(first), int(end // self.every) + 1)]


@dataclass(frozen=True, slots=True)
class Firing:
    """One row of the ledger."""

    job_id: str
    due_at: Instant
    first_due_at: Instant
    instants: int
    decision: str
    reason: str | None
    run_id: str | None
    epoch: int
    decided_at: Instant


@dataclass(frozen=True, slots=True)
class Run:
    """One row of the runs."""

    id: str
    job_id: str
    due_at: Instant | None
    cause: str
    state: str
    attempt: int
    ended_at: Instant | None
    lease_until: Instant | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One row of the attempts."""

    run_id: str
    attempt: int
    state: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line a job wrote about itself: `start`, then `end`, `failed` or `stopped`."""

    event: str
    job_id: str
    due_at: Instant | None
    run_id: str
    attempt: int
    at: Instant
    pid: int = 0


@dataclass(slots=True)
class History:
    """Everything there is to judge. Nothing is due before `launched`; `read_at` is the last look.

    Every instant in the `window` must be accounted for. `faults` are the stretches in which something was
    broken on purpose, each with the time it takes to recover.
    """

    asked: list[Asked]
    launched: Instant
    window: Span
    read_at: Instant
    faults: list[Span] = field(default_factory=list)
    firings: list[Firing] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    effects: list[str] = field(default_factory=list)
    """For each row that a fenced job left behind, its run."""

    def in_fault(self, start: Instant, end: Instant) -> bool:
        """Whether a declared fault touches the stretch."""
        return any(fault.touches(start, end) for fault in self.faults)


def read(history: History, url: str, witness: Path) -> History:
    """Fill in what the database and the witness file say now."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET TIME ZONE UTC")
        history.firings = _rows(connection, Firing, "firings")
        history.runs = _rows(connection, Run, "runs")
        history.attempts = _rows(connection, Attempt, "attempts")
        if any(asked.fenced for asked in history.asked):
            found = connection.execute("SELECT run_id::text FROM public.effects").fetchall()
            history.effects = [run_id for (run_id,) in found]
    history.lines = read_witness(witness)
    history.read_at = datetime.now(UTC).timestamp()
    return history


def read_witness(witness: Path) -> list[Line]:
    """The lines of the witness file so far, in the order they were written."""
    text = witness.read_text(encoding="utf-8") if witness.exists() else ""
    return [_line(json.loads(line)) for line in text.splitlines()]


def _line(told: dict[str, Any]) -> Line:
    due_at = told.pop("due_at")
    return Line(due_at=datetime.fromisoformat(due_at).timestamp() if due_at else None, **told)


def _rows(connection: psycopg.Connection[Any], kind: type[Any], table: str) -> list[Any]:
    columns = list(kind.__dataclass_fields__)
    rows = connection.execute(f"SELECT {', '.join(columns)} FROM cronzimus.{table}".encode()).fetchall()
    return [kind(*map(_plain, row)) for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.timestamp()
    return value if value is None or isinstance(value, (int, float)) else str(value)


def _minutes(expression: str, start: Instant, end: Instant) -> Iterator[Instant]:
    """Every minute that five fields of cron name in UTC, found by trying each minute."""
    texts = expression.split()
    minute, hour, day, month, weekday = (_field(*field) for field in zip(texts, (0, 0, 1, 1, 0), strict=True))
    either = not texts[2].startswith("*") and not texts[4].startswith("*")
    at = datetime.fromtimestamp(-(-start // 60) * 60, UTC)
    while at.timestamp() <= end:
        on_day, on_weekday = day(at.day), weekday(at.isoweekday() % 7) or weekday(at.isoweekday())
        that_day = (on_day or on_weekday) if either else (on_day and on_weekday)
        if minute(at.minute) and hour(at.hour) and month(at.month) and that_day:
            yield at.timestamp()
        at += timedelta(minutes=1)


def _field(text: str, lowest: int) -> Callable[[int], bool]:
    """Whether a number is named by one field: lists, ranges, steps and stars."""
    parts = [_part(part, lowest) for part in text.split(",")]
    return lambda number: any(part(number) for part in parts)


def _part(text: str, lowest: int) -> Callable[[int], bool]:
    span, _, step = text.partition("/")
    low, _, high = span.partition("-")
    if span == "*":
        return lambda number: (number - lowest) % int(step or 1) == 0
    first = int(low)
    last = int(high) if high else (10**6 if step else first)
    return lambda number: first <= number <= last and (number - first) % int(step or 1) == 0
