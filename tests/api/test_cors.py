"""Pages of other origins: none by default, those listed when it is switched on."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.api.fakes import document

OPS = "https://ops.example.org"
PREFLIGHT = {
    "Origin": OPS,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization",
}
TOKENS = ({"name": "owner", "token": "admin-key", "scopes": ("admin",)},)


@pytest.fixture
def shared(build: Callable[..., Flask]) -> FlaskClient:
    """A client of a closed app that lets one origin in."""
    cors: dict[str, Any] = {"cors_enabled": True, "cors_origins": (OPS,), "auth": {"tokens": TOKENS}}
    return build(environment="production", api=cors).test_client()


def test_nothing_is_shared_by_default(web: FlaskClient) -> None:
    answer = web.options("/api/v1/jobs", headers=PREFLIGHT)
    assert not [name for name in answer.headers.keys() if name.startswith("Access-Control")]


def test_nothing_is_shared_while_it_is_off(build: Callable[..., Flask]) -> None:
    web = build(api={"cors_enabled": False, "cors_origins": (OPS,)}).test_client()
    assert "Access-Control-Allow-Origin" not in web.get("/api/v1/jobs", headers={"Origin": OPS}).headers


def test_a_preflight_needs_no_token(shared: FlaskClient) -> None:
    answer = shared.options("/api/v1/jobs", headers=PREFLIGHT)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == OPS
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]


def test_the_request_itself_needs_one(shared: FlaskClient) -> None:
    answer = shared.get("/api/v1/jobs", headers={"Origin": OPS})
    assert answer.status_code == 401
    assert answer.headers["Access-Control-Allow-Origin"] == OPS


def test_a_listed_origin_may_write(shared: FlaskClient) -> None:
    headers = {"Origin": OPS, "Sec-Fetch-Site": "cross-site", "Authorization": "Bearer admin-key"}
    answer = shared.post("/api/v1/jobs", json=document(), headers=headers)
    assert answer.status_code == 201
    assert "Location" in answer.headers["Access-Control-Expose-Headers"]
    assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "https://ops.example.org.evil.example", OPS + "/"]
)
def test_other_origins_stay_out(shared: FlaskClient, origin: str) -> None:
    headers = {"Origin": origin, "Authorization": "Bearer admin-key"}
    answer = shared.post("/api/v1/jobs", json=document(), headers=headers)
    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert shared.options("/api/v1/jobs", headers={**PREFLIGHT, "Origin": origin}).status_code == 401
