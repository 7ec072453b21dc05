"""One experiment: jobs, services and a database; something is broken; then everything is judged."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import Any

import psycopg

from tests.e2e.checker import Verdict, judge
from tests.e2e.figures import longest_gap
from tests.e2e.history import Asked, History, Span, read, read_witness
from tests.e2e.service import Fleet, Service
from tests.e2e.waiting import until

# Every instant fires, however late: nothing but the ledger's own mistakes can make such a job miss one.
RELENTLESS: dict[str, Any] = {
    "catch_up": "all",
    "catch_up_cap": 1000,
    "misfire_grace": 86_400,
    "overlap": "allow",
}

# The time an outage is allowed to echo: a term, a lease, and the catching up.
RECOVERY_SECONDS = 20.0


def job(every: float | None = 1, function: str = "mark", *args: Any, **policy: Any) -> dict[str, Any]:
    """A job of the witness, as jobs.yaml takes it; without `every` it runs by hand only."""
    return {
        "params": {"func": f"witness:{function}", "args": list(args)},
        "trigger": {"type": "interval", "seconds": every} if every else {"type": "manual"},
        "policy": policy,
    }


def asked_of(job_id: str, document: Mapping[str, Any]) -> Asked:
    """The same job as the judge sees it."""
    policy = document["policy"]
    return Asked(
        job_id,
        document["trigger"].get("seconds", inf),
        max_attempts=policy.get("max_attempts", 1),
        exclusive=policy.get("overlap", "skip") != "allow",
        all_fire=policy.get("catch_up") == "all" and policy.get("overlap") == "allow",
        fenced=document["params"].get("func") == "witness:fenced",
    )


class Trial:
    """`url` leads straight to the database, with a superuser's rights; the services go `through` another."""

    def __init__(
        self, folder: Path, url: str, jobs: Mapping[str, Any], *, through: str, **settings: Any
    ) -> None:
        self.url = url
        self.fleet = Fleet(folder, through, jobs, **settings)
        now = time.time()
        self.history = History([asked_of(*one) for one in jobs.items()], now, Span(now, now), now)

    def begin(self) -> None:
        """From here on every due instant must be accounted for: every job has run."""
        wanted = {asked.job_id for asked in self.history.asked if asked.every != inf}
        until(lambda: wanted <= {line.job_id for line in self.lines()}, 30, f"{wanted} to run once")
        self.history.window = Span(time.time(), 0)

    def add(self, service: Service, job_id: str, document: Mapping[str, Any]) -> None:
        """One more job, through REST."""
        answer = service.post("/api/v1/jobs", {"id": job_id, **document})
        assert answer.status == 201, answer
        self.history.asked.append(asked_of(job_id, document))

    def pause(self, service: Service, job_id: str) -> None:
        """Pause a job for good."""
        until(
            lambda: service.post(f"/api/v1/jobs/{job_id}/pause").status == 200, 15, f"{job_id} to be paused"
        )
        paused = Span(time.time() - _UNDECIDED_SECONDS, inf)
        asked = next(one for one in self.history.asked if one.job_id == job_id)
        self.history.asked.remove(asked)
        self.history.asked.append(replace(asked, paused=(*asked.paused, paused)))

    def run(self, service: Service, job_id: str) -> str:
        """Start a run by hand and wait until it has begun; its id."""
        answer = service.post(f"/api/v1/jobs/{job_id}/run")
        assert answer.status == 202, answer
        run_id: str = answer.body["run_id"]
        until(lambda: any(line.run_id == run_id for line in self.lines()), 15, f"run {run_id} to begin")
        return run_id

    def state(self, run_id: str) -> tuple[str, int]:
        """State and attempt of a run."""
        rows = self.query("SELECT state, attempt FROM cronzimus.runs WHERE id = %s", run_id)
        return (rows[0][0], rows[0][1])

    @property
    def began(self) -> float:
        """When the judged window began."""
        return self.history.window.start

    def lines(self) -> list[Any]:
        """What the jobs have written down so far."""
        return read_witness(self.fleet.witness)

    def starts(self, job_id: str, since: float = 0) -> list[float]:
        """When runs of a job began."""
        return [
            line.at
            for line in self.lines()
            if (line.job_id, line.event) == (job_id, "start") and line.at >= since
        ]

    def query(self, statement: str, *params: Any) -> list[tuple[Any, ...]]:
        """Rows, straight from the database."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(statement.encode(), params).fetchall()

    def change(self, statement: str) -> None:
        """Change the database behind the service's back."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def keep_effects(self) -> None:
        """Make the table that fenced jobs of the witness write into."""
        self.change(
            "CREATE TABLE public.effects (run_id uuid, attempt integer); GRANT ALL ON public.effects TO public"
        )

    def leader(self) -> tuple[int, int]:
        """Process id and epoch of the replica whose term runs; (0, 0) while there is none."""
        rows = self.query(
            "SELECT holder_name, epoch FROM cronzimus.leaders WHERE expires_at > clock_timestamp()"
        )
        return (int(rows[0][0].rpartition(":")[2]), rows[0][1]) if rows else (0, 0)

    def wait_for_leader(self, within: float, *, other_than: int = 0) -> tuple[int, int]:
        """The leader, once there is one that is not the given process."""
        leader = until(
            lambda: next((found for found in [self.leader()] if found[0] not in (0, other_than)), None),
            within,
            f"a leader other than {other_than}",
        )
        assert leader is not None
        return leader

    @contextmanager
    def fault(self, recovery: float = RECOVERY_SECONDS) -> Iterator[None]:
        """What happens inside is declared to the judge, with the time the service has to recover."""
        began = time.time()
        try:
            yield
        finally:
            self.history.faults.append(Span(began, time.time() + recovery))

    def end(self, within: float = 45.0) -> Verdict:
        """Let all that has begun come to its end, and judge. Some service must be there to pause the jobs."""
        end = time.time()
        self.history.window = Span(self.began, end)
        self._wait(lambda: self._recorded_to(end), within)
        self._pause_all()
        self._wait(lambda: not self.query(_OPEN_RUNS), within)
        read(self.history, self.url, self.fleet.witness)
        verdict = judge(self.history)
        print(verdict)
        return verdict

    def gap(self, job_id: str, since: float = 0) -> float:
        """The longest time without a start of this job, from `since` to the last line."""
        lines = [line for line in self.lines() if line.job_id == job_id]
        return longest_gap(lines, Span(since or self.began, lines[-1].at))

    def verify(self) -> subprocess.CompletedProcess[str]:
        """`cronzimus verify` over the window."""
        start, end = (
            datetime.fromtimestamp(at, UTC).isoformat() for at in (self.began, self.history.window.end)
        )
        command = [sys.executable, "-m", "cronzimus", "verify", "--from", start, "--to", end, "-o", "json"]
        environment = {**self.fleet.environment, "DATABASE_URL": self.url}
        return subprocess.run(command, cwd=self.fleet.folder, env=environment, capture_output=True, text=True)

    def close(self) -> None:
        """End every service."""
        self.fleet.close()

    def _recorded_to(self, end: float) -> bool:
        rows = dict(
            self.query(
                "SELECT job_id, extract(epoch FROM max(due_at))::float8 FROM cronzimus.firings GROUP BY 1"
            )
        )
        last = {asked.job_id: asked.targets(self.began, end)[-1:] for asked in self.history.asked}
        return all(rows.get(job_id, 0) >= targets[0] for job_id, targets in last.items() if targets)

    def _pause_all(self) -> None:
        serving = (service for service in self.fleet.services if service.serves)
        service = next(service for service in serving if service.process.poll() is None)
        for job_id in [one.job_id for one in self.history.asked]:
            self.pause(service, job_id)

    def _wait(self, condition: Callable[[], Any], within: float) -> None:
        """What does not come true is for the judge to name."""
        try:
            until(condition, within, "")
        except AssertionError:
            return


_OPEN_RUNS = "SELECT 1 FROM cronzimus.runs WHERE state IN ('pending', 'running') LIMIT 1"
# An instant that had come but was not decided when the pause began is decided by the pause.
_UNDECIDED_SECONDS = 2.0


def found_sound(trial: Trial) -> None:
    """Fail unless judge and `verify` agree that nothing is wrong."""
    verdict, verified = trial.end(), trial.verify()
    assert verdict.sound is True, str(verdict)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert json.loads(verified.stdout)["ok"]
