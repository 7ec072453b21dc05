"""What is counted agrees everywhere, though a process was killed in the middle of it."""

import os
import signal
import threading
from typing import Any

import pytest

from tests.e2e.conftest import NewTrial
from tests.e2e.counts import in_command_line, in_database, in_metrics, in_rest, scrape
from tests.e2e.postgres import Postgres
from tests.e2e.service import SERVE, Service, gunicorn
from tests.e2e.trial import Trial, job
from tests.e2e.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

RUNS = 1000
BY_HAND = 60
OPEN = "SELECT 1 FROM cronzimus.runs WHERE state IN ('pending', 'running') LIMIT 1"
ENDED = "SELECT count(*) FROM cronzimus.runs WHERE ended_at IS NOT NULL"
STAND_STILL = "UPDATE cronzimus.jobs SET next_due_at = NULL"
ALWAYS: dict[str, Any] = {"overlap": "allow"}
AGAIN: dict[str, Any] = {"max_attempts": 3, "backoff": 0.05, "jitter": 0}
JOBS = {
    **{f"well-{n:02}": job(1, "mark", **ALWAYS) for n in range(24)},
    **{f"ill-{n}": job(1, "stumble", 9, **ALWAYS) for n in range(6)},
    **{f"again-{n}": job(1, "stumble", 3, **ALWAYS, **AGAIN) for n in range(3)},
    "long": job(1, "work", 2.5),
    "late": job(3, "work", 30, timeout=0.3),
    "paused": job(1, "mark"),
    "unwanted": job(None, "work", 30, **ALWAYS),
    "shell": {
        "kind": "shell",
        "params": {"command": ["true"]},
        "trigger": {"type": "interval", "seconds": 2},
        "policy": {},
    },
}


def ended(trial: Trial) -> int:
    return int(trial.query(ENDED)[0][0])


def start_by_hand(service: Service) -> None:
    """Runs that people start, and stop before or after they began."""
    for _ in range(BY_HAND):
        answer = service.post("/api/v1/jobs/unwanted/run")
        if answer.status == 202:
            service.post(f"/api/v1/runs/{answer.body['run_id']}/cancel")


def come_to_rest(trial: Trial, service: Service) -> None:
    """All that was opened has ended, and nothing more becomes due: an instant of a paused job is a row as well."""
    for job_id in JOBS:
        until(
            lambda: service.post(f"/api/v1/jobs/{job_id}/pause").status == 200, 20, f"{job_id} to be paused"
        )
    until(lambda: not trial.query(OPEN), 60, "every run to end")
    trial.change(STAND_STILL)


def test_counts_agree_after_a_thousand_runs_and_a_kill(new_trial: NewTrial, calm_postgres: Postgres) -> None:
    trial = new_trial(calm_postgres, JOBS, worker__lease_seconds=3)
    services = trial.fleet.start_all(SERVE, SERVE, SERVE)
    assert services[0].post("/api/v1/jobs/paused/pause").status == 200
    people = [threading.Thread(target=start_by_hand, args=(service,)) for service in services]
    for person in people:
        person.start()
    until(lambda: ended(trial) >= RUNS / 2, 90, "half of the runs to end")
    doomed = next(service for service in services if service.pid == trial.leader()[0])
    os.kill(doomed.pid, signal.SIGKILL)
    survivors = [service for service in services if service is not doomed]
    until(lambda: ended(trial) >= RUNS, 90, "the other runs to end")
    for person in people:
        person.join(60)
    come_to_rest(trial, survivors[0])

    truth = in_database(trial)
    states = {state for _, state in truth.runs}
    assert sum(truth.runs.values()) >= RUNS and {"success", "failed", "timeout", "cancelled"} <= states
    assert {decision for decision, _ in truth.firings} >= {"fired", "skipped"}
    for survivor in survivors:
        assert in_metrics(survivor) == truth
        assert in_rest(survivor, truth) == truth
    assert in_command_line(trial, survivors[0]) == truth
    told = scrape(survivors[1])
    assert sum(told["cronzimus_runs_opened_total"].values()) == sum(truth.runs.values())
    assert told["cronzimus_runs_retried_total"][("function",)] > 0
    assert told["cronzimus_leader_present"] == {(): 1}
    assert set(told["cronzimus_runs_open"].values()) == {0}


def test_processes_of_gunicorn_count_together(new_trial: NewTrial, calm_postgres: Postgres) -> None:
    settings = ("-c", "python:cronzimus.gunicorn_conf")
    command = gunicorn(2)
    together = (*command[:3], *settings, *command[3:])
    trial = new_trial(calm_postgres, {"well": job(1, "mark")})
    (service,) = trial.fleet.start_all(together)
    asked = 40
    for _ in range(asked):
        assert service.get("/api/v1/jobs").status == 200
    doomed, _ = trial.wait_for_leader(20)
    os.kill(doomed, signal.SIGKILL)
    trial.wait_for_leader(20, other_than=doomed)
    told = until(lambda: _settled(service), 30, "the pools of two living processes")
    assert told["cronzimus_http_requests_total"][("GET", "/api/v1/jobs", "200")] == asked
    assert in_metrics(service).firings[("fired", "")] >= 1


def _settled(service: Service) -> dict[str, dict[tuple[str, ...], float]] | None:
    """A scrape in which the election's connections are those of the two processes alive."""
    told = scrape(service)
    return told if told["cronzimus_db_pool_size"][("leader",)] == 2 else None
