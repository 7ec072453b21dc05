"""kill -9, at any moment: what was decided stays decided, what was running is accounted for."""

import random
import time

import pytest

from tests.e2e.conftest import NewTrial
from tests.e2e.postgres import Postgres
from tests.e2e.proxy import Fate, Proxy
from tests.e2e.service import SERVE
from tests.e2e.trial import RELENTLESS, found_sound, job
from tests.e2e.waiting import let_pass, scaled, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(500)]

JOBS = {"plain": job(1), "relentless": job(1, **RELENTLESS)}
LEASE = {"worker__lease_seconds": 3}
WORK_SECONDS = scaled(5, 20)

# The statements that move a run: decided, claimed, reported. Each is killed before and after its commit.
MOVES = {
    "fire": ("INSERT INTO cronzimus.firings", ""),
    "claim": ("COMMIT", "SET state = 'running'"),
    "report": ("COMMIT", "INSERT INTO cronzimus.attempts"),
}


def test_service_killed_in_the_middle_of_a_run_continues_where_it_was(
    new_trial: NewTrial, calm_postgres: Postgres
) -> None:
    jobs = {
        **JOBS,
        "strict": job(1, misfire_grace=2),
        "halted": job(1),
        "once": job(None, "work", WORK_SECONDS),
        "again": job(None, "work", WORK_SECONDS, max_attempts=2, backoff=0),
    }
    trial = new_trial(calm_postgres, jobs, **LEASE)
    (service,) = trial.fleet.start_all(SERVE)
    trial.begin()
    trial.add(service, "by-rest", job(1, **RELENTLESS))
    trial.pause(service, "halted")
    once, again = trial.run(service, "once"), trial.run(service, "again")
    until(lambda: trial.starts("by-rest"), 10, "the job of REST to run")
    before = {run[0] for run in trial.query("SELECT id FROM cronzimus.runs")}
    with trial.fault():
        service.kill()
        killed = time.time()
        let_pass(scaled(6, 120))
        (revived,) = trial.fleet.start_all(SERVE)
    until(lambda: trial.state(once)[0] == "lost", 15, "the interrupted run to be given up")
    until(lambda: trial.state(again) == ("success", 2), 15 + WORK_SECONDS, "the other to be tried again")
    assert before <= {run[0] for run in trial.query("SELECT id FROM cronzimus.runs")}
    kept = {one["id"]: one["status"] for one in revived.get("/api/v1/jobs").body["items"]}
    assert kept["by-rest"] == "active" and kept["halted"] == "paused" and kept.keys() >= jobs.keys()
    assert trial.starts("by-rest", since=killed + 5)
    found_sound(trial)
    reasons = {(row.job_id, row.decision, row.reason) for row in trial.history.firings if row.due_at > killed}
    assert {("plain", "coalesced", "catch_up"), ("strict", "missed", "misfire")} <= reasons
    assert ("halted", "skipped", "paused") in reasons


def test_service_killed_at_each_step_of_a_run_loses_and_doubles_nothing(
    postgres: Postgres, proxy: Proxy, new_trial: NewTrial
) -> None:
    trial = new_trial(postgres, {**JOBS, "again": job(1, max_attempts=3, backoff=0)}, proxy, **LEASE)
    (service,) = trial.fleet.start_all(SERVE)
    trial.begin()
    for name, (text, after) in MOVES.items():
        for fate in (Fate.LOST, Fate.UNANSWERED):
            with trial.fault():
                proxy.meddle(fate, text, after=after, times=1, then=service.kill)
                until(lambda: service.process.poll() is not None, 10, f"the {name} at which it is killed")
                proxy.be_reliable()
                (service,) = trial.fleet.start_all(SERVE)
    found_sound(trial)


def test_services_killed_at_random_lose_and_double_nothing(
    new_trial: NewTrial, calm_postgres: Postgres
) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    moments = random.Random(seed)
    trial = new_trial(calm_postgres, {**JOBS, "slow": job(1, "work", 0.3, **RELENTLESS)}, **LEASE)
    services = trial.fleet.start_all(SERVE, SERVE)
    trial.begin()
    for _ in range(int(scaled(4, 30))):
        let_pass(moments.uniform(0.1, 1.5))
        with trial.fault():
            services.pop(moments.randrange(2)).kill()
            services += trial.fleet.start_all(SERVE)
    found_sound(trial)
