"""Every error has one shape, the right status, and tells nothing it should not."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from loguru import logger
from pydantic import BaseModel, Field
from werkzeug.exceptions import ServiceUnavailable

from cronzimus.api.hostile import Malformed, TooLarge, WrongType
from cronzimus.api.problems import Refusal
from cronzimus.api.security import anyone
from cronzimus.errors import (
    ConfigError,
    Conflict,
    CronzimusError,
    DatabaseUnavailable,
    Fault,
    Forbidden,
    Invalid,
    NotFound,
)
from tests.api.fakes import Broken, FakeHouse, Outage

MEMBERS = {"type", "title", "status", "detail", "code", "errors", "request_id"}


class Sample(BaseModel):
    """Something with a bound."""

    size: int = Field(ge=1)


@pytest.fixture
def failing(app: Flask) -> Flask:
    """The app with a route that raises what the test hangs on it."""

    @anyone
    def fail() -> None:
        raise app.config["RAISED"]

    app.add_url_rule("/fail", view_func=fail)
    app.add_url_rule("/scheduler/fail", endpoint="legacy_fail", view_func=fail)
    return app


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """What is logged meanwhile."""
    written: list[str] = []
    sink = logger.add(written.append, format="{message} {exception}")
    yield written
    logger.remove(sink)


def answer_to(app: Flask, error: Exception, route: str = "/fail") -> Any:
    app.config["RAISED"] = error
    return app.test_client().get(route)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Malformed("no"), 400, "MALFORMED_JSON"),
        (Refusal(401, "no", code="UNAUTHORIZED"), 401, "UNAUTHORIZED"),
        (Forbidden("no"), 403, "FORBIDDEN"),
        (NotFound("no", code="JOB_NOT_FOUND"), 404, "JOB_NOT_FOUND"),
        (Conflict("no", code="JOB_EXISTS"), 409, "JOB_EXISTS"),
        (TooLarge("no"), 413, "BODY_TOO_LARGE"),
        (WrongType("no"), 415, "UNSUPPORTED_MEDIA_TYPE"),
        (Invalid("no", code="INVALID_TRIGGER"), 422, "INVALID_TRIGGER"),
        (DatabaseUnavailable("no"), 503, "DATABASE_UNAVAILABLE"),
        (CronzimusError("no"), 500, "INTERNAL_ERROR"),
        (ConfigError("no"), 500, "INTERNAL_ERROR"),
        (KeyError("no"), 500, "INTERNAL_ERROR"),
    ],
)
def test_every_error_has_its_status(failing: Flask, error: Exception, status: int, code: str) -> None:
    answer = answer_to(failing, error)
    assert (answer.status_code, answer.json["status"], answer.json["code"]) == (status, status, code)
    assert answer.content_type == "application/problem+json"
    assert set(answer.json) == MEMBERS
    assert answer.json["request_id"] == answer.headers["X-Request-ID"]


def test_faults_are_listed(failing: Flask) -> None:
    error = Invalid("no", faults=[Fault("trigger.seconds", "must be positive"), Fault("id", "is required")])
    assert answer_to(failing, error).json["errors"] == [
        {"field": "trigger.seconds", "message": "must be positive"},
        {"field": "id", "message": "is required"},
    ]


def test_only_so_many_faults_are_listed(failing: Flask) -> None:
    error = Invalid("x" * 5000, faults=[Fault(f"f{number}", "is wrong") for number in range(5000)])
    answer = answer_to(failing, error)
    assert answer.json["errors"][-1] == {"field": "", "message": "and 4980 more"}
    assert len(answer.json["errors"]) == 21 and len(answer.data) < 2000


def test_validation_errors_are_said_in_our_words(failing: Flask) -> None:
    with pytest.raises(ValueError) as raised:
        Sample.model_validate({"size": 0})
    answer = answer_to(failing, raised.value)
    assert answer.status_code == 422
    assert answer.json["detail"] == "size: must be at least 1, got 0"


def test_unavailable_says_when_to_come_back(failing: Flask) -> None:
    assert answer_to(failing, DatabaseUnavailable("no")).headers["Retry-After"] == "1"


def test_headers_of_werkzeug_are_kept(failing: Flask) -> None:
    answer = answer_to(failing, ServiceUnavailable(retry_after=7))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    assert answer.content_type == "application/problem+json"


def test_a_fault_of_our_own_tells_only_where_to_look(app: Flask, fake: FakeHouse) -> None:
    fake.timetable = Broken()  # type: ignore[assignment]
    answer = app.test_client().get("/api/v1/jobs", headers={"X-Request-ID": "look-here"})
    assert answer.status_code == 500
    assert b"hunter2xyz" not in answer.data and b"RuntimeError" not in answer.data
    assert answer.json is not None and "look-here" in answer.json["detail"]


def test_a_fault_of_our_own_is_logged_whole(app: Flask, fake: FakeHouse, lines: list[str]) -> None:
    fake.timetable = Broken()  # type: ignore[assignment]
    app.test_client().get("/api/v1/jobs", headers={"X-Request-ID": "look-here"})
    assert any("look-here" in line and "RuntimeError" in line for line in lines)


@pytest.mark.parametrize(
    ("method", "route"),
    [
        ("GET", "/api/v1/jobs"),
        ("GET", "/api/v1/jobs/hourly"),
        ("POST", "/api/v1/jobs/hourly/pause"),
        ("DELETE", "/scheduler/jobs/hourly"),
    ],
)
def test_an_outage_is_503_everywhere(app: Flask, fake: FakeHouse, method: str, route: str) -> None:
    fake.timetable = Outage()  # type: ignore[assignment]
    answer = app.test_client().open(route, method=method)
    assert answer.status_code == 503
    assert answer.json is not None and answer.json["code"] == "DATABASE_UNAVAILABLE"


def test_an_unknown_route_has_a_neighbour(web: FlaskClient) -> None:
    answer = web.get("/api/v1/job")
    assert answer.status_code == 404
    assert answer.json is not None and answer.json["code"] == "NOT_FOUND"
    assert answer.json["detail"].endswith("did you mean '/api/v1/jobs'?")


def test_an_unknown_route_is_echoed_short(web: FlaskClient) -> None:
    answer = web.get("/" + "x" * 5000)
    assert answer.status_code == 404 and len(answer.data) < 1000


@pytest.mark.parametrize(
    "route", ["/api/v1//jobs", "/api/v1/jobs/", "/api//v1/jobs", "/api/v1/jobs/%2e%2e/runs"]
)
def test_odd_spellings_are_not_found(web: FlaskClient, route: str) -> None:
    assert web.get(route).status_code == 404


def test_a_wrong_method_names_the_right_ones(web: FlaskClient) -> None:
    answer = web.delete("/api/v1/runs")
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert answer.json is not None and answer.json["detail"].startswith("DELETE is not possible here")


def test_older_routes_say_it_under_their_own_name_too(failing: Flask) -> None:
    answer = answer_to(failing, NotFound("there is no job 'x'", code="JOB_NOT_FOUND"), "/scheduler/fail")
    assert answer.json["error_message"] == answer.json["detail"] == "there is no job 'x'"


def test_older_routes_call_invalid_a_bad_request(failing: Flask) -> None:
    assert answer_to(failing, Invalid("no"), "/scheduler/fail").status_code == 400


@pytest.mark.parametrize("given", ["a", "trace-7:x/y", "x" * 128, "with a space"])
def test_a_request_id_is_echoed(web: FlaskClient, given: str) -> None:
    assert web.get("/api/health", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "x" * 129, "gr\xf6\xdfe", "a\tb"])
def test_an_unfit_request_id_is_replaced(web: FlaskClient, given: str) -> None:
    made = web.get("/api/health", headers={"X-Request-ID": given}).headers["X-Request-ID"]
    assert made != given and len(made) == 32


def test_request_ids_differ(web: FlaskClient) -> None:
    assert len({web.get("/api/health").headers["X-Request-ID"] for _ in range(10)}) == 10
