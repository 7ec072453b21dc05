"""Counts of the whole house, as the ledger keeps them."""

from collections.abc import Mapping
from dataclasses import dataclass

Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Spread:
    """A histogram: how many values are at most each bound (the last: any value), and their sum."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    sum: float


@dataclass(frozen=True, slots=True)
class Totals:
    """One reading. Counts never go down; what is standing now does."""

    firings: Mapping[Labels, int]
    """Rows of the ledger by decision and reason (empty when there is none)."""
    instants: Mapping[Labels, int]
    """Due instants by decision and reason: a row may stand for many."""
    opened: Mapping[Labels, int]
    """Runs opened, by kind and cause."""
    runs: Mapping[Labels, int]
    """Runs ended, by kind and state."""
    retried: Mapping[Labels, int]
    """Attempts that were followed by another, by kind."""
    spreads: Mapping[str, Mapping[Labels, Spread]]
    """run_duration by kind and state, firing_lateness, start_lateness, queue_wait by queue; in seconds."""
    jobs: Mapping[Labels, int]
    workers: Mapping[Labels, int]
    open_runs: Mapping[Labels, int]
    queue_depth: Mapping[Labels, int]
    queue_oldest: Mapping[Labels, float]
    """Seconds the longest waiting run of each queue has waited."""
    queue_held: Mapping[Labels, int]
    """Runs of each queue that wait for something that is not theirs yet."""
    pool_slots: Mapping[Labels, int]
    pool_taken: Mapping[Labels, int]
    has_leader: bool
    epoch: int
    ledger_gaps: int | None
    """Due instants without a row, as of the last check; None before the first."""
    ledger_surplus: int | None
    ledger_checked: float | None
    """Moment of the last check, in seconds since 1970."""
