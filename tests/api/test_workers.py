"""Workers over HTTP."""

import pytest
from flask.testing import FlaskClient

from tests.api.fakes import FakeHouse, a_worker


def test_list_tells_everything(web: FlaskClient) -> None:
    body = web.get("/api/v1/workers").json
    assert body is not None and body["total"] == 2
    assert [(worker["id"], worker["leads"], worker["status"]) for worker in body["items"]] == [
        ("first", True, "alive"),
        ("second", False, "down"),
    ]


def test_filters_reach_the_service(web: FlaskClient, fake: FakeHouse) -> None:
    assert web.get("/api/v1/workers?status=down&role=api").status_code == 200
    assert fake.operating.processes.asked == {"status": "down", "role": "api"}


@pytest.mark.parametrize("query", ["status=asleep", "role=king", "color=red"])
def test_odd_filters_are_refused(web: FlaskClient, query: str) -> None:
    assert web.get(f"/api/v1/workers?{query}").status_code == 422


def test_one(web: FlaskClient) -> None:
    body = web.get("/api/v1/workers/first").json
    assert body is not None and (body["pid"], body["capacity"]) == (7, 10)
    answer = web.get("/api/v1/workers/nobody")
    assert answer.status_code == 404 and answer.json and answer.json["code"] == "WORKER_NOT_FOUND"


def test_takes_and_load_are_told(web: FlaskClient) -> None:
    body = web.get("/api/v1/workers/first").json
    assert body is not None and body["takes"] == ["scheduler", "workers"]
    assert body["load"]["memory_mb"] == 80.0 and body["drain_requested_at"] is None


def test_drain_answers_how_the_worker_stands_now(web: FlaskClient, fake: FakeHouse) -> None:
    fake.operating.processes.workers.append(a_worker("third", takes=["workers"]))
    answer = web.post("/api/v1/workers/third/drain")
    assert answer.status_code == 200 and answer.json
    assert (answer.json["status"], answer.json["takes"]) == ("draining", [])
    assert answer.json["drain_requested_at"] is not None


@pytest.mark.parametrize(
    ("worker_id", "status", "code"), [("nobody", 404, "WORKER_NOT_FOUND"), ("second", 409, "WORKER_DOWN")]
)
def test_drain_is_refused(web: FlaskClient, worker_id: str, status: int, code: str) -> None:
    answer = web.post(f"/api/v1/workers/{worker_id}/drain")
    assert answer.status_code == status and answer.json and answer.json["code"] == code
