"""The leader's hand on backfills: opens runs as there is room for them, and never more."""

import time
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from cronzimus.common.arrays import array
from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.errors import CronzimusError, DatabaseUnavailable
from cronzimus.models.event import Event, Topic
from cronzimus.models.leader import Term
from cronzimus.models.run import Offer
from cronzimus.services.definitions import Definitions
from cronzimus.services.events import Announce, unannounced
from cronzimus.services.upkeep import OfferRuns
from cronzimus.utils.ids import new_id

_SQL = queries("cronzimus.services.sql", "backfills.sql")
_IDLE_SECONDS = 1.0
_BUSY_SECONDS = 0.2
_PRUNE_EVERY_SECONDS = 3600.0


class BackfillDriver:
    """`step` is called for ever by a loop, soon after a run ended, and does nothing while standing by.

    For each backfill that runs, in one transaction:

    1. Lock its row while it still says `running`: pausing waits for us, and we open nothing after it.
    2. Note what its runs came to.
    3. Count how many may start: `max_running` less those that are open; for a job that bounds its runs no more
       than would be free if every live run of it that is open came first.
    4. Give the next instants a run each, if the term still holds. The instants are rows that are locked and
       have no run: no second leader and no repetition can open one twice.

    Only then are the runs offered. A crash in between leaves pending runs, which upkeep offers again.
    """

    def __init__(
        self,
        database: Database,
        definitions: Definitions,
        offer: OfferRuns,
        term: Callable[[], Term | None],
        fence: Callable[[Term], dict[str, object]],
        *,
        retention_days: float,
        announce: Announce = unannounced,
    ) -> None:
        self._database = database
        self._definitions = definitions
        self._offer = offer
        self._term = term
        self._fence = fence
        self._retention = timedelta(days=retention_days)
        self._announce = announce
        self._pruned_at: float | None = None
        self.busy = False

    def step(self) -> float:
        """One round over all backfills, if this replica leads; seconds until the next."""
        term = self._term()
        if term is None:
            self.busy = False
            return _IDLE_SECONDS
        rows = self._database.fetch_all(_SQL["unfinished"])
        for backfill_id, job_id in rows:
            self._advance(backfill_id, job_id, term)
        self._prune_now_and_then()
        self.busy = bool(rows)
        return _BUSY_SECONDS if rows else _IDLE_SECONDS

    def _advance(self, backfill_id: UUID, job_id: str, term: Term) -> None:
        """One backfill that cannot be carried on must not hold up the others."""
        try:
            changed, offers = self._open(backfill_id, term)
        except DatabaseUnavailable:
            raise
        except CronzimusError:
            self._database.execute(_SQL["give_up"], {"id": backfill_id})
            changed, offers = "cancelled", []
        self._offer(offers)
        if changed is not None:
            self._announce(Event(Topic.BACKFILL, str(backfill_id), job_id, changed))
        for offer in offers:
            self._announce(Event(Topic.RUN, str(offer.run_id), job_id, "pending"))

    def _open(self, backfill_id: UUID, term: Term) -> tuple[str | None, list[Offer]]:
        """How the backfill stands if that changed, and the runs that were opened."""
        with self._database.transaction():
            row = self._database.fetch_one(_SQL["lock"], {"id": backfill_id})
            if row is None:
                return None, []
            state, job_id, version = row
            ended = self._database.execute(_SQL["harvest"], {"id": backfill_id})
            offers = self._open_next(backfill_id, job_id, version, term) if state == "running" else []
            if self._database.execute(_SQL["conclude"], {"id": backfill_id}):
                return "done", offers
            return (state if ended or offers else None), offers

    def _open_next(self, backfill_id: UUID, job_id: str, version: int, term: Term) -> list[Offer]:
        definition = self._definitions.get(job_id, version)
        policy = definition.policy
        (room,) = self._database.fetch_one(
            _SQL["room"], {"id": backfill_id, "job_id": job_id, "max_running": definition.max_running}
        ) or (0,)
        if room <= 0:
            return []
        params = {
            **self._fence(term),
            "id": backfill_id,
            "run_ids": array(new_id() for _ in range(room)),
            "room": room,
            "max_attempts": policy.max_attempts,
            "job_max_running": definition.max_running,
            "priority": definition.priority,
            "queue": definition.queue,
            "gated": definition.gated,
            "for_workers": definition.for_workers,
        }
        rows = self._database.fetch_all(_SQL["open"], params)
        return [Offer(run_id, None, True, definition.gated, definition.priority) for (run_id,) in rows]

    def _prune_now_and_then(self) -> None:
        if self._pruned_at is None or time.monotonic() - self._pruned_at > _PRUNE_EVERY_SECONDS:
            self._pruned_at = time.monotonic()
            self._database.execute(_SQL["prune"], {"age": self._retention})
