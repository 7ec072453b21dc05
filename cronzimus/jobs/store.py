"""APScheduler's job store, kept in PostgreSQL: half of the plug-in that turns one wake-up into one transaction."""

from datetime import datetime

from apscheduler.job import Job as SchedulerJob
from apscheduler.jobstores.base import BaseJobStore, JobLookupError

from cronzimus.errors import CronzimusError, NotFound
from cronzimus.jobs.due import DueEntry, WakeUp
from cronzimus.jobs.job_factory import JobFactory, definition_of
from cronzimus.models.job import Job, JobDefinition, Source
from cronzimus.services.timetable import Timetable

_ALL = 1_000_000


class PostgresJobStore(BaseJobStore):  # type: ignore[misc]  # APScheduler is untyped
    """What the scheduler's loop calls never raises: an outage makes it ask again a moment later.

    The other methods serve people who hold an APScheduler object; they speak to the same timetable.
    """

    def __init__(self, wake_up: WakeUp, timetable: Timetable) -> None:
        super().__init__()
        self._wake_up = wake_up
        self._timetable = timetable

    def get_due_jobs(self, now: datetime) -> list[DueEntry]:
        """What is due by the database's clock; `now` is this machine's and decides nothing."""
        return self._wake_up.look()

    def update_job(self, job: DueEntry | SchedulerJob) -> None:
        """Inside a wake-up the plan carries the next instant already; else a person changed the job."""
        if not isinstance(job, DueEntry):
            self._timetable.replace(_definition_in(job), by="code")

    def get_next_run_time(self) -> datetime:
        """Commit the wake-up, for the loop calls this last; when to wake up again."""
        return self._wake_up.commit()

    def remove_job(self, job_id: str) -> None:
        """Nothing: the loop removes what will not fire again, while the timetable keeps it as finished."""

    def lookup_job(self, job_id: str) -> SchedulerJob | None:
        """One job as APScheduler knows jobs, or None."""
        try:
            return self._as_scheduler_job(self._timetable.get(job_id))
        except NotFound:
            return None

    def get_all_jobs(self) -> list[SchedulerJob]:
        """Every job that can be loaded; none is ever deleted for failing to."""
        jobs = (self._as_scheduler_job(job) for job in self._timetable.list(limit=_ALL).items)
        return [job for job in jobs if job is not None]

    def add_job(self, job: SchedulerJob) -> None:
        """Write a job added through an APScheduler object; raises Conflict JOB_EXISTS."""
        self._timetable.add(_definition_in(job), by="code", source=Source.API)

    def remove_all_jobs(self) -> None:
        """Refused: nothing takes every job away at once."""
        raise NotImplementedError("remove jobs one by one")

    def _as_scheduler_job(self, job: Job) -> SchedulerJob | None:
        try:
            arguments = JobFactory.describe(JobDefinition.model_validate(job.definition))
            made = SchedulerJob(
                self._scheduler, executor="default", next_run_time=job.next_due_at, **arguments
            )
        except (CronzimusError, ValueError, TypeError, LookupError, ImportError):
            return None
        made._jobstore_alias = self._alias
        return made


def _definition_in(job: SchedulerJob) -> JobDefinition:
    try:
        return definition_of({"trigger": job.trigger})
    except KeyError:
        raise JobLookupError(job.id) from None
