"""What people do to runs: start one by hand, cancel one, try one again."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cronzimus.common.db import Database, as_json
from cronzimus.common.logger import get_logger
from cronzimus.common.sql import queries
from cronzimus.errors import Conflict, Fault, Invalid, NotFound
from cronzimus.models.event import Event, Topic
from cronzimus.models.job import JobDefinition, JobStatus
from cronzimus.models.run import OPEN, Cause, Offer, Run
from cronzimus.models.values import check_given, effective_values
from cronzimus.services import tracing
from cronzimus.services.audit import Audit
from cronzimus.services.definitions import Definitions
from cronzimus.services.events import Announce, unannounced
from cronzimus.services.firing import CANCEL_CHANNEL
from cronzimus.services.history import History
from cronzimus.services.timetable import Timetable
from cronzimus.services.upkeep import DispatchWithin, OfferRuns, not_dispatched
from cronzimus.utils.ids import new_id

_LOG = get_logger(__name__)
_SQL = queries("cronzimus.services.sql", "runs.sql")


class Runs:
    """Every verb answers at once; the run itself happens on a worker. All may raise DatabaseUnavailable."""

    def __init__(
        self,
        database: Database,
        timetable: Timetable,
        definitions: Definitions,
        history: History,
        offer: OfferRuns,
        announce: Announce = unannounced,
        dispatch: DispatchWithin = not_dispatched,
    ) -> None:
        self._database = database
        self._timetable = timetable
        self._definitions = definitions
        self._history = history
        self._offer = offer
        self._announce = announce
        self._dispatch = dispatch
        self._audit = Audit(database)
        # Whether what is given for a run may hold what looks like a password.
        self.allow_plain_secrets = False

    def trigger(
        self,
        job_id: str,
        *,
        params: dict[str, Any] | None = None,
        as_of: datetime | None = None,
        force: bool = False,
        by: str,
    ) -> Run:
        """Start a run now; raises NotFound, Conflict JOB_PAUSED (unless `force`) or JOB_BROKEN, Invalid.

        With `as_of` it is the run of that moment: its due time, for its templates and for its function.
        """
        job = self._timetable.get(job_id)
        if job.status == JobStatus.PAUSED and not force:
            raise Conflict(f"job {job_id!r} is paused; say force to run it all the same", code="JOB_PAUSED")
        if job.status == JobStatus.BROKEN:
            raise Conflict(f"job {job_id!r} is broken: {job.status_reason}", code="JOB_BROKEN")
        definition = self._definitions.get(job_id, job.version)
        check_given(definition, params, allow_plain=self.allow_plain_secrets)
        _refuse_future(as_of)
        return self._open(definition, job.version, Cause.MANUAL, params, as_of)

    def cancel(self, run_id: UUID, *, by: str) -> Run:
        """A waiting run ends now, a running one is stopped by its worker; raises NotFound, Conflict RUN_FINISHED."""
        error = {
            "type": "Cancelled",
            "category": "BUSINESS",
            "message": f"cancelled by {by} before it started",
        }
        with self._database.transaction():
            before = self._history.run(run_id).state
            cancelled = self._database.fetch_one(_SQL["cancel"], {"id": run_id, "error": as_json(error)})
            run = self._history.run(run_id)
            if cancelled is None:
                raise Conflict(f"run {run_id} has ended already: {run.state}", code="RUN_FINISHED")
            after = {"state": run.state, "job_id": run.job_id, "cancel_requested": True}
            self._audit.record("run.cancel", f"run/{run_id}", before={"state": before}, after=after)
            self._notify(CANCEL_CHANNEL, run_id)
        self._announce(Event(Topic.RUN, str(run.id), run.job_id, run.state))
        return run

    def retry(self, run_id: UUID, *, by: str) -> Run:
        """A new run like one that ended, in its trace; raises NotFound, Conflict RUN_NOT_FINISHED.

        So it belongs to the same cycle, and what was skipped for the sake of the first follows the second.
        """
        run = self._history.run(run_id)
        if run.state in OPEN:
            raise Conflict(f"run {run_id} has not ended yet: {run.state}", code="RUN_NOT_FINISHED")
        job = self._timetable.get(run.job_id)
        definition = self._definitions.get(job.id, job.version)
        check_given(definition, run.params, allow_plain=self.allow_plain_secrets)
        return self._open(definition, job.version, Cause.RETRY, run.params, run.due_at, again=run)

    def values_of(self, run: Run) -> dict[str, Any] | None:
        """The value of each parameter in a run, templates and references as they were written."""
        try:
            definition = self._definitions.get(run.job_id, run.job_version)
        except (NotFound, Invalid):
            return None
        return effective_values(definition, run.params)

    def _open(
        self,
        definition: JobDefinition,
        version: int,
        cause: Cause,
        params: dict[str, Any] | None,
        due_at: datetime | None,
        again: Run | None = None,
    ) -> Run:
        run_id = new_id()
        columns = {
            "id": run_id,
            "job_id": definition.id,
            "version": version,
            "kind": definition.kind,
            "cause": cause,
            "due_at": due_at,
            "max_attempts": definition.policy.max_attempts,
            "max_running": definition.max_running,
            "gated": definition.gated,
            "for_workers": definition.for_workers,
            "priority": definition.priority,
            "queue": definition.queue,
            "params": as_json(params or None),
            "trace_id": again.trace_id if again else tracing.trace_id_of_new(run_id),
            "parent": again and again.id,
            "part": again and again.part,
            "parts": again and again.parts,
            "inputs": as_json(again.inputs if again else None),
        }
        trace_id, after = (again.trace_id, again.id) if again else (None, None)
        opening = tracing.opening(run_id, definition.id, cause, trace_id=trace_id, after=after)
        with opening, self._database.transaction():
            self._database.execute(_SQL["trigger"], columns)
            run = self._history.run(run_id)
            self._record_start(run)
            if definition.gated:
                self._dispatch(self._database)
        self._database.after_commit(lambda: self._send(run, definition.gated))
        return run

    def _send(self, run: Run, gated: bool) -> None:
        """Only now can a worker see it: whoever started it may be in a transaction of their own."""
        marks = {"run_id": str(run.id), "job_id": run.job_id, "trace_id": run.trace_id}
        _LOG.bind(**marks).info("A run of {} was opened by hand", run.job_id)
        self._offer([Offer(run.id, None, gated=gated, priority=run.priority)])
        self._announce(Event(Topic.RUN, str(run.id), run.job_id, run.state))

    def _record_start(self, run: Run) -> None:
        started = {"run_id": str(run.id), "params": run.params}
        if run.parent_run_id is None:
            self._audit.record("job.run", f"job/{run.job_id}", after=started)
        else:
            self._audit.record(
                "run.retry", f"run/{run.parent_run_id}", after={**started, "job_id": run.job_id}
            )

    def _notify(self, channel: str, run_id: UUID) -> None:
        self._database.execute(_SQL["notify"], {"channel": channel, "payload": str(run_id)})


def _refuse_future(as_of: datetime | None) -> None:
    if as_of is not None and as_of > datetime.now(UTC):
        message = "must not lie in the future; a job that should run later has a date trigger"
        raise Invalid(f"as_of: {message}", faults=[Fault("as_of", message)])
