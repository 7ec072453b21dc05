"""Worker processes: they start, drain, die, meet others of their name, and never leave anything behind."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.conftest import NewTrial
from tests.e2e.crew import WORKER, Crew
from tests.e2e.postgres import Postgres
from tests.e2e.service import Service
from tests.e2e.trial import job
from tests.e2e.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

AWAY: dict[str, Any] = {"runs_on": "workers"}
STUBBORN = "trap '' TERM; while :; do sleep 60 & wait $!; done"
JOBS = {
    "short": {**job(None), **AWAY},
    "long": {**job(None, "work", 60, max_attempts=2, backoff=0), **AWAY},
    "calm": {**job(None, "work", 4), **AWAY},
    "stubborn": {
        "kind": "shell",
        "trigger": {"type": "manual"},
        "params": {"command": ["sh", "-c", STUBBORN]},
        "policy": {"max_attempts": 2, "backoff": 0},
        **AWAY,
    },
}
NewCrew = Callable[..., Crew]


@pytest.fixture
def new_crew(new_trial: NewTrial, calm_postgres: Postgres) -> Iterator[NewCrew]:
    """A service that executes nothing of workers itself, and workers that beat fast."""
    heart = {"worker__heartbeat_interval_seconds": 0.5, "worker__worker_timeout_seconds": 4}

    def make(**settings: Any) -> Crew:
        return Crew(new_trial(calm_postgres, JOBS, **{**heart, **settings}))

    yield make


def children(worker: Service) -> list[psutil.Process]:
    """Everything the worker has started."""
    return psutil.Process(worker.pid).children(recursive=True)


def gone(processes: list[psutil.Process]) -> bool:
    """Whether none of them lives."""
    return not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in processes)


def test_worker_executes_drains_and_starts_again(new_crew: NewCrew, tmp_path: Path) -> None:
    crew = new_crew()
    health = tmp_path / "health"
    worker = crew.start("w1", "--labels", "zone=eu", "--concurrency", "2", "--health-file", str(health))
    assert crew.wait(crew.run("short"), "success")["worker_id"] == "w1"
    facts = crew.facts("w1")
    assert (facts["labels"], facts["capacity"], facts["takes"]) == ({"zone": "eu"}, 2, ["workers"])
    assert health.exists()
    calm = crew.run("calm")
    crew.wait(calm, "running")
    assert crew.service.post("/api/v1/workers/w1/drain").body["status"] == "draining"
    waiting = crew.run("short")
    assert worker.wait(20) == 0
    assert crew.one(calm)["state"] == "success" and crew.one(waiting)["state"] == "pending"
    assert crew.is_status("w1", "down") and not health.exists()
    assert crew.service.post("/api/v1/workers/w1/drain").body["code"] == "WORKER_DOWN"
    crew.start("w1")
    crew.wait(waiting, "success")


def test_sigterm_lets_runs_end_and_says_143(new_crew: NewCrew) -> None:
    crew = new_crew()
    worker = crew.start("w1")
    calm = crew.run("calm")
    crew.wait(calm, "running")
    worker.send(signal.SIGTERM)
    until(lambda: crew.is_status("w1", "draining"), 5, "the others to know")
    assert worker.wait(20) == 143
    assert crew.one(calm)["state"] == "success"


def test_run_that_outlasts_the_patience_of_a_stop_is_tried_again(new_crew: NewCrew) -> None:
    crew = new_crew(worker__drain_seconds=1)
    worker = crew.start("w1")
    run_id = crew.run("long")
    crew.wait(run_id, "running")
    worker.send(signal.SIGTERM)
    assert worker.wait(15) == 143
    run = crew.one(run_id)
    assert (run["state"], run["attempt"]) == ("pending", 1)


@pytest.mark.parametrize("job_id", ["long", "stubborn"])
def test_second_signal_ends_everything_within_two_seconds(new_crew: NewCrew, job_id: str) -> None:
    crew = new_crew()
    worker = crew.start("w1")
    run_id = crew.run(job_id)
    crew.wait(run_id, "running")
    until(lambda: job_id != "stubborn" or len(children(worker)) >= 3, 20, "the command to be there")
    family = children(worker)
    worker.send(signal.SIGTERM)
    until(lambda: "Stopping" in worker.text(), 10, "the first signal to be heard")
    began = time.monotonic()
    worker.send(signal.SIGTERM)
    assert worker.wait(10) == 143
    assert time.monotonic() - began <= 2
    until(lambda: gone(family), 2, "every child to be gone")
    run = crew.one(run_id)
    assert (run["state"], run["attempt"]) == ("pending", 1)


def test_name_in_use_is_refused_in_a_sentence(new_crew: NewCrew) -> None:
    crew = new_crew()
    first = crew.start("w1")
    second = crew.begin("w1")
    assert second.wait(20) == 1
    assert f"the name 'w1' is in use: process {first.pid} on" in second.text()
    assert crew.wait(crew.run("short"), "success")["worker_id"] == "w1"


def test_of_two_that_start_at_one_moment_one_stays(new_crew: NewCrew) -> None:
    crew = new_crew()
    both = [crew.begin("w1"), crew.begin("w1")]
    until(lambda: any(one.process.poll() is not None for one in both), 40, "one to give way")
    (loser,) = [one for one in both if one.process.poll() is not None]
    assert loser.process.returncode == 1 and "WORKER_ID_IN_USE" not in loser.text()
    assert crew.wait(crew.run("short"), "success")["worker_id"] == "w1"


def test_killed_worker_starts_again_at_once_under_its_name(new_crew: NewCrew) -> None:
    crew = new_crew(
        worker__lease_seconds=3, worker__heartbeat_interval_seconds=5, worker__worker_timeout_seconds=60
    )
    worker = crew.start("w1")
    run_id = crew.run("long")
    crew.wait(run_id, "running")
    worker.send(signal.SIGKILL)
    began = time.monotonic()
    again = crew.start("w1")
    assert time.monotonic() - began < 20
    assert crew.facts("w1")["pid"] == again.pid
    assert "waiting for a sign of life" not in again.text()
    until(lambda: crew.one(run_id)["attempt"] == 2, 40, "the second attempt")


def test_stopped_worker_does_not_come_back_under_a_taken_name(new_crew: NewCrew) -> None:
    crew = new_crew(worker__lease_seconds=3)
    old = crew.start("w1")
    run_id = crew.run("long")
    crew.wait(run_id, "running")
    old.send(signal.SIGSTOP)
    new = crew.start("w1")
    until(lambda: crew.is_status("w1", "alive", new.pid), 20, "the new life to have the name")
    old.send(signal.SIGCONT)
    assert old.wait(20) == 1
    assert f"The name w1 was taken over by process {new.pid}" in old.text()
    assert crew.is_status("w1", "alive", new.pid) and new.process.poll() is None
    assert crew.wait(crew.run("short"), "success")["worker_id"] == "w1"


def test_worker_waits_for_the_schema_and_leaves_when_told(postgres: Postgres, new_trial: NewTrial) -> None:
    trial = new_trial(postgres, JOBS)
    worker = trial.fleet.start((*WORKER, "--id", "early"))
    until(lambda: "waits for its upgrade" in worker.text(), 40, "the worker to say what it waits for")
    assert worker.text().count("waits for its upgrade") == 1
    worker.send(signal.SIGTERM)
    assert worker.wait(10) == 143


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--kinds", "shell,magic"), "there is no kind 'magic', there are function, shell, http, sql"),
        (("--concurrency", "0"), "worker.max_concurrent_tasks: must be at least 1"),
        (("--id", ""), "worker.worker_id: must not be empty"),
        (("--labels", "zone"), "'zone' is none"),
        (("--isolation", "moon"), "expected one of thread, process"),
    ],
)
def test_what_cannot_be_is_refused_with_78(
    new_trial: NewTrial, calm_postgres: Postgres, options: tuple[str, ...], said: str
) -> None:
    trial = new_trial(calm_postgres, {})
    worker = trial.fleet.start((*WORKER, *options))
    assert worker.wait(40) == 78
    assert said in worker.text()


def test_service_that_is_a_worker_too_only_stops_taking(new_crew: NewCrew) -> None:
    crew = new_crew(worker__enabled=True, worker__worker_id="both")
    assert crew.wait(crew.run("short"), "success")["worker_id"] == "both"
    drained = crew.service.post("/api/v1/workers/both/drain").body
    assert (drained["status"], drained["takes"]) == ("alive", ["scheduler"])
    waiting = crew.run("short")
    other = crew.start("other")
    assert crew.wait(waiting, "success")["worker_id"] == "other"
    assert crew.service.is_ready() and other.process.poll() is None
