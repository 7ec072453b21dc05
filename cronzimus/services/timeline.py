"""Who ran when: the runs of a stretch of time, across jobs."""

from datetime import UTC, datetime, timedelta
from typing import Final

from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.models.timeline import Stretch, Timeline
from cronzimus.utils.ids import first_id_at

_SQL = queries("cronzimus.services.sql", "timeline.sql")
_LOOK_BACK: Final = timedelta(days=1)
# Nothing was queued before; and there are instants from which no day can be taken.
_BEGINNING: Final = datetime(1970, 1, 2, tzinfo=UTC)


class Timelines:
    """Reads only; may raise DatabaseUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def between(
        self,
        since: datetime,
        until: datetime,
        *,
        job_id: str | None = None,
        worker_id: str | None = None,
        limit: int = 1000,
    ) -> Timeline:
        """The latest `limit` runs that were open then; one that ended in it is found when it was queued at
        most a day before."""
        params = {
            "first_id": first_id_at(max(since, _BEGINNING) - _LOOK_BACK),
            "last_id": first_id_at(until),
            "since": since,
            "job_id": job_id,
            "worker_id": worker_id,
            "limit": limit + 1,
        }
        found = self._database.fetch_all(_SQL["runs"], params, row=Stretch)
        return Timeline(since, until, tuple(found[:limit]), len(found) > limit)
