"""`Idempotency-Key` over HTTP, on a real PostgreSQL."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cronzimus.services.idempotency import Idempotency
from tests.api.fakes import FakeHouse, document
from tests.heart import Heart

KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
JOB = document("by-hand", trigger={"type": "manual"})


@pytest.fixture
def web(app: Flask, fake: FakeHouse, heart: Heart) -> FlaskClient:
    """A client of an app over the real services."""
    fake.timetable = heart.timetable  # type: ignore[assignment]
    fake.runs = heart.runs  # type: ignore[assignment]
    fake.history = heart.history  # type: ignore[assignment]
    fake.operating.idempotency = Idempotency(heart.database)  # type: ignore[attr-defined]
    return app.test_client()


def run(web: FlaskClient, body: dict[str, Any] | None = None, **headers: str) -> Any:
    """Start the job."""
    return web.post("/api/v1/jobs/by-hand/run", json=body or {}, headers={**KEY, **headers})


def test_a_trigger_that_is_repeated_starts_one_run(web: FlaskClient, heart: Heart) -> None:
    web.post("/api/v1/jobs", json=JOB)
    first, again = run(web), run(web)
    assert first.status_code == again.status_code == 202
    assert first.json == again.json and first.headers["Location"] == again.headers["Location"]
    assert "Idempotency-Replayed" not in first.headers and again.headers["Idempotency-Replayed"] == "true"
    assert heart.history.runs().total == 1


def test_another_body_is_refused(web: FlaskClient) -> None:
    web.post("/api/v1/jobs", json=JOB)
    run(web)
    refused = run(web, {"force": True})
    assert (refused.status_code, refused.json["code"]) == (422, "IDEMPOTENCY_MISMATCH")


def test_without_a_key_every_request_counts(web: FlaskClient, heart: Heart) -> None:
    web.post("/api/v1/jobs", json=JOB)
    for _ in range(2):
        web.post("/api/v1/jobs/by-hand/run")
    assert heart.history.runs().total == 2


def test_a_job_is_made_once_and_a_run_retried_once(web: FlaskClient, heart: Heart) -> None:
    made = [web.post("/api/v1/jobs", json=JOB, headers=KEY) for _ in range(2)]
    assert [answer.status_code for answer in made] == [201, 201] and made[0].data == made[1].data
    assert made[1].headers["ETag"] == made[0].headers["ETag"]
    run_id = web.post("/api/v1/jobs/by-hand/run").json["run_id"]
    heart.end(heart.claim(heart.offered)[0])
    other = {"Idempotency-Key": "another"}
    tries = [web.post(f"/api/v1/runs/{run_id}/retry", headers=other) for _ in range(2)]
    assert tries[0].json == tries[1].json and heart.history.runs().total == 2


@pytest.mark.parametrize("key", ["", "a" * 256, "\u00e4"])
def test_a_key_that_cannot_be_one_is_refused(web: FlaskClient, key: str) -> None:
    web.post("/api/v1/jobs", json=JOB)
    answer = run(web, **{"Idempotency-Key": key})
    assert answer.status_code == 422 and answer.json["errors"][0]["field"] == "Idempotency-Key"
