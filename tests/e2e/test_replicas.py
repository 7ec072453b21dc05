"""Several replicas on one database: each due time once, whoever leads, whoever dies."""

import os
import signal
import time

import pytest

from tests.e2e.conftest import NewTrial
from tests.e2e.postgres import Postgres
from tests.e2e.service import SERVE, gunicorn
from tests.e2e.trial import RELENTLESS, Trial, found_sound, job
from tests.e2e.waiting import let_pass, scaled, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

JOBS = {"plain": job(1), "relentless": job(1, **RELENTLESS), "slow": job(2, "work", 0.5)}
# The test's own: a run of a killed process is given up after seconds, not after a quarter of a minute.
LEASE = {"worker__lease_seconds": 3}


def runs_of(trial: Trial, job_id: str) -> list[float]:
    """The due times of a job's runs within the judged window."""
    window = trial.history.window
    return [
        run.due_at or 0
        for run in trial.history.runs
        if run.job_id == job_id and window.touches(run.due_at or 0, run.due_at or 0)
    ]


def test_each_due_time_runs_once_on_six_processes(new_trial: NewTrial, calm_postgres: Postgres) -> None:
    trial = new_trial(calm_postgres, JOBS)
    trial.fleet.start_all(SERVE, SERVE, gunicorn(4))
    trial.begin()
    let_pass(scaled(10, 60))
    found_sound(trial)
    for asked in trial.history.asked:
        due = asked.targets(trial.began, trial.history.window.end)
        assert sorted(runs_of(trial, asked.job_id)) == due


def test_killed_leader_leaves_a_short_gap(new_trial: NewTrial, calm_postgres: Postgres) -> None:
    trial = new_trial(calm_postgres, JOBS, **LEASE)
    trial.fleet.start_all(SERVE, SERVE)
    trial.begin()
    leader, epoch = trial.leader()
    killed = time.time()
    with trial.fault():
        os.kill(leader, signal.SIGKILL)
        _, successor = trial.wait_for_leader(10, other_than=leader)
    let_pass(scaled(5, 20))
    assert trial.gap("relentless", killed - 2) <= 3
    assert successor > epoch
    found_sound(trial)


def test_killed_leader_under_gunicorn_is_replaced(new_trial: NewTrial, calm_postgres: Postgres) -> None:
    trial = new_trial(calm_postgres, JOBS, **LEASE)
    trial.fleet.start_all(gunicorn(2))
    trial.begin()
    leader, _ = trial.leader()
    killed = time.time()
    with trial.fault():
        os.kill(leader, signal.SIGKILL)
        trial.wait_for_leader(10, other_than=leader)
    until(lambda: len(trial.starts("relentless", killed)) > 5, 15, "firings to go on")
    assert trial.gap("relentless", killed - 2) <= 3
    found_sound(trial)


def test_stopped_leader_is_replaced_and_fires_nothing_when_it_wakes(
    new_trial: NewTrial, calm_postgres: Postgres
) -> None:
    trial = new_trial(calm_postgres, JOBS, **LEASE)
    trial.fleet.start_all(SERVE, SERVE)
    trial.begin()
    leader, _ = trial.leader()
    stopped = time.time()
    with trial.fault():
        os.kill(leader, signal.SIGSTOP)
        try:
            trial.wait_for_leader(10, other_than=leader)
            until(
                lambda: trial.starts("relentless", stopped + 1),
                10 - (time.time() - stopped),
                "another to fire",
            )
            let_pass(scaled(9, 30) - (time.time() - stopped))
        finally:
            os.kill(leader, signal.SIGCONT)
    let_pass(scaled(4, 20))
    found_sound(trial)
    assert not trial.query(_DECIDED_BY, f"%:{leader}", stopped + 0.5)


_DECIDED_BY = (
    "SELECT due_at FROM cronzimus.firings WHERE decided_by LIKE %s AND decided_at > to_timestamp(%s)"
)


@pytest.mark.parametrize("how", ["fast", "kill -9"])
def test_restarted_database_loses_nothing(postgres: Postgres, new_trial: NewTrial, how: str) -> None:
    trial = new_trial(postgres, JOBS, **LEASE)
    services = trial.fleet.start_all(SERVE, SERVE)
    trial.begin()
    with trial.fault():
        (postgres.stop if how == "fast" else postgres.kill)()
        postgres.start()
        back = time.time()
        for service in services:
            service.wait_ready(10)
        until(lambda: trial.starts("relentless", back), 10 - (time.time() - back), "firings to go on")
    let_pass(scaled(4, 20))
    found_sound(trial)
