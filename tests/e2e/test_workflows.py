"""Jobs that depend on each other, in processes that are killed between an end and what follows from it."""

from typing import Any

import pytest

from tests.e2e.conftest import NewTrial
from tests.e2e.postgres import Postgres
from tests.e2e.proxy import Fate, Proxy
from tests.e2e.service import SERVE, Service
from tests.e2e.trial import Trial, job
from tests.e2e.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(500)]

TRIES = {"max_attempts": 4, "backoff": 0}
STRUCK_OUT = "DELETE FROM cronzimus.runs_to_judge"
# How a judge dies: before its last statement arrives, before its commit does, and after that without an answer.
DEATHS = {
    "before the last statement": (Fate.LOST, STRUCK_OUT, ""),
    "before the commit": (Fate.LOST, "COMMIT", STRUCK_OUT),
    "after the commit": (Fate.UNANSWERED, "COMMIT", STRUCK_OUT),
}
RUNS = "SELECT job_id, state, cause FROM cronzimus.runs WHERE trace_id = %s ORDER BY job_id, queued_at"
TRACE = "SELECT trace_id FROM cronzimus.runs WHERE id = %s"
# The judge may die before whoever started the cycle has an answer.
LAST_BEGUN = "SELECT id FROM cronzimus.runs WHERE job_id = 'a' ORDER BY id DESC LIMIT 1"
BROKEN_OFF = "SELECT run_id FROM cronzimus.runs_to_judge"


def after(*depends_on: str, **policy: Any) -> dict[str, Any]:
    return {**job(None, **TRIES, **policy), "depends_on": list(depends_on)}


DIAMOND = {"a": after(), "b": after("a"), "c": after("a"), "d": after("b", "c")}
PASSED = [
    ("a", "success", "manual"),
    *((name, "success", "dependency") for name in ("b", "c", "d")),
]


def cycle(trial: Trial, run_id: str) -> list[tuple[Any, ...]]:
    ((trace,),) = trial.query(TRACE, run_id)
    return trial.query(RUNS, trace)


def test_a_judge_killed_between_an_end_and_what_follows_loses_and_doubles_nothing(
    postgres: Postgres, proxy: Proxy, new_trial: NewTrial
) -> None:
    trial = new_trial(postgres, DIAMOND, proxy, worker__lease_seconds=3)
    (service,) = trial.fleet.start_all(SERVE)
    for name, (fate, text, behind) in DEATHS.items():
        proxy.meddle(fate, text, after=behind, times=1, then=service.kill)
        service.post("/api/v1/jobs/a/run")
        until(lambda: service.process.poll() is not None, 20, f"the judge to be killed {name}")
        proxy.be_reliable()
        ((run_id,),) = trial.query(LAST_BEGUN)
        (service,) = trial.fleet.start_all(SERVE)
        until(lambda: cycle(trial, run_id) == PASSED, 40, f"the cycle to pass after the judge died {name}")
    assert trial.query(BROKEN_OFF) == []


def test_a_failed_step_is_tried_again_by_command_and_the_rest_follows(
    new_trial: NewTrial, calm_postgres: Postgres
) -> None:
    trial = new_trial(calm_postgres, {name: DIAMOND[name] for name in ("a", "c")})
    first, second = trial.fleet.start_all(SERVE, SERVE)
    stumbling = {"id": "b", **job(None, "stumble", 2), "depends_on": ["a"]}
    assert first.post("/api/v1/jobs", stumbling).status == 201
    assert first.post("/api/v1/jobs", {"id": "d", **after("b", "c")}).status == 201
    run_id = first.post("/api/v1/jobs/a/run").body["run_id"]
    until(lambda: _states(second, run_id).get("d") == "skipped", 30, "what follows the failure to be skipped")
    assert _states(first, run_id) == {"a": "success", "b": "failed", "c": "success", "d": "skipped"}
    well = {**stumbling, **job(None)}
    assert first.ask("PUT", "/api/v1/jobs/b", well).status == 200
    assert second.post(f"/api/v1/workflows/{run_id}/rerun").status == 202
    until(lambda: _states(first, run_id).get("d") == "success", 30, "the rest to follow")
    assert [row[0] for row in cycle(trial, run_id)] == ["a", "b", "b", "c", "d"]


def _states(service: Service, run_id: str) -> dict[str, str]:
    body = service.get(f"/api/v1/workflows/{run_id}").body
    return {node["job_id"]: node["state"] for node in body["nodes"]}
