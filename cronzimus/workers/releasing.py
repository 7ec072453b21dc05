"""What starts when something else has ended: the loop that releases, skips and lets go."""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from cronzimus.common.arrays import array
from cronzimus.common.db import Database
from cronzimus.common.logger import get_logger
from cronzimus.common.sql import queries
from cronzimus.errors import DatabaseUnavailable
from cronzimus.models.dependency import awaited_job
from cronzimus.models.event import Event, Topic
from cronzimus.models.run import TERMINAL, Cause, Offer, RunState
from cronzimus.services import tracing
from cronzimus.services.definitions import Definitions
from cronzimus.services.events import Announce, unannounced
from cronzimus.services.upkeep import OfferRuns
from cronzimus.workers.cycles import Cycles, Judge, Released, Row
from cronzimus.workers.stretches import Stretches

_LOG = get_logger(__name__)
_SQL = queries("cronzimus.workers", "releasing.sql")
DEPENDENCIES_CHANNEL = "cronzimus_dependencies"
_BATCH = 200
_EVERY_SECONDS = 1.0
_PAUSE_AFTER_FAULT = timedelta(seconds=30)


class Releasing:
    """`step` is called for ever by a loop of every replica, and soon after a run has ended that others wait for.

    The database itself notes such a run, in the transaction that ends it. In one transaction of ours:

    1. Take what is noted and nobody else has in hand.
    2. Judge what follows: the rest of its cycle, and the runs that wait for it at their own instants.
    3. Write what came of it and strike out what was taken.

    Only then is anything offered. A crash before the commit leaves the notes, so it is judged again from the start; a
    crash after it leaves pending runs, which upkeep offers again.
    """

    def __init__(
        self,
        database: Database,
        definitions: Definitions,
        offer: OfferRuns,
        judge: Callable[[], Judge],
        announce: Announce = unannounced,
    ) -> None:
        self._database = database
        self._offer = offer
        self._judge = judge
        self._announce = announce
        self._cycles = Cycles(database, definitions)
        self._stretches = Stretches(database, definitions)
        self._limit = _BATCH

    def step(self) -> float:
        """One round; seconds until the next."""
        try:
            taken, released = self._round(self._limit)
        except DatabaseUnavailable:
            raise
        except Exception as error:
            self._one_at_a_time(error)
            return 0.0
        self._tell(released)
        self._limit = _BATCH
        return 0.0 if taken else _EVERY_SECONDS

    def _round(self, limit: int) -> tuple[int, list[Released]]:
        with self._database.transaction():
            notes = self._database.fetch_all(_SQL["take"], {"limit": limit})
            if not notes:
                return 0, []
            released = self._follow(self._runs(run_id for _, run_id in notes))
            self._database.execute(_SQL["done"], {"ids": array(note_id for note_id, _ in notes)})
            return len(notes), released

    def _follow(self, rows: Sequence[Row]) -> list[Released]:
        ended = [row for row in rows if row.state in TERMINAL]
        born = [row for row in rows if row.state == RunState.PENDING and awaited_job(row.held_by)]
        released = self._cycles.follow(ended, self._judge()) if ended else []
        let_go, again = self._stretches.follow(ended, born)
        if again:
            self._database.execute(_SQL["come_back"], {"run_ids": array(row.id for row in again)})
        return [*released, *let_go]

    def _runs(self, run_ids: Iterable[UUID]) -> list[Row]:
        found = self._database.fetch_all(_SQL["runs"], {"ids": array(dict.fromkeys(run_ids))})
        return [Row(*row) for row in found]

    def _one_at_a_time(self, error: Exception) -> None:
        """One run that cannot be judged must not hold up the others: find it, and leave it for a while."""
        if self._limit > 1:
            self._limit = 1
            return
        _LOG.opt(exception=error).error("What follows a run could not be judged; it is tried again later")
        self._database.execute(_SQL["postpone"], {"pause": _PAUSE_AFTER_FAULT})

    def _tell(self, released: Sequence[Released]) -> None:
        self._offer([Offer(one.run_id, None, gated=one.gated) for one in released])
        for one in released:
            with tracing.opening(
                one.run_id, one.job_id, Cause.DEPENDENCY, trace_id=one.trace_id, after=one.by
            ):
                marks = {"run_id": str(one.run_id), "job_id": one.job_id, "trace_id": one.trace_id}
                _LOG.bind(**marks).info("What {} depends on has ended; its run starts", one.job_id)
            self._announce(Event(Topic.RUN, str(one.run_id), one.job_id, RunState.PENDING))
