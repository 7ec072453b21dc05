"""The front over the real house: the same answers, from PostgreSQL, while jobs fire."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from schemathesis import Case
from schemathesis.core.result import Ok

from cronzimus.api import build_flask
from cronzimus.house import House
from cronzimus.settings import Settings
from tests.api.fakes import document
from tests.api.test_hostile_bodies import BODIES, DOCUMENTS
from tests.api.test_openapi import DOCUMENT, not_to_be_asked
from tests.heart import until

V1 = "/api/v1"
SECTIONS: dict[str, Any] = {"scheduler": {"sample_job": False}, "database": {"min_connections": 1}}
EVERY_SECOND = {"type": "interval", "seconds": 1}


def app_over(house: House) -> Flask:
    app = build_flask(house.settings)
    app.extensions["cronzimus"] = house
    return app


@pytest.fixture
def still(database_url: str) -> Iterator[FlaskClient]:
    """A client of a house in which nothing moves by itself."""
    house = House(Settings.model_validate(SECTIONS), url=database_url)
    yield app_over(house).test_client()
    house.stop()


@pytest.fixture
def living(database_url: str) -> Iterator[FlaskClient]:
    """A client of a house that fires and runs."""
    house = House(Settings.model_validate(SECTIONS), url=database_url)
    house.start()
    web = app_over(house).test_client()
    until(lambda: web.get("/readyz").status_code == 200)
    yield web
    house.stop()


def body_of(answer: Any) -> dict[str, Any]:
    assert answer.json is not None, answer.text
    return dict(answer.json)


def items(web: FlaskClient, route: str) -> list[dict[str, Any]]:
    return list(body_of(web.get(f"{V1}/{route}"))["items"])


def test_a_job_fires_and_can_be_followed(living: FlaskClient) -> None:
    assert living.post(f"{V1}/jobs", json=document("tick", trigger=EVERY_SECOND)).status_code == 201
    run = until(lambda: items(living, "runs?job_id=tick&state=success"))[0]
    assert (run["cause"], run["attempt"], run["result"]) == ("schedule", 1, True)
    details = body_of(living.get(f"{V1}/runs/{run['id']}"))
    assert details["kind"] == "function"
    assert [attempt["state"] for attempt in details["attempts"]] == ["success"]
    (firing,) = [row for row in items(living, "firings?job_id=tick") if row["run_id"] == run["id"]]
    assert (firing["due_at"], firing["decision"]) == (run["due_at"], "fired")
    why = body_of(living.get(f"{V1}/jobs/tick/why?at={run['due_at']}"))
    assert why["run"]["id"] == run["id"] and why["sentence"].startswith("tick at ")
    assert why["firing"]["due_at"] == firing["due_at"]


def test_a_paused_job_runs_only_by_hand(living: FlaskClient) -> None:
    living.post(f"{V1}/jobs", json=document("tick", trigger=EVERY_SECOND))
    assert body_of(living.post(f"{V1}/jobs/tick/pause"))["status"] == "paused"
    assert body_of(living.post(f"{V1}/jobs/tick/run"))["code"] == "JOB_PAUSED"
    answer = living.post(f"{V1}/jobs/tick/run", json={"force": True})
    assert answer.status_code == 202
    location = answer.headers["Location"]
    until(lambda: body_of(living.get(location))["state"] == "success")
    assert body_of(living.get(location))["cause"] == "manual"


def test_a_run_is_cancelled_and_tried_again(still: FlaskClient) -> None:
    still.post(f"{V1}/jobs", json=document())
    run_id = body_of(still.post(f"{V1}/jobs/hourly/run"))["run_id"]
    assert body_of(still.post(f"{V1}/runs/{run_id}/retry"))["code"] == "RUN_NOT_FINISHED"
    assert body_of(still.post(f"{V1}/runs/{run_id}/cancel"))["state"] == "cancelled"
    assert body_of(still.post(f"{V1}/runs/{run_id}/cancel"))["code"] == "RUN_FINISHED"
    again = still.post(f"{V1}/runs/{run_id}/retry")
    assert again.status_code == 202
    assert body_of(again)["run"]["parent_run_id"] == run_id


def test_a_job_is_written_read_and_removed(still: FlaskClient) -> None:
    created = still.post(f"{V1}/jobs", json=document(tags=["a"], description="größe \U0001f600"))
    assert created.headers["ETag"] == '"1"'
    shown = body_of(still.get(f"{V1}/jobs/hourly"))
    assert shown["next"][0]["due_at"] == shown["next_run_time"] == body_of(created)["next_run_time"]
    assert shown["created_at"].endswith("Z") and shown["description"] == "größe \U0001f600"
    patched = still.patch(f"{V1}/jobs/hourly", json={"policy": {"timeout": 9}}, headers={"If-Match": '"1"'})
    assert (patched.status_code, patched.headers["ETag"]) == (200, '"2"')
    stale = still.put(f"{V1}/jobs/hourly", json=shown["definition"], headers={"If-Match": '"1"'})
    assert (stale.status_code, body_of(stale)["code"]) == (412, "PRECONDITION_FAILED")
    assert still.put(f"{V1}/jobs/hourly", json=shown["definition"]).status_code == 200
    assert still.delete(f"{V1}/jobs/hourly").status_code == 204
    operations = [version["operation"] for version in items(still, "jobs/hourly/versions")]
    assert operations == ["create", "replace", "replace", "delete"]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", ["a", "b", "c"]),
        ("tag=red", ["a", "b"]),
        ("status=paused", ["b"]),
        ("kind=sql", ["c"]),
        ("source=file", []),
        ("q=b", ["b"]),
        ("q=%25", []),
        ("q=%27;--", []),
        ("limit=1&offset=1", ["b"]),
        ("offset=1000000", []),
    ],
)
def test_jobs_are_found(still: FlaskClient, query: str, ids: list[str]) -> None:
    still.post(f"{V1}/jobs", json=document("a", tags=["red"]))
    still.post(f"{V1}/jobs", json=document("b", tags=["red", "green"]))
    still.post(f"{V1}/jobs", json=document("c", kind="sql", params={"statement": "SELECT 1"}))
    still.post(f"{V1}/jobs/b/pause")
    assert [job["id"] for job in items(still, f"jobs?{query}")] == ids


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 2),
        ("job_id=hourly", 2),
        ("job_id=other", 0),
        ("kind=function", 2),
        ("kind=shell", 0),
        ("state=cancelled", 1),
        ("status=pending", 1),
        ("cause=manual", 2),
        ("trigger=retry", 0),
        ("worker_id=nobody", 0),
        ("since=2001-01-01T00:00:00Z", 2),
        ("until=2001-01-01T00:00:00Z", 0),
        ("since=0001-01-01T00:00:00Z&until=9999-12-31T23:59:59Z", 2),
    ],
)
def test_runs_are_found(still: FlaskClient, query: str, count: int) -> None:
    still.post(f"{V1}/jobs", json=document())
    first = body_of(still.post(f"{V1}/jobs/hourly/run"))["run_id"]
    still.post(f"{V1}/jobs/hourly/run")
    still.post(f"{V1}/runs/{first}/cancel")
    assert body_of(still.get(f"{V1}/runs?{query}"))["total"] == count


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "1969-12-31", "2026-03-29T02:30"]
)
def test_why_answers_about_any_moment(still: FlaskClient, at: str) -> None:
    still.post(f"{V1}/jobs", json=document())
    answer = still.get(f"{V1}/jobs/hourly/why?at={at}")
    assert answer.status_code == 200 and body_of(answer)["sentence"]


def test_older_routes_serve_the_same_jobs(still: FlaskClient) -> None:
    body = {
        "id": "old",
        "func": "cronzimus.controller.task:task",
        "trigger": "cron",
        "day_of_week": "0",
        "hour": 2,
    }
    assert still.post("/scheduler/jobs", json=body).status_code == 200
    assert body_of(still.get(f"{V1}/jobs/old"))["trigger"]["day_of_week"] == "mon"
    assert still.post("/scheduler/jobs/old/pause").status_code == 200
    assert still.post("/scheduler/jobs/old/run").status_code == 200
    assert [run["cause"] for run in items(still, "runs?job_id=old")] == ["manual"]
    listed = still.get("/scheduler/jobs").json
    assert listed is not None and [job["id"] for job in listed] == ["old"]


def test_nothing_injected_is_shown(living: FlaskClient) -> None:
    living.post(f"{V1}/jobs", json=document())
    for route in ("/scheduler/jobs", f"{V1}/jobs", f"{V1}/jobs/hourly"):
        answer = living.get(route)
        assert answer.status_code == 200 and "Database" not in answer.text


def test_hostile_bodies_leave_nothing_behind(still: FlaskClient) -> None:
    for _, body, status, _ in DOCUMENTS:
        assert still.post(f"{V1}/jobs", json=body).status_code == status
    for _, data, kind, status, _ in BODIES:
        assert still.post(f"{V1}/jobs", data=data, headers={"Content-Type": kind}).status_code == status
    assert body_of(still.get(f"{V1}/jobs"))["total"] == 0
    assert still.get("/api/health").status_code == 200


def test_a_database_that_is_away_is_told(database_url: str) -> None:
    house = House(Settings.model_validate(SECTIONS), url=database_url)
    house.database.close()
    web = app_over(house).test_client()
    answer = web.get(f"{V1}/jobs")
    assert (answer.status_code, body_of(answer)["code"]) == (503, "DATABASE_UNAVAILABLE")
    assert answer.headers["Retry-After"] == "1"
    assert web.get("/api/health").status_code == 200
    assert web.get("/readyz").status_code == 503
    house.stop()


def is_endless(operation: Any) -> bool:
    """Whether it answers with a stream that ends when the client leaves."""
    return "text/event-stream" in operation.definition.raw["responses"].get("200", {}).get("content", {})


# The threads of the house draw their jitter while Hypothesis watches the generator they share with it.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
def test_no_call_breaks_the_contract(living: FlaskClient) -> None:
    living.post(f"{V1}/jobs", json=document("known"))
    contract = schemathesis.openapi.from_wsgi(DOCUMENT, living.application)
    for operation in [result.ok() for result in contract.get_all_operations() if isinstance(result, Ok)]:
        if is_endless(operation):
            continue

        @given(case=operation.as_strategy())
        @settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        def call(case: Case) -> None:
            if "job_id" in case.path_parameters:
                case.path_parameters["job_id"] = "known"
            case.call_and_validate(excluded_checks=not_to_be_asked(case))

        call()
