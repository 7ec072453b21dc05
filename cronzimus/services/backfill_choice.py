"""Which due instants a backfill takes: the schedule's and the ledger's, by what became of each."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.errors import Fault, Invalid
from cronzimus.models.backfill import MOST_INSTANTS, BackfillRequest, Item, Was
from cronzimus.models.firing import Decision, Reason
from cronzimus.models.job import JobDefinition
from cronzimus.models.run import OPEN, RunState
from cronzimus.models.schedule import just_before
from cronzimus.services.upkeep import first_id_of

_SQL = queries("cronzimus.services.sql", "backfills.sql")
# An instant younger than this may still be on its way into the ledger.
_SETTLING = timedelta(seconds=15)
MOST_LOOKED_AT = 100_000

_GOOD = (RunState.SUCCESS, RunState.PARTIAL)


class _Row(NamedTuple):
    due_at: datetime
    first_due_at: datetime
    instants: int
    decision: str
    reason: str | None
    run_id: UUID | None
    state: str | None


class Ledger(NamedTuple):
    """What the ledger says of a stretch of time: rows in order, and how the last later run of each instant stands."""

    rows: Sequence[_Row]
    again: Mapping[datetime, str]


def read_ledger(database: Database, job_id: str, start: datetime, end: datetime) -> Ledger:
    """Everything the ledger knows of the instants of a job; raises Invalid when that is too much."""
    params = {"job_id": job_id, "start": start, "end": end, "limit": MOST_LOOKED_AT + 1}
    rows = [_Row(*row) for row in database.fetch_all(_SQL["ledger"], params)]
    _refuse_many(len(rows), MOST_LOOKED_AT)
    of_run = {row.run_id: row.due_at for row in rows if row.run_id is not None}
    again: dict[datetime, str] = {}
    later = database.fetch_all(_SQL["later_runs"], {**params, "oldest_id": first_id_of(start)})
    for run_id, parent, due_at, state in later:
        at = due_at or of_run.get(parent)
        if at is not None:
            of_run[run_id] = at
            again[at] = state
    return Ledger(rows, again)


def choose(
    request: BackfillRequest,
    definition: JobDefinition,
    ledger: Ledger,
    start: datetime,
    end: datetime,
    now: datetime,
) -> list[Item]:
    """The instants that are to run, in the order in which they do; raises Invalid when there are too many."""
    chosen: list[Item] = []
    singles = {row.due_at: row for row in ledger.rows if row.instants == 1}
    ranges = [row for row in ledger.rows if row.instants > 1]
    ends = [row.due_at for row in ranges]
    for at in _instants(definition, singles, start, end):
        place = bisect_left(ends, at)
        covering = ranges[place] if place < len(ranges) and ranges[place].first_due_at <= at else None
        was = _was(singles.get(at) or covering, ledger.again.get(at), definition, at, now)
        if request.takes(was):
            chosen.append(Item(at, was))
            _refuse_many(len(chosen), MOST_INSTANTS)
    return chosen[::-1] if request.reverse else chosen


def _instants(
    definition: JobDefinition, singles: Mapping[datetime, _Row], start: datetime, end: datetime
) -> Iterator[datetime]:
    """What the definition makes due and what the ledger has, in order, each once."""
    found = set(singles)
    for at in definition.schedule.between(just_before(start), end):
        found.add(at)
        _refuse_many(len(found), MOST_LOOKED_AT)
    yield from sorted(found)


def _was(row: _Row | None, again: str | None, definition: JobDefinition, at: datetime, now: datetime) -> Was:
    if again is not None:
        return _of_state(again)
    if row is None:
        if definition.schedule.why_off(at) is not None or at > now - _SETTLING:
            return Was.OFF
        return Was.MISSING
    if row.decision == Decision.FIRED:
        return Was.SUCCESS if row.state is None else _of_state(row.state)
    if row.reason == Reason.CALENDAR:
        return Was.OFF
    return Was(row.decision)


def _of_state(state: str) -> Was:
    if state in OPEN:
        return Was.OPEN
    return Was.SUCCESS if state in _GOOD else Was.FAILED


def _refuse_many(count: int, most: int) -> None:
    if count > most:
        message = f"more than {most} due instants lie in this range; make it narrower"
        raise Invalid(message, code="BACKFILL_TOO_LARGE", faults=[Fault("from", message)])
