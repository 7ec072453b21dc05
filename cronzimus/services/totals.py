"""The counts that agree with the ledger, because the ledger keeps them (ADR 15)."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.models.totals import Labels, Spread, Totals

_SQL = queries("cronzimus.services.sql", "totals.sql")
_SPREADS = ("run_duration", "firing_lateness", "start_lateness", "queue_wait")
# Runs that never started have ended, but took no time.
_NO_TIME = -1


class _Row(NamedTuple):
    name: str
    labels: list[str]
    bucket: int | None
    number: int
    amount: float | None
    bounds: list[float] | None


class LedgerTotals:
    """One cheap question for everything; may raise DatabaseUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self) -> Totals:
        """All counts and all standing numbers, of one moment."""
        return totals_of(self._database.fetch_all(_SQL["read"], row=_Row))


def totals_of(rows: Iterable[_Row]) -> Totals:
    """The rows of one reading, sorted into their places."""
    by_name: dict[str, list[_Row]] = {}
    for row in rows:
        by_name.setdefault(row.name, []).append(row)

    def counts(name: str) -> dict[Labels, int]:
        """The counts of one name, over all buckets."""
        summed: dict[Labels, int] = {}
        for row in by_name.get(name, ()):
            summed[tuple(row.labels)] = summed.get(tuple(row.labels), 0) + row.number
        return summed

    def amounts(name: str) -> dict[Labels, float]:
        """The amounts of one name."""
        return {tuple(row.labels): float(row.amount or 0) for row in by_name.get(name, ())}

    checked = amounts("ledger_checked").get(())
    return Totals(
        firings=counts("firings"),
        instants={labels: round(amount) for labels, amount in amounts("firings").items()},
        opened=counts("runs_opened"),
        runs=counts("run_duration"),
        retried=counts("runs_retried"),
        spreads={name: _spreads(by_name.get(name, ())) for name in _SPREADS},
        jobs=counts("jobs"),
        workers=counts("workers"),
        open_runs=counts("runs_open"),
        queue_depth=counts("queue_depth"),
        queue_oldest=amounts("queue_oldest"),
        queue_held=counts("queue_held"),
        pool_slots=counts("pool_slots"),
        pool_taken=counts("pool_taken"),
        has_leader=counts("leader").get((), 0) > 0,
        epoch=round(amounts("leader").get((), 0)),
        ledger_gaps=None if checked is None else counts("ledger_gaps")[()],
        ledger_surplus=None if checked is None else counts("ledger_surplus")[()],
        ledger_checked=checked,
    )


def _spreads(rows: Iterable[_Row]) -> Mapping[Labels, Spread]:
    by_labels: dict[Labels, list[_Row]] = {}
    for row in rows:
        if row.bucket != _NO_TIME:
            by_labels.setdefault(tuple(row.labels), []).append(row)
    return {labels: _spread(found) for labels, found in by_labels.items()}


def _spread(rows: list[_Row]) -> Spread:
    bounds = tuple(rows[0].bounds or ())
    counts = [0] * (len(bounds) + 1)
    for row in rows:
        for bucket in range(row.bucket or 0, len(counts)):
            counts[bucket] += row.number
    return Spread(bounds, tuple(counts), sum(row.amount or 0 for row in rows))
