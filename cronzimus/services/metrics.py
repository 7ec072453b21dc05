"""What a scrape shows: the house's counts as the ledger keeps them, and what this process counts itself."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final

from cronzimus.common.db import Database
from cronzimus.common.metrics import Buckets, Family, Labels, Registry, exposition
from cronzimus.errors import DatabaseUnavailable
from cronzimus.models.firing import Decision, Reason
from cronzimus.models.job import JobStatus
from cronzimus.models.kinds import Kind
from cronzimus.models.run import OPEN, TERMINAL
from cronzimus.models.totals import Spread, Totals
from cronzimus.services.totals import LedgerTotals
from cronzimus.version import version

WHOLE: Final = "Of the whole house, the same from every replica: take max over replicas, never sum."

_REFRESH_SECONDS: Final = 5.0
_WORKER_STATUSES: Final = ("alive", "draining", "down")
# Zero is told too: neither an alert nor a rate sees the first of what was not there before.
_NO_RUNS: Final[Mapping[Labels, int]] = {(kind, state): 0 for kind in Kind for state in sorted(TERMINAL)}
_NO_FIRINGS: Final[Mapping[Labels, int]] = {
    (Decision.FIRED, ""): 0,
    (Decision.COALESCED, Reason.CATCH_UP): 0,
    (Decision.SKIPPED, Reason.OVERLAP): 0,
    (Decision.SKIPPED, Reason.PAUSED): 0,
    (Decision.SKIPPED, Reason.BROKEN): 0,
    (Decision.MISSED, Reason.MISFIRE): 0,
}
_WAKE_UP_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class ProcessMetrics:
    """The instruments of this process; `step` is called for ever by a loop, so that its pools are told."""

    def __init__(self, pools: Mapping[str, Database], watchers: Callable[[], int] = lambda: 0) -> None:
        self._pools, self._watchers = pools, watchers
        self.registry = registry = Registry()
        self._size = registry.gauge("cronzimus_db_pool_size", "Connections a pool has open.", ["pool"])
        self._in_use = registry.gauge("cronzimus_db_pool_in_use", "Connections somebody uses now.", ["pool"])
        self._waiting = registry.gauge(
            "cronzimus_db_pool_waiting", "Callers that wait for a connection.", ["pool"]
        )
        self._streams = registry.gauge("cronzimus_event_streams", "Live streams somebody watches.")
        self.wake_ups = registry.histogram(
            "cronzimus_wake_up_duration_seconds",
            "How long the leader took to look, decide and commit, when something was due.",
            bounds=_WAKE_UP_BOUNDS,
        )

    def step(self) -> float:
        """Tell how pools and streams stand; seconds until the next time."""
        self._streams.set(self._watchers())
        for name, database in self._pools.items():
            stats = database.pool_stats()
            self._size.labels(name).set(stats["size"])
            self._in_use.labels(name).set(stats["in_use"])
            self._waiting.labels(name).set(stats["waiting"])
        return _REFRESH_SECONDS


class Scrape:
    """Answers a scrape; a database that is away leaves out what only it knows and is told as such."""

    def __init__(self, totals: LedgerTotals, process: ProcessMetrics) -> None:
        self._totals, self._process = totals, process

    def text(self, accept: str, more: Iterable[Registry], *, ask: bool) -> tuple[bytes, str]:
        """The metrics and their media type; `more` are instruments of other parts, `ask` the database or not."""
        self._process.step()
        totals = None
        if ask:
            with suppress(DatabaseUnavailable):
                totals = self._totals.read()
        families = [_info(), _database_up(totals is not None)]
        if totals is not None:
            families += families_of(totals)
        return exposition([self._process.registry, *more], families, accept)


def families_of(totals: Totals) -> list[Family]:
    """Every number of the house as a metric."""
    return [*_counters(totals), *_histograms(totals), *_gauges(totals), *_ledger(totals)]


def _info() -> Family:
    return Family(
        "cronzimus_build_info", "gauge", "Always 1; which version answers.", ("version",), {(version(),): 1}
    )


def _database_up(is_up: bool) -> Family:
    text = "Whether the database answered this scrape; without it only the process's own metrics are told."
    return Family("cronzimus_database_up", "gauge", text, (), {(): int(is_up)})


def _counters(totals: Totals) -> Iterable[Family]:
    decision = ("decision", "reason")
    yield _counter(
        "firings", "Rows of the ledger, by decision and reason.", decision, {**_NO_FIRINGS, **totals.firings}
    )
    yield _counter(
        "due_instants", "Due instants decided; a row may stand for many.", decision, totals.instants
    )
    yield _counter("runs_opened", "Runs opened, by what started them.", ("kind", "cause"), totals.opened)
    yield _counter("runs", "Runs ended, by how they ended.", ("kind", "status"), {**_NO_RUNS, **totals.runs})
    yield _counter(
        "runs_retried", "Attempts that were followed by another.", ("kind",), _complete(totals.retried, Kind)
    )


def _histograms(totals: Totals) -> Iterable[Family]:
    told = {
        "run_duration": ("From the start of the last attempt to the end of the run.", ("kind", "status")),
        "firing_lateness": ("From the due instant to its row in the ledger, of what was fired.", ()),
        "start_lateness": ("From the due instant to the start of the first attempt.", ()),
        "queue_wait": ("From the opening of a run to the start of its first attempt.", ("queue",)),
    }
    for name, (text, labels) in told.items():
        values = {key: _buckets(spread) for key, spread in totals.spreads[name].items()}
        yield Family(f"cronzimus_{name}_seconds", "histogram", f"{text} {WHOLE}", labels, values)


def _gauges(totals: Totals) -> Iterable[Family]:
    yield _gauge("jobs", "Jobs by status.", ("status",), _complete(totals.jobs, JobStatus))
    yield _gauge(
        "runs_open",
        "Runs that have not ended, by state.",
        ("status",),
        _complete(totals.open_runs, sorted(OPEN)),
    )
    yield _gauge("workers", "Workers by status.", ("status",), _complete(totals.workers, _WORKER_STATUSES))
    yield _gauge("queue_depth", "Runs that wait and may start now.", ("queue",), totals.queue_depth)
    yield _gauge(
        "queue_oldest_seconds", "How long the first of them has waited.", ("queue",), totals.queue_oldest
    )
    yield _gauge("queue_held", "Runs that something keeps from starting.", ("queue",), totals.queue_held)
    yield _gauge("pool_slots", "Slots of a pool.", ("pool",), totals.pool_slots)
    yield _gauge("pool_taken", "Slots that runs take that were let start.", ("pool",), totals.pool_taken)


def _ledger(totals: Totals) -> Iterable[Family]:
    yield _gauge("leader_present", "Whether some replica leads.", (), {(): int(totals.has_leader)})
    yield _gauge("leader_epoch", "Grows with each change of the leader.", (), {(): totals.epoch})
    if totals.ledger_gaps is None or totals.ledger_surplus is None or totals.ledger_checked is None:
        return
    yield _gauge(
        "ledger_gaps",
        "Due instants without a row, when the leader last looked.",
        (),
        {(): totals.ledger_gaps},
    )
    yield _gauge(
        "ledger_surplus", "Rows that nothing made due, when it last looked.", (), {(): totals.ledger_surplus}
    )
    yield _gauge("ledger_checked_timestamp_seconds", "When it last looked.", (), {(): totals.ledger_checked})


def _counter(name: str, text: str, labels: Labels, values: Mapping[Labels, float]) -> Family:
    return Family(f"cronzimus_{name}", "counter", f"{text} {WHOLE}", labels, values)


def _gauge(name: str, text: str, labels: Labels, values: Mapping[Labels, float]) -> Family:
    return Family(f"cronzimus_{name}", "gauge", f"{text} {WHOLE}", labels, values)


def _complete(values: Mapping[Labels, int], known: Iterable[str]) -> dict[Labels, float]:
    """What there is none of, too."""
    return {**{(str(name),): 0 for name in known}, **values}


def _buckets(spread: Spread) -> Buckets:
    return Buckets(spread.bounds, spread.counts, spread.sum)
