"""One trace through a real process: its log, its spans, its outgoing call; with a collector and without."""

import json
import urllib.request
from typing import Any

import pytest

from cronzimus.utils.traceparent import parse
from tests.common.receiver import receiving
from tests.common.web import plain, serving
from tests.e2e.conftest import NewTrial
from tests.e2e.postgres import Postgres
from tests.e2e.service import Service
from tests.e2e.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
BY_HAND: dict[str, Any] = {"trigger": {"type": "manual"}, "policy": {}}
AWAY = "The collector takes no spans"


def ask_traced(service: Service, job_id: str) -> str:
    """Start a run within a trace of ours; its id."""
    headers = {"Content-Type": "application/json", "traceparent": f"00-{TRACE_ID}-{SPAN_ID}-01"}
    url = f"http://127.0.0.1:{service.port}/api/v1/jobs/{job_id}/run"
    asked = urllib.request.Request(url, b"{}", headers, method="POST")
    with urllib.request.urlopen(asked, timeout=20) as answer:
        return str(json.load(answer)["run_id"])


def ended(service: Service, run_id: str) -> dict[str, Any]:
    def found() -> dict[str, Any] | None:
        run: dict[str, Any] = service.get(f"/api/v1/runs/{run_id}").body
        return run if run.get("ended_at") else None

    run = until(found, 30, f"run {run_id} to end")
    assert run is not None
    return run


def lines_of(service: Service, run_id: str) -> list[dict[str, Any]]:
    """The lines of the JSON log that belong to a run."""
    lines = [json.loads(line) for line in service.text().splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("run_id") == run_id]


def test_one_trace_through_log_spans_and_call(new_trial: NewTrial, calm_postgres: Postgres) -> None:
    with serving(plain(500)) as web, receiving() as collector:
        jobs = {"call": {"kind": "http", "params": {"url": f"{web.url}/?token=hunter2"}, **BY_HAND}}
        settings = {"telemetry__tracing_enabled": True, "telemetry__otlp_endpoint": collector.url}
        trial = new_trial(calm_postgres, jobs, logging__format="json", **settings)
        service = trial.fleet.start().wait_ready()
        run = ended(service, run_id := ask_traced(service, "call"))
        order = ["POST /api/v1/jobs/<job_id>/run", "open call", "run call"]
        order += ["call cronzimus.controller.http:send_request", "HTTP GET"]
        spans = until(
            lambda: found if set(order) <= set(found := collector.of(TRACE_ID)) else None, 30, "every span"
        )
        assert spans is not None
        parents = [SPAN_ID, *(spans[name].span_id.hex() for name in order[:-1])]
        assert [spans[name].parent_span_id.hex() for name in order] == parents
        reached = parse(web.asked[0].headers["traceparent"])
    assert run["state"] == "failed" and run["trace_id"] == TRACE_ID
    assert reached is not None
    assert (reached.trace_id, reached.span_id) == (TRACE_ID, spans["HTTP GET"].span_id.hex())
    lines = lines_of(service, run_id)
    assert {line["logger"] for line in lines} >= {"cronzimus.services.runs", "cronzimus.workers.worker"}
    assert {(line["trace_id"], line["job_id"]) for line in lines} == {(TRACE_ID, "call")}
    assert "hunter2" not in service.text() + str(collector.spans)


def test_collector_that_is_away_costs_one_line(new_trial: NewTrial, calm_postgres: Postgres) -> None:
    jobs = {"say": {"kind": "shell", "params": {"command": ["sh", "-c", "echo $TRACEPARENT"]}, **BY_HAND}}
    settings = {"telemetry__tracing_enabled": True, "telemetry__otlp_endpoint": "http://127.0.0.1:1"}
    trial = new_trial(calm_postgres, jobs, **settings)
    service = trial.fleet.start(OTEL_BSP_SCHEDULE_DELAY="200").wait_ready()
    first = ended(service, ask_traced(service, "say"))
    until(lambda: AWAY in service.text(), 30, "the line")
    second = ended(service, ask_traced(service, "say"))
    for run in (first, second):
        told = parse(run["result"]["stdout"])
        assert run["state"] == "success" and told is not None and told.trace_id == TRACE_ID
    service.process.terminate()
    assert service.wait(30) == 143
    assert service.text().count(AWAY) == 1
