"""The gate: who needs no credential, who does, and what a token of the settings may do."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.api.fakes import FakeHouse, document

READER, OPERATOR, OWNER = "read-key", "operate-key", "admin-key"
TOKENS = (
    {"name": "reader", "token": READER, "scopes": ("read",)},
    {"name": "operator", "sha256": hashlib.sha256(OPERATOR.encode()).hexdigest(), "scopes": ("operate",)},
    {"name": "owner", "token": OWNER, "scopes": ("read", "admin")},
)
CLOSED: dict[str, Any] = {"environment": "production", "api": {"auth": {"tokens": TOKENS}}}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def closed(build: Callable[..., Flask]) -> FlaskClient:
    """A client of the app as production runs it."""
    return build(**CLOSED).test_client()


def test_a_developer_needs_no_token(web: FlaskClient) -> None:
    assert web.get("/api/v1/jobs").status_code == 200
    assert web.post("/api/v1/jobs", json=document()).status_code == 201


@pytest.mark.parametrize("host", ["localhost", "localhost:5000", "127.0.0.1:5000", "[::1]:5000", "[::1]"])
def test_a_developer_may_use_any_loopback_name(web: FlaskClient, host: str) -> None:
    assert web.get("/api/v1/jobs", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:5000", "localhost.evil.example", "127.0.0.1.nip.io", "", "0.0.0.0:5000"],
)
def test_a_rebound_name_needs_a_token(web: FlaskClient, host: str) -> None:
    answer = web.get("/api/v1/jobs", headers={"Host": host})
    assert answer.status_code == 401


def test_a_rebound_name_cannot_write(web: FlaskClient, fake: FakeHouse) -> None:
    web.post("/api/v1/jobs", json=document(), headers={"Host": "evil.example"})
    assert not fake.timetable.jobs


@pytest.mark.parametrize("address", ["0.0.0.0", "10.0.0.7", "::", "/run/cronzimus.sock"])
def test_another_listening_address_than_configured_needs_a_token(web: FlaskClient, address: str) -> None:
    environ = {"SERVER_NAME": address, "HTTP_HOST": "localhost"}
    assert web.get("/api/v1/jobs", environ_overrides=environ).status_code == 401


@pytest.mark.parametrize("header", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP"])
def test_what_a_proxy_relays_needs_a_token(web: FlaskClient, header: str) -> None:
    assert web.get("/api/v1/jobs", headers={header: "203.0.113.9"}).status_code == 401


def test_a_token_opens_on_any_name(build: Callable[..., Flask]) -> None:
    web = build(api=CLOSED["api"]).test_client()
    headers = {"Host": "cron.example.org", **bearer(READER)}
    assert web.get("/api/v1/jobs", headers=headers).status_code == 200


def test_no_token_gets_a_challenge(closed: FlaskClient) -> None:
    answer = closed.get("/api/v1/jobs")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="cronzimus"'
    assert answer.json is not None and answer.json["code"] == "UNAUTHORIZED"


@pytest.mark.parametrize(
    "value",
    [
        READER,
        f"Basic {READER}",
        f"Token {READER}",
        "Bearer",
        "Bearer ",
        "Bearer unknown",
        f"Bearer {READER}x",
        f"Bearer {READER} {OWNER}",
        "Bearer gr\xf6\xdfe",
        "Bearer " + "x" * 10_000,
    ],
)
def test_a_wrong_token_is_refused(closed: FlaskClient, value: str) -> None:
    answer = closed.get("/api/v1/jobs", headers={"Authorization": value})
    assert answer.status_code == 401
    assert READER not in answer.text


def test_an_unknown_token_is_told_apart_from_none(closed: FlaskClient) -> None:
    answer = closed.get("/api/v1/jobs", headers=bearer("unknown"))
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_in_any_case(closed: FlaskClient, scheme: str) -> None:
    assert closed.get("/api/v1/jobs", headers={"Authorization": f"{scheme} {READER}"}).status_code == 200


def test_a_token_that_is_not_latin_opens(build: Callable[..., Flask]) -> None:
    tokens = ({"name": "umlaut", "token": "größe-\u20ac", "scopes": ("read",)},)
    web = build(environment="production", api={"auth": {"tokens": tokens}}).test_client()
    as_wsgi = "größe-\u20ac".encode().decode("latin-1")
    assert web.get("/api/v1/jobs", headers=bearer(as_wsgi)).status_code == 200


@pytest.mark.parametrize(
    ("token", "read", "operate", "admin"),
    [(READER, 200, 403, 403), (OPERATOR, 200, 404, 403), (OWNER, 200, 404, 404)],
)
def test_scopes_include_the_lesser(
    closed: FlaskClient, token: str, read: int, operate: int, admin: int
) -> None:
    asked = [("GET", "/api/v1/jobs"), ("POST", "/api/v1/jobs/none/pause"), ("DELETE", "/api/v1/jobs/none")]
    codes = [closed.open(route, method=method, headers=bearer(token)).status_code for method, route in asked]
    assert codes == [read, operate, admin]


def test_a_lesser_scope_names_the_one_it_wants(closed: FlaskClient) -> None:
    answer = closed.post("/api/v1/jobs", json=document(), headers=bearer(READER))
    assert answer.status_code == 403
    assert answer.json is not None and answer.json["code"] == "INSUFFICIENT_SCOPE"
    assert "scope admin" in answer.json["detail"] and "'reader'" in answer.json["detail"]
    assert 'scope="admin"' in answer.headers["WWW-Authenticate"]


def test_unknown_routes_tell_strangers_nothing(closed: FlaskClient) -> None:
    assert closed.get("/api/v1/secret").status_code == 401
    assert closed.get("/api/v1/secret", headers=bearer(READER)).status_code == 404


def test_a_wrong_method_on_a_guarded_route_tells_strangers_nothing(closed: FlaskClient) -> None:
    assert closed.delete("/api/v1/runs").status_code == 401
    assert closed.post("/api/health").status_code == 405


def test_options_is_guarded(closed: FlaskClient) -> None:
    assert closed.options("/api/v1/jobs").status_code == 401
    assert closed.options("/api/v1/jobs", headers=bearer(READER)).status_code == 200


def test_the_body_of_a_stranger_is_not_read(closed: FlaskClient) -> None:
    answer = closed.post("/api/v1/jobs", data=b"{", content_type="application/json")
    assert answer.status_code == 401


def test_changes_are_recorded_under_the_tokens_name(closed: FlaskClient, fake: FakeHouse) -> None:
    closed.post("/api/v1/jobs", json=document(), headers=bearer(OWNER))
    assert fake.timetable.versions["hourly"][0].changed_by == "owner"


def test_changes_of_a_developer_are_recorded_as_the_apis(web: FlaskClient, fake: FakeHouse) -> None:
    web.post("/api/v1/jobs", json=document())
    assert fake.timetable.versions["hourly"][0].changed_by == "api"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:8080"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    ],
)
@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
def test_pages_of_other_sites_cannot_write(
    web: FlaskClient, fake: FakeHouse, headers: dict[str, str], kind: str
) -> None:
    body = b'{"id":"hourly","params":{"func":"cronzimus.controller.task:task"},"trigger":{"type":"manual"}}'
    answer = web.post("/api/v1/jobs", data=body, content_type=kind, headers=headers)
    assert answer.status_code == 403
    assert answer.json is not None and answer.json["code"] == "CROSS_SITE"
    assert not fake.timetable.jobs


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://localhost"},
        {"Origin": "http://LOCALHOST"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_programs_and_own_pages_write(web: FlaskClient, headers: dict[str, str]) -> None:
    assert web.post("/api/v1/jobs", json=document(), headers=headers).status_code == 201


def test_pages_of_other_sites_may_read_what_they_cannot_see(web: FlaskClient) -> None:
    answer = web.get("/api/v1/jobs", headers={"Origin": "https://evil.example"})
    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_token_does_not_lift_the_rule_for_other_sites(closed: FlaskClient) -> None:
    headers = {"Origin": "https://evil.example", **bearer(OWNER)}
    assert closed.post("/api/v1/jobs", json=document(), headers=headers).status_code == 403


def test_a_route_without_a_scope_is_closed_all_the_same(build: Callable[..., Flask]) -> None:
    app = build(**CLOSED)
    app.add_url_rule("/forgotten", view_func=lambda: "open")
    web = app.test_client()
    codes = [
        web.get("/forgotten", headers=headers).status_code
        for headers in ({}, bearer(OPERATOR), bearer(OWNER))
    ]
    assert codes == [401, 403, 200]
