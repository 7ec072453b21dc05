"""From due to run: read what is due, decide each instant, and commit all of it in one statement."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cronzimus.common.arrays import array
from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.errors import Invalid
from cronzimus.models.event import Event, Topic
from cronzimus.models.job import JobDefinition, JobStatus
from cronzimus.models.leader import Term
from cronzimus.models.policy import Overlap
from cronzimus.models.run import Offer
from cronzimus.services import tracing
from cronzimus.services.blackouts import BlackoutBoard
from cronzimus.services.decide import Plan, plan
from cronzimus.services.definitions import Definitions
from cronzimus.services.events import Announce, unannounced
from cronzimus.services.leadership import Leadership
from cronzimus.services.upkeep import DispatchWithin, not_dispatched

_SQL = queries("cronzimus.services.sql", "firing.sql")
CANCEL_CHANNEL = "cronzimus_cancel"
# More than this and the announcer says "many" anyway.
_MOST_ANNOUNCED = 250


@dataclass(frozen=True, slots=True)
class DueJob:
    """A job with an instant that has come, as the leader read it."""

    definition: JobDefinition
    version: int
    status: JobStatus
    due_at: datetime
    open_runs: int


@dataclass(frozen=True, slots=True)
class DueBatch:
    """What one look at the timetable found; `now` is the database's clock."""

    now: datetime
    jobs: tuple[DueJob, ...]


_NOTHING = DueBatch(datetime.min, ())


class FiringService:
    """The leader's hand on the ledger. Every method may raise DatabaseUnavailable; none loses anything by it."""

    def __init__(
        self,
        database: Database,
        definitions: Definitions,
        leadership: Leadership,
        announce: Announce = unannounced,
        dispatch: DispatchWithin = not_dispatched,
    ) -> None:
        self._database = database
        self._definitions = definitions
        self._leadership = leadership
        self._announce = announce
        self._dispatch = dispatch
        self._blackouts = BlackoutBoard(database)

    def due(self, limit: int) -> DueBatch:
        """At most `limit` due jobs, earliest first; one whose definition cannot be loaded is marked broken."""
        rows = self._database.fetch_all(_SQL["due"], {"limit": limit})
        if not rows:
            return _NOTHING
        self._blackouts.keep_up(rows[0][5])
        definitions = self._definitions.get_many((row[0], row[1]) for row in rows)
        open_runs = self._open_runs(definitions.values())
        jobs = []
        for job_id, version, status, due_at, *_ in rows:
            definition = definitions.get((job_id, version))
            if definition is None:
                continue
            if isinstance(definition, Invalid):
                self.mark_broken(job_id, version, definition.message)
                continue
            status = self._judge_loadable(definition, version, JobStatus(status))
            jobs.append(DueJob(definition, version, status, due_at, open_runs.get(job_id, 0)))
        return DueBatch(rows[0][4], tuple(jobs))

    def decide(self, job: DueJob, now: datetime) -> Plan:
        """What becomes of every instant of this job that has come."""
        definition = job.definition
        closed = self._blackouts.concerning(definition.id, definition.tags)
        return plan(definition, job.version, job.status, job.due_at, now, job.open_runs, closed)

    def commit(self, term: Term, plans: Sequence[Plan]) -> list[Offer] | None:
        """Write the plans if `term` still holds; the runs opened, or None when another replica leads."""
        params = {
            **self._leadership.fence(term),
            "decided_by": self._leadership.holder_name,
            **_columns(plans),
        }
        with tracing.firing(plans) as opened:
            offers = _offers(self._write(plans, params))
            opened.update(offer.run_id for offer in offers or ())
        for one in plans[:_MOST_ANNOUNCED]:
            self._announce(Event(Topic.JOB, one.definition.id, one.definition.id))
        return offers

    def seconds_to_next(self) -> float | None:
        """Seconds until the next instant is due by the database's clock, None when nothing ever is."""
        row = self._database.fetch_one(_SQL["next_wait"])
        return None if row is None or row[0] is None else float(row[0])

    def mend_broken(self) -> int:
        """Give broken jobs another chance, as a new leader may know their functions; how many."""
        return self._database.execute(_SQL["mend_broken"])

    def mark_broken(self, job_id: str, version: int, reason: str, *, unschedulable: bool = True) -> None:
        """Say that a definition cannot be loaded; `unschedulable` when not even its next instant is known."""
        params = {"job_id": job_id, "version": version, "reason": reason, "unschedulable": unschedulable}
        self._database.execute(_SQL["mark_broken"], params)

    def _write(self, plans: Sequence[Plan], params: dict[str, object]) -> list[tuple[object, ...]]:
        replaced = [p.definition.id for p in plans if p.replaces]
        if not replaced and not any(p.definition.gated for p in plans):
            return self._database.fetch_all(_SQL["commit"], params)
        with self._database.transaction():
            rows = self._database.fetch_all(_SQL["commit"], params)
            if rows and replaced:
                self._cancel_older(replaced, [p for p in plans if p.replaces])
            if any(gated for _, _, _, gated, _ in rows):
                self._dispatch(self._database)
        return rows

    def _open_runs(self, definitions: Iterable[JobDefinition | Invalid]) -> dict[str, int]:
        bounded = [
            d.id for d in definitions if not isinstance(d, Invalid) and d.policy.overlap is not Overlap.ALLOW
        ]
        if not bounded:
            return {}
        return dict(self._database.fetch_all(_SQL["open_runs"], {"job_ids": array(bounded)}))

    def _judge_loadable(self, definition: JobDefinition, version: int, status: JobStatus) -> JobStatus:
        if status is not JobStatus.ACTIVE:
            return status
        trouble = self._definitions.trouble_with(definition, version)
        if trouble is None:
            return status
        self.mark_broken(definition.id, version, trouble, unschedulable=False)
        return JobStatus.BROKEN

    def _cancel_older(self, job_ids: list[str], plans: Sequence[Plan]) -> None:
        fresh = [row.run_id for p in plans for row in p.decided if row.run_id is not None]
        params = {"job_ids": array(job_ids), "fresh": array(fresh)}
        for (run_id,) in self._database.fetch_all(_SQL["replace_open_runs"], params):
            self._database.execute(_SQL["notify"], {"channel": CANCEL_CHANNEL, "payload": str(run_id)})


def _columns(plans: Sequence[Plan]) -> dict[str, str]:
    rows = [(p.definition.id, row) for p in plans for row in p.decided]
    policies = [p.definition.policy for p in plans]
    return {
        "ids": array([p.definition.id for p in plans]),
        "versions": array([p.version for p in plans]),
        "statuses": array([str(p.status) for p in plans]),
        "due_ats": array([p.due_at for p in plans]),
        "next_due_ats": array([p.next_due_at for p in plans]),
        "max_attempts": array([policy.max_attempts for policy in policies]),
        "max_running": array([p.definition.max_running for p in plans]),
        "priorities": array([p.definition.priority for p in plans]),
        "queues": array([p.definition.queue for p in plans]),
        "gated": array([p.definition.gated for p in plans]),
        "for_workers": array([p.definition.for_workers for p in plans]),
        "held_bys": array([p.definition.held_by for p in plans]),
        "d_ids": array([job_id for job_id, _ in rows]),
        "d_due_ats": array([row.due_at for _, row in rows]),
        "d_firsts": array([row.first_due_at for _, row in rows]),
        "d_instants": array([row.instants for _, row in rows]),
        "d_decisions": array([str(row.decision) for _, row in rows]),
        "d_reasons": array([row.reason and str(row.reason) for _, row in rows]),
        "d_runs": array([row.run_id for _, row in rows]),
        "d_not_befores": array([row.not_before for _, row in rows]),
        "d_notes": array([row.note for _, row in rows]),
    }


def _offers(rows: list[tuple[object, ...]]) -> list[Offer] | None:
    """No row at all means that the term was not ours; a row without a run, that nothing was to start."""
    if not rows:
        return None
    return [
        Offer(run_id, not_before, gated=bool(gated), priority=priority)  # type: ignore[arg-type]
        for _, run_id, not_before, gated, priority in rows
        if run_id is not None
    ]
