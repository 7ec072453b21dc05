"""What people do to runs: start one by hand, cancel one, try one again."""

from typing import Any
from uuid import UUID

from pydantic import ValidationError

from cronzimus.common.db import Database, as_json
from cronzimus.common.sql import queries
from cronzimus.errors import Conflict, Fault, Invalid
from cronzimus.models.job import JobDefinition, JobStatus
from cronzimus.models.kinds import PARAMS, override_params
from cronzimus.models.run import OPEN, Cause, Offer, Run
from cronzimus.services.definitions import Definitions
from cronzimus.services.firing import CANCEL_CHANNEL
from cronzimus.services.history import History
from cronzimus.services.timetable import Timetable
from cronzimus.services.upkeep import OfferRuns
from cronzimus.utils.ids import new_id

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
    ) -> None:
        self._database = database
        self._timetable = timetable
        self._definitions = definitions
        self._history = history
        self._offer = offer

    def trigger(
        self, job_id: str, *, params: dict[str, Any] | None = None, force: bool = False, by: str
    ) -> Run:
        """Start a run now; raises NotFound, Conflict JOB_PAUSED (unless `force`) or JOB_BROKEN, Invalid."""
        job = self._timetable.get(job_id)
        if job.status == JobStatus.PAUSED and not force:
            raise Conflict(f"job {job_id!r} is paused; say force to run it all the same", code="JOB_PAUSED")
        if job.status == JobStatus.BROKEN:
            raise Conflict(f"job {job_id!r} is broken: {job.status_reason}", code="JOB_BROKEN")
        definition = self._definitions.get(job_id, job.version)
        _check_override(definition, params)
        return self._open(definition, job.version, Cause.MANUAL, params, parent=None)

    def cancel(self, run_id: UUID, *, by: str) -> Run:
        """A waiting run ends now, a running one is stopped by its worker; raises NotFound, Conflict RUN_FINISHED."""
        error = {
            "type": "Cancelled",
            "category": "BUSINESS",
            "message": f"cancelled by {by} before it started",
        }
        with self._database.transaction():
            cancelled = self._database.fetch_one(_SQL["cancel"], {"id": run_id, "error": as_json(error)})
            run = self._history.run(run_id)
            if cancelled is None:
                raise Conflict(f"run {run_id} has ended already: {run.state}", code="RUN_FINISHED")
            self._notify(CANCEL_CHANNEL, run_id)
        return run

    def retry(self, run_id: UUID, *, by: str) -> Run:
        """A new run like one that ended; raises NotFound, Conflict RUN_NOT_FINISHED."""
        run = self._history.run(run_id)
        if run.state in OPEN:
            raise Conflict(f"run {run_id} has not ended yet: {run.state}", code="RUN_NOT_FINISHED")
        job = self._timetable.get(run.job_id)
        definition = self._definitions.get(job.id, job.version)
        return self._open(definition, job.version, Cause.RETRY, run.params, parent=run_id)

    def _open(
        self,
        definition: JobDefinition,
        version: int,
        cause: Cause,
        params: dict[str, Any] | None,
        parent: UUID | None,
    ) -> Run:
        run_id = new_id()
        columns = {
            "id": run_id,
            "job_id": definition.id,
            "version": version,
            "cause": cause,
            "max_attempts": definition.policy.max_attempts,
            "max_running": definition.policy.max_running,
            "priority": definition.priority,
            "queue": definition.queue,
            "params": as_json(params or None),
            "trace_id": run_id.hex,
            "parent": parent,
        }
        with self._database.transaction():
            self._database.execute(_SQL["trigger"], columns)
            run = self._history.run(run_id)
        self._offer([Offer(run_id, None)])
        return run

    def _notify(self, channel: str, run_id: UUID) -> None:
        self._database.execute(_SQL["notify"], {"channel": channel, "payload": str(run_id)})


def _check_override(definition: JobDefinition, params: dict[str, Any] | None) -> None:
    try:
        PARAMS[definition.kind].model_validate(override_params(definition.kind, definition.params, params))
    except ValidationError as error:
        faults = [Fault(".".join(["params", *map(str, e["loc"])]), e["msg"]) for e in error.errors()]
        raise Invalid("these parameters do not suit the job", code="INVALID_PARAMS", faults=faults) from error
