"""Why runs that wait do not start, in words."""

from collections.abc import Iterable
from uuid import UUID

from cronzimus.common.db import Database
from cronzimus.models.hold import POOL, SLOTS, Hold, halted, words
from cronzimus.models.queue import QueueStatus
from cronzimus.models.run import Run, RunState
from cronzimus.services.pools import sizes_of
from cronzimus.services.queues import Halt, halted_among


class Holds:
    """Read at most twice for any number of runs. May raise DatabaseUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, runs: Iterable[Run]) -> dict[UUID, str]:
        """A sentence for each run that waits for anything but its turn or its moment."""
        waiting = [run for run in runs if run.state == RunState.PENDING and run.dispatched_at is None]
        if not waiting:
            return {}
        halts = halted_among(self._database, {run.queue for run in waiting})
        about_pools = any(run.held_by and Hold.read(run.held_by).kind in (POOL, SLOTS) for run in waiting)
        pools = sizes_of(self._database) if about_pools else None
        told = {run.id: _told(run, halts, pools) for run in waiting}
        return {run_id: sentence for run_id, sentence in told.items() if sentence is not None}


def _told(run: Run, halts: dict[str, Halt], pools: dict[str, int] | None) -> str | None:
    if run.held_by is not None:
        queues = {name: str(halt.status) for name, halt in halts.items()}
        return words(run.held_by, queues=queues, pools=pools)
    halt = halts.get(run.queue)
    if halt is None or (halt.status == QueueStatus.DRAINING and run.queued_at <= halt.changed_at):
        return None
    return halted(run.queue, halt.status)
