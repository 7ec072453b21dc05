"""What the page of PgBouncer says, by real processes behind a real one."""

import subprocess
import sys
from pathlib import Path

import pytest

from cronzimus.orders import EXIT_CONFIG
from tests.e2e.service import SERVE, Fleet
from tests.e2e.waiting import until
from tests.fixtures.pooler import pgbouncer

WORK = (sys.executable, "-m", "cronzimus", "worker", "start", "--id", "w1")
UPGRADE = (sys.executable, "-m", "cronzimus", "db", "upgrade")
TICK = {"kind": "sql", "params": {"statement": "SELECT 1"}, "trigger": {"type": "interval", "seconds": 1}}
JOBS = {"here": TICK, "there": {**TICK, "runs_on": "workers"}}


@pytest.mark.parametrize("command", [SERVE, WORK, UPGRADE], ids=["serve", "worker", "db"])
def test_nothing_starts_behind_a_transaction_pool(
    command: tuple[str, ...], tmp_path: Path, database_url: str
) -> None:
    with pgbouncer(database_url, "transaction") as url:
        environment = Fleet(tmp_path, url, {}).environment
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60
        )
    assert "a transaction pooler answers" in done.stderr and "pool_mode = session" in done.stderr
    assert done.returncode == EXIT_CONFIG


@pytest.mark.parametrize("ignored", [{}, {"ignore_startup_parameters": "options"}], ids=["strict", "ignores"])
def test_a_house_works_behind_a_session_pool(
    ignored: dict[str, str], tmp_path: Path, empty_database_url: str
) -> None:
    with pgbouncer(empty_database_url, "session", default_pool_size="80", **ignored) as url:
        fleet = Fleet(tmp_path, url, JOBS)
        try:
            serve = fleet.start().wait_ready()
            worker = fleet.start(WORK, "worker")
            for job in JOBS:
                _until_two_succeeded(fleet, job)
            assert "ERROR" not in serve.text() + worker.text()
        finally:
            fleet.close()


def _until_two_succeeded(fleet: Fleet, job: str) -> None:
    path = f"/api/v1/runs?job_id={job}&state=success"
    until(lambda: fleet.services[0].get(path).body["total"] >= 2, 30, f"two runs of {job}")
