"""A worker that leaves finishes what it does, hands over the rest, and its exit code says how it was asked."""

import signal
import subprocess
import sys
import time

import pytest

from tests.e2e.conftest import NewCrew
from tests.e2e.fleet import Crew, by_hand
from tests.e2e.postgres import Postgres
from tests.e2e.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

TERMINATED = 128 + signal.SIGTERM
RUN_SECONDS = 5.0


@pytest.fixture
def crew(new_crew: NewCrew, calm_postgres: Postgres) -> Crew:
    """A worker with one place that executes a run of five seconds, and a second run behind it."""
    made = new_crew(calm_postgres, "procrastinate", {})
    made.serve()
    made.worker("leaving", 1)
    made.wait_alive()
    policy = {"overlap": "allow", "max_attempts": 2, "backoff": 0.0}
    made.add("long", {**by_hand(func="witness:work", args=[RUN_SECONDS]), "policy": policy})
    return made


def begun(crew: Crew) -> str:
    """A run in the middle."""
    (run_id,) = crew.order("long")
    until(lambda: crew.trial.starts("long"), 15, "the run to begin")
    return run_id


def is_gone(crew: Crew) -> bool:
    """Whether the ledger says that the worker has left."""
    return crew.trial.query("SELECT status FROM cronzimus.workers WHERE id = 'leaving'") == [("down",)]


def test_sigterm_lets_the_run_end_and_the_worker_leave(crew: Crew) -> None:
    run_id = begun(crew)
    (behind,) = crew.order("long")
    crew.workers["leaving"].send(signal.SIGTERM)
    assert crew.workers["leaving"].wait(RUN_SECONDS + 8) == TERMINATED
    assert crew.trial.state(run_id) == ("success", 1)
    assert is_gone(crew)
    assert crew.trial.state(behind) == ("pending", 0)
    crew.worker("next", 1)
    assert crew.wait_ended([behind])[0].worker_id == "next"


def test_worker_that_is_told_to_drain_ends_with_zero(crew: Crew) -> None:
    run_id = begun(crew)
    url = f"http://127.0.0.1:{crew.front.port}"
    command = [sys.executable, "-m", "cronzimus", "--url", url, "worker", "drain", "leaving"]
    done = subprocess.run(
        command, cwd=crew.trial.fleet.folder, env=crew.trial.fleet.environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert crew.workers["leaving"].wait(RUN_SECONDS + 8) == 0
    assert crew.trial.state(run_id) == ("success", 1)
    assert is_gone(crew)


def test_second_sigterm_ends_it_at_once(crew: Crew) -> None:
    run_id = begun(crew)
    worker = crew.workers["leaving"]
    worker.send(signal.SIGTERM)
    until(lambda: "may finish" in worker.text(), 5, "the worker to have heard the first")
    asked = time.monotonic()
    worker.send(signal.SIGTERM)
    assert worker.wait(3) == TERMINATED
    print(f"ended {time.monotonic() - asked:.2f} s after the second")
    crew.worker("next", 1)
    told = crew.wait_ended([run_id])[0]
    assert (told.state, told.attempt, told.worker_id) == ("success", 2, "next")
