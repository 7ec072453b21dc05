"""The task functions that are measured: they do nothing, or only look at the clock."""

import time

from cronzimus.workers.context import RunContext

LATENESS: list[tuple[float, float]] = []
"""Due instant and lateness in seconds of every run of `note_lateness` in this process."""


def nothing() -> None:
    """Do nothing."""


def note_lateness(run: RunContext) -> None:
    """How late this start is by the clock that the due instant is told in."""
    now = time.time()
    if run.due_at is not None:
        due = run.due_at.timestamp()
        LATENESS.append((due, now - due))
