"""The leader proves the ledger complete, a few jobs at a time, so that a gap raises an alarm by itself."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.models.leader import Term
from cronzimus.services.verify import SETTLING, Verifier

_SQL = queries("cronzimus.services.sql", "totals.sql")
_EVERY_SECONDS = 5.0
_BETWEEN_ROUNDS_SECONDS = 60.0
# A hundredth of a core, however many jobs there are: with very many a round takes hours, and looks hours back.
_BUDGET_SECONDS = 0.05
_BATCH = 100
_WINDOW = timedelta(hours=1)
_LONGEST_WINDOW = timedelta(days=1)


class LedgerCheck:
    """Goes through all jobs, round after round. `step` is called for ever by a loop and rests while standing by.

    Each round looks back to the start of the one before, an hour at least, so that no instant is left out.
    What a round finds is told when it ends; a gap is told at once.
    """

    def __init__(
        self,
        database: Database,
        verifier: Verifier,
        term: Callable[[], Term | None],
        budget_seconds: float = _BUDGET_SECONDS,
    ) -> None:
        self._database, self._verifier, self._term = database, verifier, term
        self._budget_seconds = budget_seconds
        self._last_began: datetime | None = None
        self._begin()

    def step(self) -> float:
        """Some jobs, if this replica leads; seconds until the next."""
        if self._term() is None:
            self._begin()
            return _EVERY_SECONDS
        deadline = time.monotonic() + self._budget_seconds
        while jobs := self._next_jobs():
            for job_id in jobs:
                self._look_at(job_id)
                if time.monotonic() > deadline:
                    return _EVERY_SECONDS
        self._tell()
        self._last_began = self._began
        self._begin()
        return _BETWEEN_ROUNDS_SECONDS

    def _begin(self) -> None:
        self._after, self._gaps, self._surplus = "", 0, 0
        self._began = datetime.now(UTC)
        longest = self._began - _LONGEST_WINDOW
        wanted = min(self._began - _WINDOW, self._last_began or self._began)
        self._since = max(longest, wanted - SETTLING)

    def _next_jobs(self) -> list[str]:
        rows = self._database.fetch_all(_SQL["jobs_after"], {"after": self._after, "limit": _BATCH})
        return [job_id for (job_id,) in rows]

    def _look_at(self, job_id: str) -> None:
        found = self._verifier.verify(self._since, datetime.now(UTC), job_id=job_id)
        self._gaps += len(found.gaps)
        self._surplus += len(found.surplus)
        self._after = job_id
        if found.gaps:
            self._tell()

    def _tell(self) -> None:
        window = {"since": self._since, "until": datetime.now(UTC)}
        self._database.execute(_SQL["note_check"], {**window, "gaps": self._gaps, "surplus": self._surplus})
