"""The timetable: WHAT runs WHEN. Add a job here, in config/base/jobs.yaml, or through REST."""

from collections.abc import Iterable
from typing import Any

from cronzimus.controller.task import task
from cronzimus.errors import ConfigError, Conflict, Fault, Invalid
from cronzimus.jobs.job_factory import JobFactory, definition_of
from cronzimus.models.job import JobDefinition, Source
from cronzimus.services.dependency_graph import refuse_cycle
from cronzimus.settings import Settings, differing


class APSchedulerConfig:
    """Flask-APScheduler's configuration object; `JOBS` is read at start and at reload."""

    SCHEDULER_API_ENABLED = False  # the stock routes take any importable callable; ours are api/scheduler.py

    def __init__(self, settings: Settings, factory: JobFactory, more: Iterable[dict[str, Any]] = ()) -> None:
        self._settings = settings
        self._factory = factory
        self._more = tuple(more)

    @property
    def JOBS(self) -> list[dict[str, Any]]:
        """Every job that code or a file declares; rows written through the API are merged in by id."""
        return [job for _, job in self._declared()]

    def declared(self) -> list[tuple[JobDefinition, Source]]:
        """The same as definitions, with the door each came through; a file wins over code."""
        found = [(definition_of(job), source) for source, job in self._declared()]
        try:
            refuse_cycle([definition for definition, _ in found])
        except Conflict as error:
            message = f"the declared jobs: {error.message}"
            raise ConfigError(message, code=error.code, faults=error.faults) from error
        return found

    def read_again(self) -> "APSchedulerConfig":
        """The same from what the files say now; raises one ConfigError that lists every fault."""
        again = APSchedulerConfig(self._settings.read_again(), self._factory, self._more)
        again.declared()
        return again

    def restart_needed(self, now: "APSchedulerConfig") -> tuple[str, ...]:
        """The settings that are different there, and that a running process does not take up."""
        changed = differing(self._settings, now._settings)
        return tuple(key for key in changed if not key.startswith("logging."))

    def _declared(self) -> list[tuple[Source, dict[str, Any]]]:
        by_id = {job["id"]: (Source.CODE, job) for job in [*self._in_code(), *self._more]}
        by_id |= {job["id"]: (Source.FILE, job) for job in self._in_files()}
        return list(by_id.values())

    def _in_code(self) -> list[dict[str, Any]]:
        jobs = []
        if self._settings.scheduler.sample_job:
            jobs.append(JobFactory.create_job(task, "interval", {"seconds": 5}, "sample_task"))
        return jobs

    def _in_files(self) -> list[dict[str, Any]]:
        jobs, faults = [], []
        for job in self._settings.jobs:
            try:
                jobs.append(self._from_file(job.id, job.document, job.origin))
            except ConfigError as error:
                faults.append(error)
        if len(faults) > 1:
            told = [Fault("", error.message) for error in faults]
            raise ConfigError(f"{len(faults)} jobs in files cannot be used", faults=told)
        if faults:
            raise faults[0]
        return jobs

    def _from_file(self, job_id: str, document: dict[str, Any], origin: str) -> dict[str, Any]:
        try:
            return self._factory.from_document({"id": job_id, **document}, may_be_over=True)
        except Invalid as error:
            faults = "; ".join(f"{fault.field}: {fault.message}" for fault in error.faults) or error.message
            raise ConfigError(f"{origin}: job {job_id!r}: {faults}", code=error.code) from error
