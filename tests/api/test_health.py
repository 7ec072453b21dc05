"""Liveness never asks; readiness tells the truth; health tells the whole of it to those who may know."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cronzimus.services.readiness import Readiness
from cronzimus.version import version
from tests.api.fakes import FakeHouse, Outage

AWAY = Readiness("unavailable", False, {"database": "down", "scheduler": "standby"})


def test_health_is_exactly_this(web: FlaskClient) -> None:
    answer = web.get("/api/health")
    assert (answer.status_code, answer.data, answer.mimetype) == (
        200,
        b'{"status":"running"}',
        "application/json",
    )


@pytest.mark.parametrize("route", ["/api/health", "/livez"])
def test_liveness_asks_nobody(app: Flask, route: str) -> None:
    del app.extensions["cronzimus"]
    assert app.test_client().get(route).json == {"status": "running"}


def test_health_knows_only_get(web: FlaskClient) -> None:
    answer = web.post("/api/health")
    assert answer.status_code == 405
    assert answer.json is not None and answer.json["code"] == "METHOD_NOT_ALLOWED"
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_readyz_tells_no_details(web: FlaskClient) -> None:
    answer = web.get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


@pytest.mark.parametrize("route", ["/readyz", "/api/v1/health"])
def test_readiness_follows_the_report(web: FlaskClient, fake: FakeHouse, route: str) -> None:
    fake.readiness.said = AWAY
    answer = web.get(route)
    assert answer.status_code == 503
    assert answer.json is not None and answer.json["status"] == "unavailable"


def test_readyz_before_there_is_a_house(app: Flask) -> None:
    del app.extensions["cronzimus"]
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None and answer.json["code"] == "STARTING"


def test_health_names_version_and_components(web: FlaskClient) -> None:
    assert web.get("/api/v1/health").json == {
        "status": "ok",
        "version": version(),
        "components": {"database": "up", "scheduler": "leader"},
    }


def test_health_stays_while_the_database_is_away(app: Flask, fake: FakeHouse) -> None:
    fake.timetable = Outage()  # type: ignore[assignment]
    fake.readiness.said = AWAY
    web = app.test_client()
    assert web.get("/api/health").status_code == 200
    assert web.get("/api/v1/jobs").status_code == 503


def test_probes_are_open_where_all_else_is_closed(build: Callable[..., Flask]) -> None:
    web = build(environment="production").test_client()
    codes = {
        route: web.get(route).status_code for route in ("/api/health", "/livez", "/readyz", "/api/v1/health")
    }
    assert codes == {"/api/health": 200, "/livez": 200, "/readyz": 200, "/api/v1/health": 401}
