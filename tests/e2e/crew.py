"""Workers as people run them: processes of the command line beside a service, on one database."""

import sys
from collections.abc import Mapping
from typing import Any

from tests.e2e.service import SERVE, Service
from tests.e2e.trial import Trial
from tests.e2e.waiting import until

WORKER = (sys.executable, "-m", "cronzimus", "worker", "start")
_PATIENCE = 40.0


class Crew:
    """A service that only fires and gives away, and the workers that the test starts."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        (self.service,) = trial.fleet.start_all(SERVE)

    def start(self, name: str, *options: str, **variables: str) -> Service:
        """A worker that has said that it takes runs."""
        worker = self.begin(name, *options, **variables)
        until(lambda: " takes up to " in worker.text(), _PATIENCE, f"{name} to be there")
        return worker

    def begin(self, name: str, *options: str, **variables: str) -> Service:
        """A worker that may not come so far."""
        return self.trial.fleet.start((*WORKER, "--id", name, *options), **variables)

    def facts(self, name: str) -> Mapping[str, Any]:
        """What the service says of the worker."""
        found: Mapping[str, Any] = self.service.get(f"/api/v1/workers/{name}").body
        return found

    def is_status(self, name: str, status: str, pid: int | None = None) -> bool:
        """Whether the worker stands so."""
        facts = self.facts(name)
        return facts.get("status") == status and (pid is None or facts["pid"] == pid)

    def run(self, job_id: str) -> str:
        """A run of a job, started by hand."""
        answer = self.service.post(f"/api/v1/jobs/{job_id}/run")
        assert answer.status == 202, answer.body
        return str(answer.body["run_id"])

    def one(self, run_id: str) -> Mapping[str, Any]:
        """The run as it stands."""
        found: Mapping[str, Any] = self.service.get(f"/api/v1/runs/{run_id}").body
        return found

    def wait(self, run_id: str, state: str, within: float = _PATIENCE) -> Mapping[str, Any]:
        """The run once it stands so."""
        until(lambda: self.one(run_id)["state"] == state, within, f"a run to be {state}")
        return self.one(run_id)
