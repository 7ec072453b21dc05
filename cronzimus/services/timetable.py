"""The timetable: which jobs exist and how they stand. Every write is one transaction and leaves a version."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from cronzimus.common.arrays import array
from cronzimus.common.db import Database, Refused, as_json
from cronzimus.common.logger import get_logger
from cronzimus.common.sql import queries
from cronzimus.errors import Conflict, Invalid, NotFound
from cronzimus.models.job import Job, JobDefinition, JobStatus, Source
from cronzimus.models.page import Page
from cronzimus.services.alerts.rules import write_rules_of_job
from cronzimus.services.audit import Audit
from cronzimus.services.decide import Decided, settle
from cronzimus.services.definitions import Definitions, Observed
from cronzimus.services.dependency_graph import DependencyGraph
from cronzimus.services.pools import check_pool

_LOG = get_logger(__name__)
_SQL = queries("cronzimus.services.sql", "timetable.sql")


class _Row(NamedTuple):
    """A job's row, locked, and the clock after the lock was had: every change counts from that instant."""

    id: str
    version: int
    status: JobStatus
    next_due_at: datetime | None
    now: datetime


class Timetable:
    """Add, replace, remove, pause, resume. `by` names who did it. All may raise DatabaseUnavailable."""

    def __init__(self, database: Database, definitions: Definitions) -> None:
        self._database = database
        self._definitions = definitions
        self._audit = Audit(database)
        self._graph = DependencyGraph(database)

    def get(self, job_id: str) -> Job:
        """One job; raises NotFound."""
        job = self._database.fetch_one(_SQL["get"], {"id": job_id}, row=Job)
        if job is None:
            raise _unknown(job_id)
        return job

    def list(
        self,
        *,
        status: str | None = None,
        kind: str | None = None,
        tag: str | None = None,
        search: str | None = None,
        source: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> Page[Job]:
        """One page of jobs in order of their ids."""
        filters = {"status": status, "kind": kind, "tag": tag, "search": search, "source": source}
        params = {**filters, "limit": limit, "offset": offset}
        jobs = self._database.fetch_all(_SQL["page"], params, row=Job)
        (total,) = self._database.fetch_one(_SQL["count"], filters) or (0,)
        return Page(tuple(jobs), total, limit, offset)

    def add(self, definition: JobDefinition, *, by: str, source: Source = Source.API) -> Job:
        """A new job; raises Conflict JOB_EXISTS, and what its dependencies are refused for."""
        try:
            with self._database.transaction():
                self._insert(definition, by, source)
                self._audit.record("job.create", f"job/{definition.id}", after=definition.document())
                return self.get(definition.id)
        except Refused as refused:
            if refused.constraint == "fk_jobs_calendars":
                raise Conflict("its calendar was removed meanwhile", code="CALENDAR_NOT_FOUND") from refused
            raise Conflict(f"a job {definition.id!r} exists already", code="JOB_EXISTS") from refused

    def replace(
        self,
        definition: JobDefinition,
        *,
        by: str,
        expected_version: int | None = None,
        source: Source = Source.API,
    ) -> Job:
        """Another definition under the same id; it counts from now on. Raises NotFound, Conflict VERSION_CONFLICT."""
        with self._database.transaction():
            row = self._lock(definition.id, expected_version)
            before = self.get(row.id).definition
            self._settle(row, by)
            check_pool(self._database, definition)
            observed = self._definitions.observing(definition)
            version = self._write_version(definition.id, observed, "replace", by, row.now)
            due_at = observed.definition.schedule.first_due(row.now)
            status = JobStatus.PAUSED if row.status == JobStatus.PAUSED else _status_for(due_at, definition)
            self._database.execute(_SQL["update"], _columns(observed, version, status, source, due_at))
            self._graph.keep(definition)
            self._audit.record("job.replace", f"job/{row.id}", before=before, after=definition.document())
            self._notify(definition.id)
            return self.get(definition.id)

    def take_up(self, job_id: str, *, by: str) -> bool:
        """Let a job keep to the last version of its calendar; False while an instant of it waits to be decided.

        The same definition becomes a new version, so that what was decided under the old days stays computable.
        """
        with self._database.transaction():
            row = self._lock(job_id)
            if row.next_due_at is not None and row.next_due_at <= row.now:
                return False
            observed = self._definitions.observing(self._definitions.get(job_id, row.version))
            version = self._write_version(job_id, observed, "calendar", by, row.now)
            due_at = observed.definition.schedule.next_after(row.now)
            running = row.status in (JobStatus.ACTIVE, JobStatus.FINISHED)
            status = _status_for(due_at, observed.definition) if running else row.status
            moved = {"id": job_id, "version": version, "calendar_version": observed.calendar_version}
            self._database.execute(_SQL["take_up"], {**moved, "next_due_at": due_at, "status": status})
            self._notify(job_id)
            return True

    def remove(self, job_id: str, *, by: str, expected_version: int | None = None) -> None:
        """Take a job off; its history stays, what waits is cancelled. Raises Conflict JOB_IS_NEEDED."""
        with self._database.transaction():
            row = self._lock(job_id, expected_version)
            self._graph.let_go(job_id)
            self._audit.record("job.delete", f"job/{job_id}", before=self.get(job_id).definition)
            self._settle(row, by)
            self._write_version(job_id, None, "delete", by, row.now)
            self._database.execute(_SQL["delete"], {"id": job_id})
            self._database.execute(_SQL["cancel_pending"], {"id": job_id})
            self._notify(job_id)

    def pause(self, job_id: str, *, by: str, expected_version: int | None = None) -> Job:
        """From now on its instants are `skipped (paused)`; raises Conflict JOB_FINISHED."""
        return self._set_status(job_id, JobStatus.PAUSED, "job.pause", expected_version)

    def resume(self, job_id: str, *, by: str, expected_version: int | None = None) -> Job:
        """From now on its instants fire again."""
        return self._set_status(job_id, JobStatus.ACTIVE, "job.resume", expected_version)

    def synchronise(self, declared: Sequence[tuple[JobDefinition, Source]]) -> None:
        """Make the timetable say what code and files say; a job changed through the API stays as it is there.

        Safe in any number of processes at once: each job is compared and written under its row's lock.
        """
        present = self._sources([definition.id for definition, _ in declared])
        place = {job_id: at for at, job_id in enumerate(self._graph.order([one for one, _ in declared]))}
        for definition, source in sorted(declared, key=lambda one: place[one[0].id]):
            try:
                if definition.id not in present:
                    self._add_if_absent(definition, source)
                elif present[definition.id] != Source.API:
                    self._replace_if_different(definition, source)
            except (Invalid, Conflict) as error:
                # A calendar is made by the running service: one that is not there yet must not keep it from starting.
                # The same goes for a job it depends on.
                _LOG.error("Job {} stays as it is until the next reload: {}", definition.id, error.message)
        self._remove_undeclared({definition.id for definition, _ in declared})

    def _insert(self, definition: JobDefinition, by: str, source: Source) -> None:
        self._graph.hold_for(definition)
        (now,) = self._database.fetch_one(_SQL["clock"]) or (None,)
        check_pool(self._database, definition)
        observed = self._definitions.observing(definition)
        version = self._write_version(definition.id, observed, "create", by, now)
        due_at = observed.definition.schedule.first_due(now)
        params = _columns(observed, version, _status_for(due_at, definition), source, due_at)
        self._database.execute(_SQL["insert"], params)
        self._graph.keep(definition, is_new=True)
        self._notify(definition.id)

    def _write_version(
        self, job_id: str, observed: Observed | None, operation: str, by: str, now: datetime
    ) -> int:
        (last,) = self._database.fetch_one(_SQL["last_version"], {"id": job_id}) or (0,)
        document = as_json(None if observed is None else observed.definition.document())
        pinned = None if observed is None else observed.calendar_version
        params = {"id": job_id, "version": last + 1, "definition": document, "operation": operation}
        params["calendar_version"] = pinned
        self._database.execute(_SQL["write_version"], {**params, "by": by, "now": now})
        write_rules_of_job(self._database, job_id, observed.definition if observed else None, by=by)
        return int(last) + 1

    def _lock(self, job_id: str, expected_version: int | None = None) -> _Row:
        found = self._database.fetch_one(_SQL["lock"], {"id": job_id})
        if found is None:
            raise _unknown(job_id)
        row = _Row(*found)
        if expected_version not in (None, row.version):
            raise Conflict(
                f"job {row.id!r} is at version {row.version}, not {expected_version}", code="VERSION_CONFLICT"
            )
        return row

    def _settle(self, row: _Row, by: str) -> None:
        """Give every instant that has come, and was not decided yet, its row under the definition it belongs to."""
        if row.next_due_at is None or row.next_due_at > row.now:
            return
        definition = self._definitions.get(row.id, row.version)
        rows = settle(definition, JobStatus(row.status), row.next_due_at, row.now)
        self._database.execute(
            _SQL["settle"], {"id": row.id, "by": by, "version": row.version, **_settled(rows)}
        )

    def _set_status(self, job_id: str, status: JobStatus, action: str, expected: int | None) -> Job:
        with self._database.transaction():
            row = self._lock(job_id, expected)
            if row.status == JobStatus.FINISHED:
                raise Conflict(
                    f"job {job_id!r} has finished: nothing of it is due any more", code="JOB_FINISHED"
                )
            self._database.execute(_SQL["set_status"], {"id": job_id, "status": status})
            self._audit.record(
                action, f"job/{job_id}", before={"status": row.status}, after={"status": status}
            )
            self._notify(job_id)
            return self.get(job_id)

    def _sources(self, job_ids: Iterable[str]) -> dict[str, str]:
        return dict(self._database.fetch_all(_SQL["sources"], {"ids": array(job_ids)}))

    def _add_if_absent(self, definition: JobDefinition, source: Source) -> None:
        try:
            self.add(definition, by=source, source=source)
        except Conflict as error:
            if error.code != "JOB_EXISTS":
                raise
            return  # another replica started at the same time and was first

    def _replace_if_different(self, definition: JobDefinition, source: Source) -> None:
        with self._database.transaction():
            self._lock(definition.id)
            stored = self.get(definition.id)
            if stored.definition != definition.document() or stored.source != source:
                self.replace(definition, by=source, source=source)

    def _remove_undeclared(self, declared: set[str]) -> None:
        """What depends on others goes before them."""
        stored = {job_id: source for job_id, _, source in self._database.fetch_all(_SQL["declared"])}
        order = [job_id for job_id in reversed(self._graph.order([])) if job_id in stored]
        for job_id in [*order, *(stored.keys() - order)]:
            if job_id not in declared:
                self._remove_if_possible(job_id, stored[job_id])

    def _remove_if_possible(self, job_id: str, source: str) -> None:
        try:
            self.remove(job_id, by=source)
        except NotFound:
            return  # another replica was first
        except Conflict as error:
            _LOG.error("Job {} is declared no more and stays: {}", job_id, error.message)

    def _notify(self, job_id: str) -> None:
        self._database.execute(_SQL["notify"], {"id": job_id})


def _unknown(job_id: str) -> NotFound:
    return NotFound(f"there is no job {job_id!r}", code="JOB_NOT_FOUND")


def _status_for(due_at: datetime | None, definition: JobDefinition) -> JobStatus:
    """A job with nothing left to come is finished, unless it only ever runs by hand."""
    if due_at is None and any(trigger.type != "manual" for trigger in definition.triggers):
        return JobStatus.FINISHED
    return JobStatus.ACTIVE


def _columns(
    observed: Observed, version: int, status: JobStatus, source: Source, due_at: datetime | None
) -> dict[str, Any]:
    definition = observed.definition
    return {
        "id": definition.id,
        "calendar": definition.calendar and definition.calendar.id,
        "calendar_version": observed.calendar_version,
        "version": version,
        "kind": definition.kind,
        "tags": list(definition.tags),
        "status": status,
        "source": source,
        "next_due_at": due_at,
    }


def _settled(rows: Sequence[Decided]) -> dict[str, str]:
    return {
        "due_ats": array([row.due_at for row in rows]),
        "firsts": array([row.first_due_at or row.due_at for row in rows]),
        "instants": array([row.instants for row in rows]),
        "decisions": array([row.decision for row in rows]),
        "reasons": array([row.reason for row in rows]),
    }
