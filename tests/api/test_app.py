"""The app as a whole: what every answer carries, and that a large body ends in an answer, not in a reset."""

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from cronzimus.api import build_flask
from cronzimus.api.support import MAX_BODY
from cronzimus.settings import Settings
from tests.api.fakes import FakeHouse, document

MEGABYTE = 1024 * 1024
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def port(app: Flask) -> Iterator[int]:
    """The port of a real server of the app."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def sent(
    port: int, body: Any, headers: dict[str, str], *, chunked: bool = False
) -> tuple[int, dict[str, Any]]:
    """What a client reads that says everything before it listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", "/api/v1/jobs", body=body, headers=headers, encode_chunked=chunked)
    answer = connection.getresponse()
    status, text = answer.status, answer.read()
    connection.close()
    return status, json.loads(text)


def alive(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/api/health")
    return connection.getresponse().read() == b'{"status":"running"}'


@pytest.mark.parametrize("size", [11, 40])
def test_a_large_body_is_answered_over_a_socket(port: int, size: int) -> None:
    status, problem = sent(port, b"x" * (size * MEGABYTE), JSON)
    assert (status, problem["code"]) == (413, "BODY_TOO_LARGE")
    assert "10485760 bytes" in problem["detail"]
    assert alive(port)


def test_a_large_body_in_chunks_is_answered_over_a_socket(port: int) -> None:
    chunks = (b"x" * MEGABYTE for _ in range(11))
    status, problem = sent(port, chunks, {**JSON, "Transfer-Encoding": "chunked"}, chunked=True)
    assert (status, problem["code"]) == (413, "BODY_TOO_LARGE")
    assert alive(port)


def test_a_large_body_without_a_right_to_send_it_is_answered(build: Callable[..., Flask]) -> None:
    server = make_server("127.0.0.1", 0, build(environment="production"), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    status, problem = sent(server.server_port, b"x" * (11 * MEGABYTE), JSON)
    server.shutdown()
    thread.join()
    server.server_close()
    assert (status, problem["code"]) == (401, "UNAUTHORIZED")


def test_a_job_arrives_over_a_socket(port: int, fake: FakeHouse) -> None:
    status, job = sent(port, json.dumps(document()).encode(), JSON)
    assert (status, job["id"]) == (201, "hourly")
    assert "hourly" in fake.timetable.jobs


def test_a_job_arrives_in_chunks(port: int) -> None:
    body = json.dumps(document()).encode()
    chunks = (body[start : start + 7] for start in range(0, len(body), 7))
    status, _ = sent(port, chunks, {**JSON, "Transfer-Encoding": "chunked"}, chunked=True)
    assert status == 201


def test_a_client_that_goes_away_harms_nobody(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        head = b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        connection.sendall(head + b'Content-Length: 5000\r\n\r\n{"id":')
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65536)
    assert b" 400 " in answer.split(b"\r\n", 1)[0]
    assert alive(port)


@pytest.mark.parametrize("size", [0.001, 2])
def test_the_limit_is_the_settings(build: Callable[..., Flask], size: float) -> None:
    app = build(api={"max_request_size_mb": size})
    limit = app.config[MAX_BODY]
    pad = limit - len(json.dumps(document(description="")).encode())
    web = app.test_client()
    fits = json.dumps(document(description="x" * pad)).encode()
    assert len(fits) == limit
    codes = [
        web.post("/api/v1/jobs", data=body, content_type="application/json").status_code
        for body in (fits, fits + b" ")
    ]
    assert codes == [201 if pad <= 2000 else 422, 413]


@pytest.mark.parametrize(
    "route", ["/api/health", "/api/v1/jobs", "/api/v1/none", "/docs", "/scheduler/jobs/none"]
)
def test_every_answer_carries_its_headers(web: FlaskClient, route: str) -> None:
    headers = web.get(route).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert len(headers.getlist("Content-Security-Policy")) == 1
    assert headers["X-Request-ID"]


def test_head_answers_like_get_without_a_body(web: FlaskClient) -> None:
    answer = web.head("/api/v1/jobs")
    assert (answer.status_code, answer.data) == (200, b"")


def test_options_names_the_methods(web: FlaskClient) -> None:
    assert "PATCH" in web.options("/api/v1/jobs/hourly").headers["Allow"]


def test_apps_do_not_share_their_settings(build: Callable[..., Flask]) -> None:
    open_app, closed_app = build(), build(environment="production")
    codes = [app.test_client().get("/api/v1/jobs").status_code for app in (open_app, closed_app, open_app)]
    assert codes == [200, 401, 200]


def test_the_app_is_made_without_a_house() -> None:
    app = build_flask(Settings())
    assert app.test_client().get("/api/health").status_code == 200
    assert app.test_client().get("/api/v1/jobs").status_code == 503
