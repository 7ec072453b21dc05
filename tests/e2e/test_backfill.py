"""A backfill beside live work, through kill -9 and pauses: once per instant, and nothing live is late for it."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.conftest import NewTrial
from tests.e2e.history import Span
from tests.e2e.postgres import Postgres
from tests.e2e.service import SERVE, Service
from tests.e2e.trial import Trial, job
from tests.e2e.waiting import let_pass, scaled, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(500)]

INSTANTS = 500
LIVE = {"live": job(1), "crowd": job(1, "mark", overlap="allow")}
FILLED = {**job(3600, "work", 0.02, overlap="allow"), "id": "filled"}


def begun(trial: Trial, service: Service, **fields: Any) -> str:
    """Start a backfill of so many hours of the past; its id."""
    if service.get("/api/v1/jobs/filled").status == 404:
        assert service.post("/api/v1/jobs", FILLED).status == 201
    ends = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    begins = ends - timedelta(hours=INSTANTS - 1)
    body = {"job_id": "filled", "from": begins.isoformat(), "to": ends.isoformat(), **fields}
    answer = service.post("/api/v1/backfills", body)
    assert answer.status == 201 and answer.body["total"] == INSTANTS, answer
    return str(answer.body["id"])


def progress(service: Service, backfill_id: str) -> dict[str, Any]:
    answer = service.get(f"/api/v1/backfills/{backfill_id}")
    return dict(answer.body) if answer.status == 200 else {"state": "unknown", "done": 0, "running": 0}


def opened(trial: Trial) -> int:
    """How many runs the backfill has had so far."""
    return int(trial.query("SELECT count(*) FROM cronzimus.runs WHERE cause = 'backfill'")[0][0])


def lateness(trial: Trial, since: datetime) -> list[float]:
    """How long after its instant each live run of that time began, in seconds."""
    rows = trial.query(
        "SELECT extract(epoch FROM started_at - due_at)::float8 FROM cronzimus.runs"
        " WHERE cause = 'schedule' AND due_at >= %s AND started_at IS NOT NULL",
        since,
    )
    return sorted(seconds for (seconds,) in rows)


def test_live_work_keeps_its_instants_beside_a_backfill(new_trial: NewTrial, calm_postgres: Postgres) -> None:
    trial = new_trial(calm_postgres, LIVE, worker__max_concurrent_tasks=4)
    (service,) = trial.fleet.start_all(SERVE)
    trial.begin()
    quiet = datetime.now(UTC)
    let_pass(scaled(4, 20))
    before = lateness(trial, quiet)
    since = datetime.now(UTC)
    backfill = begun(trial, service, max_running=8)
    until(lambda: progress(service, backfill)["state"] == "done", 120, "the backfill to be done")
    beside = lateness(trial, since)
    decisions = trial.query(
        "SELECT decision, count(*) FROM cronzimus.firings WHERE due_at >= %s AND job_id <> 'filled' GROUP BY 1",
        since,
    )
    assert [decision for decision, _ in decisions] == ["fired"], decisions
    assert beside[len(beside) // 2] < before[len(before) // 2] + 0.25, (before, beside)
    assert beside[-1] < before[-1] + 1.5, (before, beside)
    most = trial.query(
        "SELECT max(beside) FROM (SELECT (SELECT count(*) FROM cronzimus.runs o WHERE o.cause = 'backfill'"
        " AND o.started_at <= r.started_at AND o.ended_at > r.started_at) AS beside"
        " FROM cronzimus.runs r WHERE r.cause = 'backfill') counted"
    )
    # Half of four places; a run that ends while the next begins may be counted with it.
    assert most[0][0] <= 3
    trial.history.window = Span(trial.began, time.time())
    verified = trial.verify()
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_every_instant_runs_once_through_the_death_of_leaders(
    new_trial: NewTrial, calm_postgres: Postgres
) -> None:
    trial = new_trial(calm_postgres, LIVE, worker__lease_seconds=3)
    trial.fleet.start_all(SERVE, SERVE)
    trial.begin()
    services = list(trial.fleet.services)
    backfill = begun(trial, services[0], max_running=4)
    for share in (0.2, 0.6):
        until(lambda: opened(trial) > share * INSTANTS, 90, f"{share:.0%} to be opened")
        leader, _ = trial.wait_for_leader(20)
        victim = next(one for one in services if one.pid == leader)
        victim.kill()
        services.remove(victim)
        services += trial.fleet.start_all(SERVE)
    alive = services[-1]
    until(lambda: progress(alive, backfill)["state"] == "done", 150, "the backfill to be done")
    rows = trial.query("SELECT due_at, count(*) FROM cronzimus.runs WHERE cause = 'backfill' GROUP BY due_at")
    assert len(rows) == INSTANTS and {count for _, count in rows} == {1}
    stands = progress(alive, backfill)
    assert stands["done"] + stands["failed"] == INSTANTS and stands["failed"] <= 8, stands
    starts = [line.due_at for line in trial.lines() if (line.job_id, line.event) == ("filled", "start")]
    assert len(starts) == len(set(starts)) >= stands["done"]


def test_pause_holds_at_once(new_trial: NewTrial, calm_postgres: Postgres) -> None:
    trial = new_trial(calm_postgres, LIVE)
    (service,) = trial.fleet.start_all(SERVE)
    trial.begin()
    backfill = begun(trial, service, max_running=2, reverse=True)
    until(lambda: opened(trial) > 20, 60, "the backfill to be under way")
    assert service.post(f"/api/v1/backfills/{backfill}/pause").body["state"] == "paused"
    held = opened(trial)
    until(lambda: progress(service, backfill)["running"] == 0, 20, "what was open to end")
    began = time.time()
    until(lambda: len(trial.starts("live", since=began)) >= 2, 20, "live work to go on")
    assert opened(trial) == held < INSTANTS
    assert service.post(f"/api/v1/backfills/{backfill}/resume").body["state"] == "running"
    until(lambda: opened(trial) > held, 20, "the backfill to go on")
    cancelled = service.post(f"/api/v1/backfills/{backfill}/cancel").body
    assert cancelled["state"] == "cancelled"
    until(lambda: progress(service, backfill)["running"] == 0, 20, "what ran to be stopped")
    assert opened(trial) == cancelled["total"] - cancelled["left"]
