"""A request goes on in its caller's trace, and what it starts goes on in its own."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cronzimus.api import build_flask
from cronzimus.common.telemetry import current_trace
from cronzimus.house import House
from cronzimus.settings import Settings
from cronzimus.utils.traceparent import parse
from tests.api.fakes import FakeHouse
from tests.common.spans import collecting, parent_id, span_id, trace_id
from tests.common.web import Web, serving
from tests.heart import until

TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CALLER = {"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-01"}
SECTIONS: dict[str, Any] = {"scheduler": {"sample_job": False}, "database": {"min_connections": 1}}


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as server:
        yield server


@pytest.fixture
def living(database_url: str) -> Iterator[FlaskClient]:
    house = House(Settings.model_validate(SECTIONS), url=database_url)
    house.start()
    app = build_flask(house.settings)
    app.extensions["cronzimus"] = house
    client = app.test_client()
    until(lambda: client.get("/readyz").status_code == 200)
    yield client
    house.stop()


def run(client: FlaskClient, kind: str, params: dict[str, Any], **policy: Any) -> dict[str, Any]:
    """The run of a job that a traced request asked for, once it has ended."""
    document = {
        "id": "traced",
        "kind": kind,
        "params": params,
        "trigger": {"type": "manual"},
        "policy": policy,
    }
    assert client.post("/api/v1/jobs", json=document).status_code == 201
    run_id = client.post("/api/v1/jobs/traced/run", json={}, headers=CALLER).json["run_id"]  # type: ignore[index]
    found: dict[str, Any] = until(
        lambda: next(
            (r for r in [client.get(f"/api/v1/runs/{run_id}").json] if r and r["ended_at"] is not None), None
        )
    )
    assert found["state"] == "success", found
    return found


def test_one_trace_from_the_request_to_the_last_call(living: FlaskClient, web: Web) -> None:
    """Nobody sends spans here: the trace goes on all the same."""
    told = run(living, "http", {"url": web.url})
    reached = parse(web.asked[0].headers["traceparent"])
    assert reached is not None and reached.trace_id == told["trace_id"] == TRACE_ID
    assert reached.span_id != SPAN_ID and reached.sampled


def test_isolated_run_is_in_the_trace_of_its_request(living: FlaskClient, web: Web) -> None:
    told = run(living, "http", {"url": web.url}, isolation="process")
    reached = parse(web.asked[0].headers["traceparent"])
    assert reached is not None and reached.trace_id == told["trace_id"] == TRACE_ID


def test_command_is_in_the_trace_of_its_request(living: FlaskClient) -> None:
    told = run(living, "shell", {"command": ["sh", "-c", "echo $TRACEPARENT"]})
    reached = parse(told["result"]["stdout"])
    assert reached is not None and reached.trace_id == TRACE_ID


def test_spans_reach_from_the_request_to_the_call_and_the_statement(
    living: FlaskClient, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    with collecting(monkeypatch) as collector:
        run(living, "http", {"url": f"{web.url}/path?token=hunter2"})
        until(lambda: living.get("/readyz").status_code == 200)
        spans = collector.spans()
    order = ["POST /api/v1/jobs/<job_id>/run", "open traced", "run traced"]
    order += ["call cronzimus.controller.http:send_request", "HTTP GET"]
    assert {trace_id(spans[name]) for name in order} == {TRACE_ID}
    assert [parent_id(spans[name]) for name in order] == [SPAN_ID, *(span_id(spans[n]) for n in order[:-1])]
    assert web.asked[0].headers["traceparent"] == f"00-{TRACE_ID}-{span_id(spans['HTTP GET'])}-01"
    assert spans[order[0]].attributes["http.response.status_code"] == 202  # type: ignore[index]
    assert "hunter2" not in json.dumps([span.to_json() for span in spans.values()])
    assert "GET /readyz" not in spans


@pytest.fixture
def asked(build: Callable[..., Flask], fake: FakeHouse, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """In which traces the front asked for readiness, for one request of each kind."""
    seen: list[Any] = []
    report = fake.readiness.report

    def noted() -> Any:
        seen.append(current_trace())
        return report()

    monkeypatch.setattr(fake.readiness, "report", noted)
    client = build().test_client()
    client.get("/api/v1/health", headers=CALLER)
    client.get("/api/v1/health", headers={"traceparent": "rubbish"})
    client.get("/readyz", headers=CALLER)
    return seen


def test_trace_of_the_caller_ends_with_the_request(asked: list[Any]) -> None:
    assert [trace and trace.trace_id for trace in asked] == [TRACE_ID, None, None]
    assert current_trace() is None


def test_failing_request_is_told(
    build: Callable[..., Flask], fake: FakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake, "timetable", object())
    with collecting(monkeypatch) as collector:
        assert build().test_client().get("/api/v1/jobs").status_code == 500
        span = collector.spans()["GET /api/v1/jobs"]
    assert not span.status.is_ok
