"""Many jobs at once over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.api.fakes import document

BATCH = "/api/v1/jobs/batch"
TOKENS = tuple({"name": scope, "token": f"{scope}-key", "scopes": (scope,)} for scope in ("operate", "admin"))
SECTIONS: dict[str, Any] = {"environment": "production", "api": {"auth": {"tokens": TOKENS}}}


@pytest.fixture(autouse=True)
def jobs(web: FlaskClient) -> None:
    """Two with a tag, one without."""
    for name, tags in (("a", ["x"]), ("b", ["x"]), ("c", [])):
        web.post("/api/v1/jobs", json=document(name, tags=tags))


def test_a_filter_with_a_count_pauses(web: FlaskClient) -> None:
    answer = web.post(BATCH, json={"action": "pause", "filter": {"tag": "x"}, "expected_count": 2})
    assert answer.status_code == 200 and answer.json is not None
    assert (answer.json["total"], answer.json["done"], answer.json["refused"]) == (2, 2, 0)
    assert answer.json["items"][0] == {"id": "a", "done": True, "code": None, "message": None, "run_id": None}
    refused = web.post(BATCH, json={"action": "run", "ids": ["a", "c"]}).json
    assert [item["code"] for item in refused["items"]] == ["JOB_PAUSED", None] and refused["refused"] == 1


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"action": "pause", "filter": {}, "expected_count": 9}, 409, "COUNT_MISMATCH"),
        ({"action": "pause"}, 422, "VALIDATION_ERROR"),
        ({"action": "pause", "ids": ["a"], "filter": {}}, 422, "VALIDATION_ERROR"),
        ({"action": "burn", "ids": ["a"]}, 422, "VALIDATION_ERROR"),
        ({"action": "pause", "filter": {"tagg": "x"}}, 422, "VALIDATION_ERROR"),
        ({"action": "pause", "ids": ["a"] * 1001}, 422, "VALIDATION_ERROR"),
    ],
)
def test_what_is_not_clear_does_nothing(
    web: FlaskClient, body: dict[str, Any], status: int, code: str
) -> None:
    answer = web.post(BATCH, json=body)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert web.get("/api/v1/jobs?status=paused").json["total"] == 0


def test_deleting_wants_an_admin(build: Callable[..., Flask]) -> None:
    closed = build(**SECTIONS).test_client()
    body = {"action": "delete", "ids": ["a"]}
    for scope, status in (("operate", 403), ("admin", 200)):
        answer = closed.post(BATCH, json=body, headers={"Authorization": f"Bearer {scope}-key"})
        assert answer.status_code == status
