"""Keeps the leases of everything a worker holds, and hears what became of it."""

from collections.abc import Callable, Sequence

from cronzimus.common.logger import get_logger
from cronzimus.common.loop import Loop
from cronzimus.errors import DatabaseUnavailable
from cronzimus.models.run import Held
from cronzimus.workers.ledger import Claims
from cronzimus.workers.outcome import Stop
from cronzimus.workers.roster import Roster
from cronzimus.workers.warden import Warden

_LOG = get_logger(__name__)
_BEATS_PER_LEASE = 3
_AFTER_AN_OUTAGE_SECONDS = 0.5


class Heartbeat:
    """On a thread of its own: a database that is slow to answer delays no deadline and no claim."""

    def __init__(
        self,
        claims: Claims,
        roster: Roster,
        warden: Warden,
        reporting: Callable[[], Sequence[Held]],
        *,
        worker_id: str,
        lease_seconds: float,
        on_error: Callable[[str, Exception], None],
    ) -> None:
        self._claims, self._roster, self._warden = claims, roster, warden
        self._reporting = reporting
        self._worker_id, self._lease_seconds = worker_id, lease_seconds
        self.loop = Loop("cronzimus-heartbeat", self._beat, on_error=on_error)

    def _beat(self) -> float:
        held = [*self._roster.held(), *self._reporting()]
        if held:
            try:
                self._renew(held)
            except DatabaseUnavailable:
                return min(_AFTER_AN_OUTAGE_SECONDS, self._lease_seconds / _BEATS_PER_LEASE)
        return self._lease_seconds / _BEATS_PER_LEASE

    def _renew(self, held: Sequence[Held]) -> None:
        renewal = self._claims.renew(held, worker_id=self._worker_id, lease_seconds=self._lease_seconds)
        for one in held:
            if one.run_id in renewal.lost:
                self._lose(one)
        for run_id in renewal.cancelled:
            self._warden.cancel(run_id)

    def _lose(self, held: Held) -> None:
        """Stop an attempt that somebody else owns by now; one that ended meanwhile is only old news."""
        attempt = self._roster.find(held)
        if attempt is not None and not (attempt.run is not None and attempt.run.committed):
            _LOG.warning("Run {} attempt {} is no longer this worker's", held.run_id, held.attempt)
            self._warden.end(attempt, Stop.LOST)
