"""Beginnings and ends: a first start from nothing, a handover without a gap, and no process left behind."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.e2e.conftest import NewTrial
from tests.e2e.postgres import Postgres
from tests.e2e.service import SERVE, Fleet, Service, gunicorn
from tests.e2e.trial import RELENTLESS, found_sound, job
from tests.e2e.waiting import let_pass, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

JOBS = {"plain": job(1), "relentless": job(1, **RELENTLESS)}


def still_running(folder: Path) -> list[str]:
    """Command lines of the processes that name a folder, those only waiting to be reaped left out."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        if any(str(folder) in word for word in words) and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(" ".join(words))
    return found


def successes(service: Service, also: str = "success") -> int:
    """How many runs of the sample job ended well; fails when one did neither that nor what `also` allows."""
    states = [run["state"] for run in service.get("/api/v1/runs").body["items"]]
    assert set(states) <= {"pending", "running", "success", also}
    return states.count("success")


def stops_within_5_seconds(service: Service, folder: Path) -> None:
    """Ctrl-C ends the service and the server it started."""
    interrupted = time.monotonic()
    service.send(signal.SIGINT)
    assert service.wait(5) == 128 + signal.SIGINT
    until(lambda: not still_running(folder), 5 - (time.monotonic() - interrupted), "the last process to end")


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Fleet]:
    """Services without any database but the one they bring."""
    fleet = Fleet(tmp_path, None, {}, scheduler__sample_job=True)
    yield fleet
    fleet.close()
    for process in psutil.process_iter(["cmdline"]):
        if any(str(tmp_path) in word for word in process.info["cmdline"] or []):
            process.kill()


def test_first_start_from_nothing_serves_fires_and_leaves_nothing_behind(
    alone: Fleet, tmp_path: Path
) -> None:
    service = alone.start()
    until(service.text, 40, "a first line")
    first_line = time.monotonic()
    assert until(lambda: service.get("/api/health"), 5, "health").body == {"status": "running"}
    assert time.monotonic() - first_line <= 5
    until(lambda: successes(service) >= 2, 20, "the sample job to run twice")
    for path in ("/scheduler/jobs", "/api/v1/jobs"):
        assert "sample_task" in str(service.get(path).body)
    stops_within_5_seconds(service, tmp_path)
    again = alone.start().wait_ready()
    assert successes(again) >= 2
    stops_within_5_seconds(again, tmp_path)


def test_killed_embedded_server_is_started_again(alone: Fleet, tmp_path: Path) -> None:
    service = alone.start().wait_ready()
    postmaster = int((tmp_path / "data" / "postgres" / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)
    until(lambda: not service.is_ready(), 10, "the service to notice")
    service.wait_ready(20)
    service.kill()
    service = alone.start().wait_ready()
    before = successes(service, also="lost")  # the one that a kill met
    until(lambda: successes(service, also="lost") > before, 20, "the sample job to run")
    stops_within_5_seconds(service, tmp_path)


def test_stopped_leader_hands_over_at_once_and_finishes_its_run(
    new_trial: NewTrial, calm_postgres: Postgres
) -> None:
    trial = new_trial(calm_postgres, {**JOBS, "long": job(None, "work", 3)})
    (leading,) = trial.fleet.start_all(SERVE)
    trial.begin()
    standing_by = trial.fleet.start().wait_ready()
    run_id = trial.run(leading, "long")
    asked = time.time()
    leading.send(signal.SIGTERM)
    leader, _ = trial.wait_for_leader(3, other_than=leading.pid)
    assert leader == standing_by.pid
    assert leading.wait(8) == 128 + signal.SIGTERM
    assert trial.state(run_id) == ("success", 1)
    until(lambda: trial.starts("relentless", asked + 3), 10, "firings to go on")
    assert trial.gap("relentless", asked - 1) <= 2
    found_sound(trial)


def test_run_that_outlasts_the_drain_is_given_back(new_trial: NewTrial, calm_postgres: Postgres) -> None:
    long = job(None, "work", 6, max_attempts=2, backoff=0)
    trial = new_trial(calm_postgres, {**JOBS, "long": long}, worker__drain_seconds=1)
    (leaving,) = trial.fleet.start_all(SERVE)
    trial.begin()
    trial.fleet.start().wait_ready()
    run_id = trial.run(leaving, "long")
    with trial.fault():
        leaving.send(signal.SIGTERM)
        assert leaving.wait(8) == 128 + signal.SIGTERM
    until(lambda: trial.state(run_id) == ("success", 2), 20, "the other to take the run over")
    found_sound(trial)


def test_gunicorn_stops_within_seconds_and_hands_over(new_trial: NewTrial, calm_postgres: Postgres) -> None:
    trial = new_trial(calm_postgres, {**JOBS, "long": job(None, "work", 2)})
    (leaving,) = trial.fleet.start_all(gunicorn(2))
    trial.begin()
    standing_by = trial.fleet.start().wait_ready()
    run_id = trial.run(leaving, "long")
    asked = time.time()
    leaving.send(signal.SIGTERM)
    assert leaving.wait(10) == 0
    assert trial.leader()[0] == standing_by.pid
    assert trial.state(run_id) == ("success", 1)
    until(lambda: trial.starts("relentless", asked + 3), 10, "firings to go on")
    assert trial.gap("relentless", asked - 1) <= 3
    found_sound(trial)


def test_service_started_before_its_database_waits_for_it(postgres: Postgres, new_trial: NewTrial) -> None:
    trial = new_trial(postgres, JOBS)
    postgres.stop()
    service = trial.fleet.start()
    assert until(lambda: service.get("/api/health"), 10, "health").status == 200
    refused = service.get("/api/v1/jobs")
    assert (service.get("/readyz").status, refused.status, refused.is_problem) == (503, 503, True)
    postgres.start()
    service.wait_ready(10)
    trial.begin()
    let_pass(3)
    found_sound(trial)
