"""What happened: runs, attempts, firings and definition versions, read only."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.errors import NotFound
from cronzimus.models.firing import Firing
from cronzimus.models.page import Page
from cronzimus.models.run import Attempt, Run

_SQL = queries("cronzimus.services.sql", "history.sql")

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class JobVersion:
    """One state a job's definition ever had; `definition` is None where the job was deleted."""

    job_id: str
    version: int
    definition: dict[str, Any] | None
    operation: str
    changed_by: str
    changed_at: datetime


class History:
    """Pages of the past, newest first. All may raise DatabaseUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def run(self, run_id: UUID) -> Run:
        """One run; raises NotFound RUN_NOT_FOUND."""
        run = self._database.fetch_one(_SQL["run"], {"id": run_id}, row=Run)
        if run is None:
            raise NotFound(f"there is no run {run_id}", code="RUN_NOT_FOUND")
        return run

    def attempts(self, run_id: UUID) -> tuple[Attempt, ...]:
        """The ended attempts of a run, first to last."""
        return tuple(self._database.fetch_all(_SQL["attempts"], {"id": run_id}, row=Attempt))

    def runs(
        self,
        *,
        job_id: str | None = None,
        kind: str | None = None,
        state: str | None = None,
        cause: str | None = None,
        worker_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> Page[Run]:
        """Runs that match every filter given; `since` and `until` look at the due time, else the queuing time."""
        filters = {"job_id": job_id, "kind": kind, "state": state, "cause": cause, "worker_id": worker_id}
        return self._page("runs", {**filters, "since": since, "until": until}, limit, offset, Run)

    def firings(
        self,
        *,
        job_id: str | None = None,
        decision: str | None = None,
        reason: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> Page[Firing]:
        """Ledger rows that match every filter given; a summarising row belongs to every instant it covers."""
        filters = {"job_id": job_id, "decision": decision, "reason": reason, "since": since, "until": until}
        return self._page("firings", filters, limit, offset, Firing)

    def versions(self, job_id: str) -> tuple[JobVersion, ...]:
        """Every definition a job ever had, oldest first; empty when it never existed."""
        return tuple(self._database.fetch_all(_SQL["versions"], {"id": job_id}, row=JobVersion))

    def _page(self, what: str, filters: dict[str, Any], limit: int, offset: int, row: type[Row]) -> Page[Row]:
        items = self._database.fetch_all(_SQL[what], {**filters, "limit": limit, "offset": offset}, row=row)
        if offset == 0 and len(items) < limit:
            return Page(tuple(items), len(items), limit, offset)
        (total,) = self._database.fetch_one(_SQL[f"count_{what}"], filters) or (0,)
        return Page(tuple(items), total, limit, offset)
