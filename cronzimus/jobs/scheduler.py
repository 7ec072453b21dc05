"""The Flask-APScheduler extension of the house: it knows who leads, and everything it does goes through the ledger."""

from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import STATE_STOPPED
from flask_apscheduler import APScheduler

from cronzimus.jobs.due import WakeUp
from cronzimus.jobs.executor import FiringExecutor
from cronzimus.jobs.job_factory import JobFactory, definition_of
from cronzimus.jobs.store import PostgresJobStore
from cronzimus.services.runs import Runs
from cronzimus.services.timetable import Timetable


class LedgerScheduler(APScheduler):  # type: ignore[misc]  # Flask-APScheduler is untyped
    """One for each replica. It starts paused; winning the term resumes it, losing the term pauses it."""

    def __init__(self, wake_up: WakeUp, factory: JobFactory, timetable: Timetable, runs: Runs) -> None:
        super().__init__(
            BackgroundScheduler(
                jobstores={"default": PostgresJobStore(wake_up, timetable)},
                executors={"default": FiringExecutor(wake_up)},
                timezone="UTC",
            )
        )
        self._factory = factory
        self._timetable = timetable
        self._runs = runs

    @property
    def alive(self) -> bool:
        """Whether the scheduler's thread runs; APScheduler's `running` stays true when it died."""
        thread = getattr(self._scheduler, "_thread", None)
        return thread is not None and thread.is_alive()

    def start(self, paused: bool = True) -> None:
        """Start the thread, standing by."""
        self._scheduler.start(paused=True)

    def lead(self) -> None:
        """Begin to fire."""
        self._scheduler.resume()

    def stand_by(self) -> None:
        """Stop firing, stay ready."""
        self._scheduler.pause()

    def wake(self) -> None:
        """Look at the timetable now."""
        if self._scheduler.state != STATE_STOPPED:
            self._scheduler.wakeup()

    def shutdown(self, wait: bool = True) -> None:
        """End the thread, if it was started."""
        if self._scheduler.state != STATE_STOPPED:
            self._scheduler.shutdown(wait)

    def add_job(self, id: str, func: Any, **kwargs: Any) -> Any:
        """Add a job the Flask-APScheduler way; it is checked and stored like any other."""
        trigger = kwargs.pop("trigger", "manual")
        options = {name: kwargs.pop(name) for name in set(kwargs) & _OPTIONS}
        job = JobFactory.create_job(func, trigger, kwargs, id, **options)
        self._factory.check(definition_of(job))
        return self._timetable.add(definition_of(job), by="code")

    def remove_job(self, id: str, jobstore: str | None = None) -> None:
        """Take the job off the timetable."""
        self._timetable.remove(id, by="code")

    def pause_job(self, id: str, jobstore: str | None = None) -> None:
        """Skip the job's instants, with a reason, until it is resumed."""
        self._timetable.pause(id, by="code")

    def resume_job(self, id: str, jobstore: str | None = None) -> None:
        """Let the job fire again."""
        self._timetable.resume(id, by="code")

    def run_job(self, id: str, jobstore: str | None = None) -> None:
        """Start a run now, through the ledger and on a worker, never in the caller's thread."""
        self._runs.trigger(id, force=True, by="code")

    def _load_config(self) -> None:
        """Nothing: the settings are ours, and APScheduler's `configure` throws the store and the executor away."""

    def _load_jobs(self) -> None:
        """Nothing: the house merges declared jobs into the timetable once the schema is there."""


_OPTIONS = {"args", "kwargs", "misfire_grace_time", "coalesce", "max_instances", "name", "tags"}
