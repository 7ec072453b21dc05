"""What the leader does once a second so that nothing is forgotten: re-send, reap, prune."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.models.event import Event, Topic
from cronzimus.models.leader import Term
from cronzimus.models.run import Offer
from cronzimus.services.events import Announce, unannounced

_SQL = queries("cronzimus.services.sql", "upkeep.sql")
_BATCH = 1000
_EVERY_SECONDS = 1.0
_BACKLOG_SECONDS = 0.1
_PRUNE_EVERY_SECONDS = 3600.0
_WEEKS_AHEAD = 4
_BY_WEEKS = ("firings", "run_logs")

OfferRuns = Callable[[Sequence[Offer]], None]
# Called inside of a transaction of that database which has written runs that wait for the dispatcher.
DispatchWithin = Callable[[Database], None]


def not_dispatched(database: Database) -> None:
    """Nobody dispatches here: whoever does so finds the runs."""


class Upkeep:
    """The leader's broom. `step` is called for ever by a loop and does nothing while standing by."""

    def __init__(
        self,
        database: Database,
        offer: OfferRuns,
        term: Callable[[], Term | None],
        *,
        lease_seconds: float,
        retention_days: float,
        patience_seconds: float = 1.0,
        announce: Announce = unannounced,
    ) -> None:
        self._database = database
        self._offer = offer
        self._term = term
        self._lease_seconds = lease_seconds
        self._retention = timedelta(days=retention_days)
        self._patience = timedelta(seconds=patience_seconds)
        self._announce = announce
        self._pruned_at: float | None = None

    def step(self) -> float:
        """One round, if this replica leads; seconds until the next."""
        term = self._term()
        if term is None:
            return _EVERY_SECONDS
        resent = self.resend()
        if self._has_led_for_a_lease(term):
            self.reap()
        self._prune_now_and_then()
        return _BACKLOG_SECONDS if resent == _BATCH else _EVERY_SECONDS

    def resend(self) -> int:
        """Offer pending runs that nobody claimed; how many."""
        rows = self._database.fetch_all(_SQL["unclaimed"], {"patience": self._patience, "limit": _BATCH})
        self._offer([Offer(*row) for row in rows])
        return len(rows)

    def reap(self) -> int:
        """End the attempts whose worker fell silent; how many. Those with tries left are offered again."""
        rows = self._database.fetch_all(_SQL["reap"], {"limit": _BATCH})
        again = [Offer(run_id, *rest) for run_id, state, *rest in rows if state == "pending"]
        self._offer(again)
        for run_id, state, *_ in rows:
            self._announce(Event(Topic.RUN, str(run_id), state=state))
        return len(rows)

    def prune(self) -> int:
        """Make room ahead in the ledger and the logs, drop what is older than the retention; runs deleted."""
        now = datetime.now(UTC)
        oldest = now - self._retention
        for table in _BY_WEEKS:
            for week in range(_WEEKS_AHEAD + 1):
                day = (now + timedelta(weeks=week)).date()
                self._database.execute(_SQL["week_for"], {"table": table, "day": day})
            self._drop_weeks(table, oldest)
            self._database.execute(_SQL[f"prune_{table}"], {"before": oldest})
        self._database.execute(_SQL["prune_answers"])
        self._database.execute(_SQL["prune_skipped_steps"], {"before": oldest})
        return self._prune_runs(oldest)

    def _drop_weeks(self, table: str, oldest: datetime) -> None:
        before = {"table": table, "before": oldest.date()}
        for (name,) in self._database.fetch_all(_SQL["old_weeks"], before):
            self._database.execute(_SQL["drop_week"], {"table": table, "name": name})

    def _prune_runs(self, oldest: datetime) -> int:
        params = {"oldest_id": first_id_of(oldest), "limit": _BATCH}
        deleted = 0
        while batch := self._database.execute(_SQL["prune_runs"], params):
            deleted += batch
        return deleted

    def _has_led_for_a_lease(self, term: Term) -> bool:
        """After an outage the living must have had time to renew before the silent are called dead."""
        return time.monotonic() - term.started > self._lease_seconds

    def _prune_now_and_then(self) -> None:
        if self._pruned_at is None or time.monotonic() - self._pruned_at > _PRUNE_EVERY_SECONDS:
            self._pruned_at = time.monotonic()
            self.prune()


def first_id_of(instant: datetime) -> UUID:
    """The smallest time-ordered id a run of that instant can have."""
    return UUID(int=max(int(instant.timestamp() * 1000), 0) << 80)
