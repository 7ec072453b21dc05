"""A day in the past of a made-up company: what its jobs did, written straight into the ledger."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from cronzimus.common.db import Database
from cronzimus.models.job import JobDefinition
from cronzimus.utils.ids import first_id_at
from tests.heart import definition

_FIRING = """
INSERT INTO cronzimus.firings
    (job_id, due_at, first_due_at, decision, reason, run_id, epoch, decided_by, decided_at, job_version)
VALUES (%(job_id)s, %(due_at)s, %(due_at)s, %(decision)s, %(reason)s, %(id)s, 3, 'cron-a', %(due_at)s, 1)
"""
_RUN = """
INSERT INTO cronzimus.runs
    (id, job_id, job_version, due_at, cause, state, attempt, worker_id, lease_until, queued_at, started_at, ended_at,
     error, trace_id)
VALUES (%(id)s, %(job_id)s, 1, %(due_at)s, 'schedule', %(state)s, 1, %(worker)s, %(lease_until)s, %(due_at)s,
        %(started_at)s, %(ended_at)s, %(error)s::jsonb, replace(%(id)s::text, '-', ''))
"""
_ERRORS = (
    '{"type": "TimeoutError", "message": "no answer within 30 s"}',
    '{"type": "HTTPStatusError", "message": "503 Service Unavailable from the other side"}',
    '{"type": "ValueError", "message": "line 118: 13 columns, not 12"}',
)


@dataclass(frozen=True, slots=True)
class Habit:
    """A job and how its runs use to go."""

    definition: JobDefinition
    seconds: float
    fails: float = 0.0


def _habit(job_id: str, cron: str, seconds: float, *tags: str, fails: float = 0.0, says: str = "") -> Habit:
    trigger = {"type": "cron", "expression": cron}
    zone = "Europe/Berlin" if "finance" in tags else "UTC"
    return Habit(
        definition(job_id, trigger=trigger, timezone=zone, tags=tags, description=says), seconds, fails
    )


HABITS = (
    _habit("bank-statements", "*/30 * * * *", 95, "finance", fails=0.12, says="Fetch what the banks booked"),
    _habit("invoices", "15 2 * * *", 1900, "finance", says="Write and send the invoices of the day"),
    _habit("dunning", "0 9 * * 1-5", 240, "finance"),
    _habit("exchange-rates", "5 * * * *", 12, "finance", fails=0.04),
    _habit("search-index", "*/15 * * * *", 410, "shop", says="Bring the search up to date"),
    _habit("stock-levels", "*/10 * * * *", 70, "shop", "suppliers", fails=0.03),
    _habit("newsletter", "0 16 * * *", 1300, "marketing"),
    _habit("abandoned-carts", "20 * * * *", 150, "shop", "marketing"),
    _habit("nightly-report", "30 4 * * *", 2700, "reports"),
    _habit("thumbnails", "*/20 * * * *", 300, "shop"),
    _habit("sessions-cleanup", "0 */2 * * *", 45, "house"),
    _habit("backup", "0 1,13 * * *", 3300, "house", says="Dump, encrypt, and send it away"),
)


def live_through(database: Database, now: datetime, hours: int = 26) -> int:
    """Write the past of every habit, whose jobs are on the timetable already; how many runs there were."""
    chance = Random(5)
    rows = [row for habit in HABITS for row in _past(habit, now, hours, chance)]
    runs = [row for row in rows if row["decision"] == "fired"]
    with database.connection() as connection, connection.cursor() as cursor:
        cursor.executemany(_FIRING, rows)
        cursor.executemany(_RUN, runs)
    return len(runs)


def _past(habit: Habit, now: datetime, hours: int, chance: Random) -> Iterator[dict[str, Any]]:
    busy_until = now - timedelta(days=2)
    for due_at in habit.definition.schedule.between(now - timedelta(hours=hours), now):
        free = due_at >= busy_until
        row = _row(habit, due_at, now, chance) if free else _skipped(habit, due_at)
        busy_until = row["ended_at"] or busy_until
        yield row


def _row(habit: Habit, due_at: datetime, now: datetime, chance: Random) -> dict[str, Any]:
    started_at = due_at + timedelta(milliseconds=chance.randint(3, 900))
    ended_at = started_at + timedelta(seconds=habit.seconds * chance.uniform(0.7, 1.5))
    over = ended_at < now
    failed = over and chance.random() < habit.fails
    state = "failed" if failed else "success" if over else "running"
    return {
        "job_id": habit.definition.id,
        "due_at": due_at,
        "decision": "fired",
        "reason": None,
        "id": UUID(int=first_id_at(due_at).int | chance.getrandbits(60) | 1 << 63 | 7 << 76),
        "state": state,
        "worker": f"cron-{chance.choice('ab')}",
        "lease_until": None if over else datetime.now(UTC) + timedelta(hours=1),
        "started_at": started_at,
        "ended_at": ended_at if over else None,
        "error": chance.choice(_ERRORS) if failed else None,
    }


def _skipped(habit: Habit, due_at: datetime) -> dict[str, Any]:
    refusal = {"job_id": habit.definition.id, "due_at": due_at, "decision": "skipped", "reason": "overlap"}
    return {**refusal, "id": None, "ended_at": None}
