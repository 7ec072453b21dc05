"""APScheduler's executor: the other half of the plug-in. It decides and collects; nothing runs here."""

from datetime import datetime

from apscheduler.executors.base import BaseExecutor

from cronzimus.jobs.due import DueEntry, WakeUp


class FiringExecutor(BaseExecutor):  # type: ignore[misc]  # APScheduler is untyped
    """The one place that sees a job together with its due time. Never raises."""

    def __init__(self, wake_up: WakeUp) -> None:
        super().__init__()
        self._wake_up = wake_up

    def submit_job(self, job: DueEntry, run_times: list[datetime]) -> None:
        """Decide every instant of this job that has come; the runs start after the commit."""
        self._wake_up.decide(job)

    def _do_submit_job(self, job: DueEntry, run_times: list[datetime]) -> None:
        """Never called: `submit_job` is replaced whole."""
        self.submit_job(job, run_times)
