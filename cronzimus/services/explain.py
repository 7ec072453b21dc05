"""Why a job did or did not run at an instant, in one sentence, from the ledger."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.errors import CronzimusError, NotFound
from cronzimus.models.dependency import awaited_job
from cronzimus.models.firing import Decision, Firing, Reason
from cronzimus.models.run import Run, RunState
from cronzimus.models.schedule import Schedule
from cronzimus.services.definitions import Definitions
from cronzimus.services.history import History, JobVersion
from cronzimus.utils.ids import first_id_at

_SQL = queries("cronzimus.services.sql", "explain.sql")
_TICK = timedelta(microseconds=1)
# A run is never older than what it is for, but for clocks that differ.
_CLOCKS_DIFFER = timedelta(hours=1)

_BECAUSE = {
    Reason.OVERLAP: "an earlier run of it was not finished",
    Reason.MISFIRE: "nobody could decide it in time and it came too late for its misfire grace",
    Reason.CATCH_UP: "a later instant of the same outage runs in its place",
    Reason.CALENDAR: "it was a day off",
    Reason.BLACKOUT: "it lay in a blackout",
    Reason.PAUSED: "the job was paused",
    Reason.BROKEN: "the job's definition could not be loaded",
    Reason.SUPERSEDED: "the definition was changed before it was decided",
    Reason.DEPENDENCY_FAILED: "what it depends on did not end as wanted",
    Reason.BUDGET: "the budget of connections was used up",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is known of one job at one instant; `sentence` says it for people."""

    job_id: str
    at: datetime
    due_at: datetime | None
    sentence: str
    decision: Decision | None = None
    reason: Reason | None = None
    firing: Firing | None = None
    run: Run | None = None


class Explain:
    """Reads ledger and versions. May raise DatabaseUnavailable."""

    def __init__(self, database: Database, definitions: Definitions, history: History) -> None:
        self._database = database
        self._definitions = definitions
        self._history = history

    def why(self, job_id: str, at: datetime) -> Explanation:
        """What became of `job_id` at `at`; raises NotFound when the job never existed."""
        firing = self._database.fetch_one(_SQL["covering"], {"job_id": job_id, "at": at}, row=Firing)
        if firing is not None:
            return self._from_ledger(firing, at)
        versions = self._history.versions(job_id)
        if not versions:
            raise NotFound(f"there is no job {job_id!r}", code="JOB_NOT_FOUND")
        return self._from_definition(job_id, at, versions)

    def _from_ledger(self, firing: Firing, at: datetime) -> Explanation:
        run = self._run_of(firing)
        due_at = firing.due_at if firing.instants == 1 else at
        sentence = f"{firing.job_id} at {_utc(at)}: {_fate(firing, run)}; {_signature(firing)}."
        decision, reason = Decision(firing.decision), Reason(firing.reason) if firing.reason else None
        return Explanation(firing.job_id, at, due_at, sentence, decision, reason, firing, run)

    def _run_of(self, firing: Firing) -> Run | None:
        try:
            return self._history.run(firing.run_id) if firing.run_id else None
        except NotFound:
            return None

    def _from_definition(self, job_id: str, at: datetime, versions: tuple[JobVersion, ...]) -> Explanation:
        in_force = [v for v in versions if v.changed_at < at]
        if not in_force:
            return _said(
                job_id,
                at,
                f"{job_id} did not exist yet at {_utc(at)}; it was created {_utc(versions[0].changed_at)}",
            )
        version = in_force[-1]
        if version.definition is None:
            return _said(
                job_id, at, f"{job_id} was deleted at {_utc(version.changed_at)} by {version.changed_by}"
            )
        try:
            schedule = self._definitions.get(job_id, version.version).schedule
        except CronzimusError as error:
            return _said(job_id, at, f"{job_id} version {version.version} cannot be loaded: {error}")
        following = schedule.next_after(at - _TICK)
        if following == at:
            return self._undecided(job_id, at, schedule)
        if (run := self._released(job_id, at)) is not None:
            text = f"{job_id} at {_utc(at)}: started when what it depends on had ended, {_came_to(run)}."
            return Explanation(job_id, at, at, text, run=run)
        after = f"; by version {version.version} the next instant is {_utc(following)}" if following else ""
        return _said(job_id, at, f"{job_id} was not due at {_utc(at)}{after}")

    def _released(self, job_id: str, at: datetime) -> Run | None:
        """The run of a cycle of that moment."""
        params = {"job_id": job_id, "at": at, "oldest_id": first_id_at(at - _CLOCKS_DIFFER)}
        found = self._database.fetch_one(_SQL["released"], params)
        return self._history.run(found[0]) if found else None

    def _undecided(self, job_id: str, at: datetime, schedule: Schedule) -> Explanation:
        (now,) = self._database.fetch_one(_SQL["clock"]) or (at,)
        if at > now:
            why = schedule.why_off(at)
            off = f", and will be skipped: a day off, {why}" if why else ""
            text = f"{job_id} is due at {_utc(at)}, which has not come yet{off}"
        else:
            text = f"{job_id} was due at {_utc(at)} and has no row yet: no leader has decided it"
        return Explanation(job_id, at, at, f"{text}.")


def because(firing: Firing) -> str:
    """Why a row of the ledger did not start a run, in words; of one that did, what is worth knowing."""
    reason = _BECAUSE[Reason(firing.reason)] if firing.reason else ""
    return ": ".join(part for part in (reason, firing.note) if part)


def _said(job_id: str, at: datetime, text: str) -> Explanation:
    return Explanation(job_id, at, None, f"{text}.")


def _fate(firing: Firing, run: Run | None) -> str:
    said = f" ({firing.note})" if firing.note else ""
    if firing.decision == Decision.FIRED:
        return f"fired{said}, {_outcome(firing, run)}"
    together = f" together with {firing.instants - 1} others" if firing.instants > 1 else ""
    return f"{firing.decision}{together} ({firing.reason}): {because(firing) or 'no reason was recorded'}"


def _outcome(firing: Firing, run: Run | None) -> str:
    return f"its run {firing.run_id} is no longer kept" if run is None else _came_to(run)


def _came_to(run: Run) -> str:
    tries = f"attempt {run.attempt} of {run.max_attempts}"
    if run.state == RunState.PENDING:
        held = awaited_job(run.held_by)
        return f"run {run.id} is waiting for {f'the end of {held}' if held else 'a worker'}"
    if run.started_at is None or run.ended_at is None:
        said = f": {run.error.get('message', '')}" if run.error and run.ended_at else ""
        return f"run {run.id} is {run.state} ({tries}){said}"
    took = (run.ended_at - run.started_at).total_seconds()
    said = f": {run.error.get('message', '')}" if run.error else ""
    return f"run {run.id} ended {run.state} after {took:.3f} s ({tries}){said}"


def _signature(firing: Firing) -> str:
    late = (firing.decided_at - firing.due_at).total_seconds()
    return f"decided by {firing.decided_by} {late:.3f} s after it was due, under version {firing.job_version}"


def _utc(instant: datetime | None) -> str:
    return "never" if instant is None else instant.strftime("%Y-%m-%d %H:%M:%S UTC")
