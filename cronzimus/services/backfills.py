"""Backfills: what people do to them. Opening the runs is the driver's work, see `backfill_driver`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cronzimus.common.arrays import array
from cronzimus.common.db import Database, as_json
from cronzimus.common.sql import queries
from cronzimus.errors import Conflict, Fault, Invalid, NotFound
from cronzimus.models.backfill import Backfill, BackfillItem, BackfillRequest, BackfillState, Estimate, Item
from cronzimus.models.cron_zone import instant_of
from cronzimus.models.event import Event, Topic
from cronzimus.models.job import Job, JobStatus
from cronzimus.models.page import Page
from cronzimus.models.values import check_given
from cronzimus.services.audit import Audit
from cronzimus.services.backfill_choice import choose, read_ledger
from cronzimus.services.definitions import Definitions
from cronzimus.services.events import Announce, unannounced
from cronzimus.services.firing import CANCEL_CHANNEL
from cronzimus.services.timetable import Timetable
from cronzimus.utils.ids import new_id

_SQL = queries("cronzimus.services.sql", "backfills.sql")
_UTC = "UTC"


class Backfills:
    """Start, pause, resume, cancel, look. `by` names who did it. All may raise DatabaseUnavailable.

    Nothing here touches the ledger: a row of the past says what was decided then, and stays.
    """

    def __init__(
        self,
        database: Database,
        timetable: Timetable,
        definitions: Definitions,
        announce: Announce = unannounced,
    ) -> None:
        self._database = database
        self._timetable = timetable
        self._definitions = definitions
        self._announce = announce
        self._audit = Audit(database)

    def foresee(self, request: BackfillRequest) -> Estimate:
        """What a backfill would run, and how long that may take; changes nothing. Raises as `start` does."""
        job, items = self._chosen(request)
        row = self._database.fetch_one(_SQL["usual_seconds"], {"job_id": job.id})
        each = None if row is None or row[0] is None else float(row[0])
        return Estimate(items, None if each is None else each * len(items) / request.max_running)

    def start(self, request: BackfillRequest, *, by: str) -> Backfill:
        """A new backfill, which runs from now on.

        Raises NotFound, Conflict JOB_BROKEN, Invalid BACKFILL_EMPTY, BACKFILL_TOO_LARGE or INVALID_PARAMS.
        """
        job, items = self._chosen(request)
        if not items:
            message = "nothing of the job in this range is to run again"
            raise Invalid(message, code="BACKFILL_EMPTY", faults=[Fault("outcomes", message)])
        backfill_id = new_id()
        with self._database.transaction():
            self._database.execute(_SQL["start"], _columns(backfill_id, request, job.version, by))
            self._database.execute(_SQL["add_items"], _rows(backfill_id, items))
            backfill = self.get(backfill_id)
            asked = request.model_dump(mode="json", by_alias=True)
            self._audit.record(
                "backfill.start", f"backfill/{backfill_id}", after={**asked, "total": len(items)}
            )
        return self._told(backfill)

    def get(self, backfill_id: UUID) -> Backfill:
        """One backfill and how far it is; raises NotFound BACKFILL_NOT_FOUND."""
        for backfill in self._page(id=backfill_id, limit=1):
            return backfill
        raise NotFound(f"there is no backfill {backfill_id}", code="BACKFILL_NOT_FOUND")

    def list(
        self, *, job_id: str | None = None, state: str | None = None, limit: int = 50, offset: int = 0
    ) -> Page[Backfill]:
        """One page of backfills, latest first."""
        filters = {"job_id": job_id, "state": state}
        (total,) = self._database.fetch_one(_SQL["count"], filters) or (0,)
        return Page(self._page(**filters, limit=limit, offset=offset), total, limit, offset)

    def items(self, backfill_id: UUID, *, limit: int = 50, offset: int = 0) -> Page[BackfillItem]:
        """Its instants in the order in which they run; raises NotFound."""
        backfill = self.get(backfill_id)
        params = {"id": backfill_id, "limit": limit, "offset": offset}
        rows = self._database.fetch_all(_SQL["items"], params, row=BackfillItem)
        return Page(tuple(rows), backfill.total, limit, offset)

    def pause(self, backfill_id: UUID, *, by: str) -> Backfill:
        """Open no more runs; those that are open go on. Raises NotFound, Conflict BACKFILL_ENDED."""
        return self._told(self._turn(backfill_id, BackfillState.PAUSED, "pause"))

    def resume(self, backfill_id: UUID, *, by: str) -> Backfill:
        """Go on opening runs; raises NotFound, Conflict BACKFILL_ENDED."""
        return self._told(self._turn(backfill_id, BackfillState.RUNNING, "resume"))

    def cancel(self, backfill_id: UUID, *, by: str) -> Backfill:
        """Open no more runs, end those that wait, stop those that run. Raises NotFound, Conflict BACKFILL_ENDED."""
        with self._database.transaction():
            self._turn(backfill_id, BackfillState.CANCELLED, "cancel")
            for (run_id,) in self._database.fetch_all(_SQL["cancel_runs"], {"id": backfill_id}):
                self._database.execute(_SQL["notify"], {"channel": CANCEL_CHANNEL, "payload": str(run_id)})
            self._database.execute(_SQL["harvest"], {"id": backfill_id})
        return self._told(self.get(backfill_id))

    def _page(self, *, limit: int, offset: int = 0, **filters: Any) -> tuple[Backfill, ...]:
        params = {"id": None, "job_id": None, "state": None, **filters, "limit": limit, "offset": offset}
        return tuple(self._database.fetch_all(_SQL["page"], params, row=Backfill))

    def _turn(self, backfill_id: UUID, state: BackfillState, verb: str) -> Backfill:
        """The lock on the row makes this wait for an opening that is under way; none comes after it."""
        with self._database.transaction():
            before = self.get(backfill_id).state
            if not self._database.execute(_SQL["turn"], {"id": backfill_id, "state": state}):
                stands = self.get(backfill_id).state
                raise Conflict(f"backfill {backfill_id} has ended already: {stands}", code="BACKFILL_ENDED")
            change = {"before": {"state": before}, "after": {"state": str(state)}}
            self._audit.record(f"backfill.{verb}", f"backfill/{backfill_id}", **change)
            return self.get(backfill_id)

    def _chosen(self, request: BackfillRequest) -> tuple[Job, tuple[Item, ...]]:
        job = self._timetable.get(request.job_id)
        if job.status == JobStatus.BROKEN:
            raise Conflict(f"job {job.id!r} is broken: {job.status_reason}", code="JOB_BROKEN")
        definition = self._definitions.get(job.id, job.version)
        check_given(definition, request.params)
        (now,) = self._database.fetch_one(_SQL["clock"]) or (datetime.now(UTC),)
        start, end = instant_of(request.begins, _UTC), min(instant_of(request.ends, _UTC), now)
        ledger = read_ledger(self._database, job.id, start, end)
        return job, tuple(choose(request, definition, ledger, start, end, now))

    def _told(self, backfill: Backfill) -> Backfill:
        self._announce(Event(Topic.BACKFILL, str(backfill.id), backfill.job_id, backfill.state))
        return backfill


def _columns(backfill_id: UUID, request: BackfillRequest, version: int, by: str) -> dict[str, Any]:
    return {
        "id": backfill_id,
        "job_id": request.job_id,
        "version": version,
        "from_at": instant_of(request.begins, _UTC),
        "to_at": instant_of(request.ends, _UTC),
        "outcomes": [str(outcome) for outcome in request.outcomes],
        "max_running": request.max_running,
        "reverse": request.reverse,
        "params": as_json(request.params or None),
        "by": by,
    }


def _rows(backfill_id: UUID, items: Sequence[Item]) -> dict[str, Any]:
    return {
        "id": backfill_id,
        "due_ats": array(item.due_at for item in items),
        "was": array(str(item.was) for item in items),
    }
