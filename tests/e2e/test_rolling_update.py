"""A rolling update under load: the version before and this one side by side, on one schema, and the way back.

TEST_OLD_TREE is a checkout of an older version; the gate makes one of the commit before the newest revision.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import NewTrial
from tests.e2e.postgres import Postgres
from tests.e2e.service import Service
from tests.e2e.trial import RELENTLESS, Trial, found_sound, job
from tests.e2e.waiting import let_pass, scaled, until

OLD_TREE = os.environ.get("TEST_OLD_TREE", "")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not OLD_TREE, reason="no TEST_OLD_TREE: a checkout of an older version"),
]

JOBS = {f"every-{number}": job(1, **RELENTLESS) for number in range(20)} | {
    "plain": job(1),
    "slow": job(2, "work", 1.5, **RELENTLESS),
    "fenced": job(1, "fenced", 0.1, **RELENTLESS),
}
TERMINATED = 128 + signal.SIGTERM


def test_old_and_new_side_by_side_lose_and_double_nothing(
    new_trial: NewTrial, calm_postgres: Postgres
) -> None:
    trial = new_trial(calm_postgres, JOBS)
    trial.keep_effects()
    former = [start_old(trial).wait_ready() for _ in range(2)]
    revision = revision_of(trial)
    trial.begin()
    let_pass(scaled(3, 60))
    migrate(trial, "upgrade")
    assert revision_of(trial) > revision, "the old version's schema is not older"
    let_pass(scaled(3, 60))
    for old in former:
        trial.fleet.start().wait_ready()
        let_pass(scaled(2, 60))
        old.send(signal.SIGTERM)
        assert old.wait(20) == TERMINATED
    let_pass(scaled(3, 60))
    found_sound(trial)
    go_back(trial, revision)


def go_back(trial: Trial, revision: str) -> None:
    """The new version was a mistake: its processes end, the schema is taken back, and the old one goes on."""
    for service in trial.fleet.services:
        if service.process.poll() is None:
            service.send(signal.SIGTERM)
            service.wait(20)
    written = trial.query(_WRITTEN)
    migrate(trial, "downgrade", revision)
    assert trial.query(_WRITTEN) == written and written[0][0] > 100
    old = start_old(trial).wait_ready()
    assert old.post("/api/v1/jobs/plain/resume").status == 200
    until(lambda: trial.query(_WRITTEN)[0][0] > written[0][0], 15, "the old version to fire again")


_WRITTEN = (
    "SELECT (SELECT count(*) FROM cronzimus.firings), (SELECT count(*) FROM cronzimus.runs), "
    "(SELECT count(*) FROM cronzimus.job_versions)"
)


def start_old(trial: Trial) -> Service:
    """One process of the old version."""
    library = str(trial.fleet.folder / "lib")
    return trial.fleet.start(name="old", PYTHONPATH=os.pathsep.join([library, str(Path(OLD_TREE).resolve())]))


def revision_of(trial: Trial) -> str:
    """Where the schema stands."""
    return str(trial.query("SELECT version_num FROM cronzimus.alembic_version")[0][0])


def migrate(trial: Trial, *words: str) -> None:
    """`cronzimus db` of this version."""
    done = subprocess.run(
        [sys.executable, "-m", "cronzimus", "db", *words],
        cwd=trial.fleet.folder,
        env=trial.fleet.environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
