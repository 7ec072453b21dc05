"""The bodies a hostile user would send: each is refused with a telling code, and the process stays well."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.api.fakes import FakeHouse, document

JSON = "application/json"
MEGABYTE = 1024 * 1024


def job(**changes: Any) -> dict[str, Any]:
    return document("hostile", **changes)


def every(**fields: Any) -> dict[str, Any]:
    return job(trigger={"type": "interval", **fields})


def cron(expression: Any) -> dict[str, Any]:
    return job(trigger={"type": "cron", "expression": expression})


def calls(func: Any, **params: Any) -> dict[str, Any]:
    return job(params={"func": func, **params})


DOCUMENTS: list[tuple[str, Any, int, str]] = [
    ("interval below zero", every(seconds=-5), 422, "INVALID_TRIGGER"),
    ("interval of zero", every(seconds=0), 422, "INVALID_TRIGGER"),
    ("interval beyond any calendar", every(seconds=1e12), 422, "INVALID_TRIGGER"),
    ("interval of weeks beyond any calendar", every(weeks=10**15), 422, "INVALID_TRIGGER"),
    ("interval of nothing", every(), 422, "INVALID_TRIGGER"),
    ("interval of text", every(seconds="5"), 422, "INVALID_TRIGGER"),
    ("interval of truth", every(seconds=True), 422, "INVALID_TRIGGER"),
    ("interval of a list", every(seconds=[5]), 422, "INVALID_TRIGGER"),
    ("interval of a blink", every(seconds=1e-9), 422, "INVALID_TRIGGER"),
    (
        "interval that ends before it starts",
        every(hours=1, start_date="2199-01-02", end_date="2199-01-01"),
        422,
        "INVALID_TRIGGER",
    ),
    ("interval that has ended", every(hours=1, end_date="2001-01-01"), 422, "INVALID_TRIGGER"),
    ("jitter longer than the interval", every(seconds=5, jitter=3600), 422, "INVALID_TRIGGER"),
    ("minute 61", cron("61 * * * *"), 422, "INVALID_TRIGGER"),
    ("31 February", cron("0 0 31 2 *"), 422, "INVALID_TRIGGER"),
    ("31st of short months", cron("0 0 31 2,4,6,9,11 *"), 422, "INVALID_TRIGGER"),
    ("four fields", cron("* * * *"), 422, "INVALID_TRIGGER"),
    ("seven fields", cron("* * * * * * *"), 422, "INVALID_TRIGGER"),
    ("no fields", cron(""), 422, "INVALID_TRIGGER"),
    ("a step beyond any number", cron("*/99999999999 * * * *"), 422, "INVALID_TRIGGER"),
    ("a step of zero", cron("*/0 * * * *"), 422, "INVALID_TRIGGER"),
    ("30 kB of cron text", cron("0," * 15_000 + "0 * * * *"), 422, "INVALID_TRIGGER"),
    ("cron of emoji", cron("\U0001f600 * * * *"), 422, "INVALID_TRIGGER"),
    ("cron of an object", cron({"$ne": 1}), 422, "INVALID_TRIGGER"),
    (
        "a past date",
        job(trigger={"type": "date", "run_date": "1999-12-31T23:59:59Z"}),
        422,
        "INVALID_TRIGGER",
    ),
    (
        "a date that never was",
        job(trigger={"type": "date", "run_date": "2199-02-30"}),
        422,
        "INVALID_TRIGGER",
    ),
    ("a date as a number", job(trigger={"type": "date", "run_date": 1e18}), 422, "INVALID_TRIGGER"),
    ("an unknown zone", job(timezone="../../etc/passwd"), 422, "VALIDATION_ERROR"),
    ("an unknown type", job(trigger={"type": "__class__"}), 422, "INVALID_TRIGGER"),
    ("a thousand triggers", job(trigger=[{"type": "manual"}] * 1000), 422, "INVALID_TRIGGER"),
    ("os:system", calls("os:system", args=["id"]), 422, "FUNCTION_NOT_ALLOWED"),
    ("builtins:eval", calls("builtins:eval", args=["1"]), 422, "FUNCTION_NOT_ALLOWED"),
    ("subprocess by its dots", calls("subprocess.Popen:__init__"), 422, "FUNCTION_NOT_ALLOWED"),
    ("a neighbour of what is allowed", calls("cronzimus.controllerx:run"), 422, "FUNCTION_NOT_ALLOWED"),
    ("a module reached through an allowed one", calls("cronzimus.controller.task:__builtins__"), 422, ""),
    ("a function that is no path", calls("__import__('os').system('id')"), 422, ""),
    ("a function that is a number", calls(7), 422, "VALIDATION_ERROR"),
    ("a function of 10 kB", calls("a." * 5000 + "b:c"), 422, "VALIDATION_ERROR"),
    ("an id with slashes", job(id="../../etc/passwd"), 422, "VALIDATION_ERROR"),
    ("an id of SQL", job(id="x'; DROP TABLE jobs;--"), 422, "VALIDATION_ERROR"),
    ("an id of emoji", job(id="\U0001f600"), 422, "VALIDATION_ERROR"),
    ("an id with a line feed at its end", job(id="hostile\n"), 422, "VALIDATION_ERROR"),
    ("an id of 5 kB", job(id="x" * 5000), 422, "VALIDATION_ERROR"),
    ("fields of the row", job(status="paused", epoch=9), 422, "VALIDATION_ERROR"),
    ("fields of Python", job(__class__="x"), 422, "VALIDATION_ERROR"),
    ("attempts without end", job(policy={"max_attempts": 10**9}), 422, "VALIDATION_ERROR"),
    ("a timeout below zero", job(policy={"timeout": -1}), 422, "VALIDATION_ERROR"),
    ("a priority beyond its bounds", job(priority=2**62), 422, "VALIDATION_ERROR"),
    ("tags without end", job(tags=["x"] * 5000), 422, "VALIDATION_ERROR"),
    ("a description of 1 MB", job(description="x" * MEGABYTE), 422, "VALIDATION_ERROR"),
    ("a command as one text", job(kind="shell", params={"command": "rm -rf /"}), 422, ""),
    ("a page that is no page", job(kind="http", params={"url": "file:///etc/passwd"}), 422, ""),
    ("params as a list", job(params=["cronzimus.controller.task:task"]), 422, "VALIDATION_ERROR"),
    ("an empty object", {}, 422, ""),
    ("900 unknown fields", job(**{f"field{number}": 1 for number in range(900)}), 422, "VALIDATION_ERROR"),
    (
        "900 unknown arguments",
        calls("cronzimus.controller.task:task", kwargs=dict.fromkeys(map(str, range(900)))),
        422,
        "INVALID_PARAMS",
    ),
    ("15,000 wrong tags", job(tags=["!"] * 15_000), 422, "VALIDATION_ERROR"),
]

BODIES: list[tuple[str, bytes, str, int, str]] = [
    ("11 MB", b"x" * (11 * MEGABYTE), JSON, 413, "BODY_TOO_LARGE"),
    ("9 MB of brackets", b"[" * (9 * MEGABYTE), JSON, 400, "BODY_TOO_COMPLEX"),
    ("9 MB of one number", b'{"id":' + b"9" * (9 * MEGABYTE) + b"}", JSON, 400, "NUMBER_OUT_OF_RANGE"),
    ("9 MB of one text", b'{"id":"' + b"x" * (9 * MEGABYTE) + b'"}', JSON, 422, ""),
    ("20,000 levels", b'{"a":' * 20_000, JSON, 400, "BODY_TOO_DEEP"),
    ("a key of 1 MB", b'{"' + b"k" * MEGABYTE + b'":1}', JSON, 400, "BODY_TOO_COMPLEX"),
    (
        "9 MB of keys",
        b'{"' + b'":1,"'.join(b"%d" % n for n in range(900_000)) + b'":1}',
        JSON,
        400,
        "BODY_TOO_COMPLEX",
    ),
    ("an array", b"[]", JSON, 400, "BODY_NOT_OBJECT"),
    ("null", b"null", JSON, 400, "BODY_NOT_OBJECT"),
    ("a text", b'"hostile"', JSON, 400, "BODY_NOT_OBJECT"),
    ("NaN", b'{"priority":NaN}', JSON, 400, "NUMBER_OUT_OF_RANGE"),
    ("Infinity", b'{"priority":-Infinity}', JSON, 400, "NUMBER_OUT_OF_RANGE"),
    ("1e999", b'{"priority":1e999}', JSON, 400, "NUMBER_OUT_OF_RANGE"),
    ("an integer of 65 bit", b'{"priority":18446744073709551616}', JSON, 400, "NUMBER_OUT_OF_RANGE"),
    ("a key twice", b'{"id":"a","id":"b"}', JSON, 400, "DUPLICATE_KEY"),
    ("NUL in a text", b'{"id":"a\\u0000b"}', JSON, 400, "INVALID_CHARACTER"),
    ("NUL in a key", b'{"a\\u0000b":1}', JSON, 400, "INVALID_CHARACTER"),
    ("half a surrogate pair", b'{"description":"\\ud83d"}', JSON, 400, "INVALID_CHARACTER"),
    ("Latin-1", b'{"description":"gr\xf6\xdfe"}', JSON, 400, "INVALID_ENCODING"),
    ("UTF-16", '{"id":"a"}'.encode("utf-16"), JSON, 400, "INVALID_ENCODING"),
    ("half a body", b'{"id":"hostile","trigger":', JSON, 400, "MALFORMED_JSON"),
    ("a trailing comma", b'{"id":"hostile",}', JSON, 400, "MALFORMED_JSON"),
    ("YAML with an alias bomb", b"a: &a [x]\nb: [*a,*a]", JSON, 400, "MALFORMED_JSON"),
    ("nothing", b"", JSON, 400, "BODY_MISSING"),
    ("a form", b"id=hostile", "application/x-www-form-urlencoded", 415, "UNSUPPORTED_MEDIA_TYPE"),
    ("JSON as plain text", b'{"id":"hostile"}', "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE"),
    ("JSON as nothing", b'{"id":"hostile"}', "", 415, "UNSUPPORTED_MEDIA_TYPE"),
]


def assert_refused(answer: Any, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    assert answer.json["code"] == code if code else answer.json["code"]
    assert answer.json["detail"] and len(answer.data) < 6000


def assert_well(app: Flask, fake: FakeHouse) -> None:
    assert app.test_client().get("/api/health").data == b'{"status":"running"}'
    assert "hostile" not in fake.timetable.jobs


@pytest.mark.parametrize(("body", "status", "code"), [pytest.param(*row[1:], id=row[0]) for row in DOCUMENTS])
def test_documents_are_refused(
    app: Flask, web: FlaskClient, fake: FakeHouse, body: Any, status: int, code: str
) -> None:
    assert_refused(web.post("/api/v1/jobs", json=body), status, code)
    assert_well(app, fake)


@pytest.mark.parametrize(("body", "status", "code"), [pytest.param(*row[1:], id=row[0]) for row in DOCUMENTS])
def test_replacements_are_refused(
    web: FlaskClient, fake: FakeHouse, body: Any, status: int, code: str
) -> None:
    web.post("/api/v1/jobs", json=document("hostile"))
    assert_refused(web.put("/api/v1/jobs/hostile", json=body), status, code)
    assert fake.timetable.jobs["hostile"].version == 1


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"), [pytest.param(*row[1:], id=row[0]) for row in BODIES]
)
@pytest.mark.parametrize("route", ["/api/v1/jobs", "/scheduler/jobs"])
def test_bodies_are_refused(
    app: Flask, web: FlaskClient, fake: FakeHouse, route: str, body: bytes, kind: str, status: int, code: str
) -> None:
    answer = web.post(route, data=body, headers={"Content-Type": kind})
    if route.startswith("/scheduler"):
        status = 400 if status == 422 else status
        assert answer.json is not None and answer.json["error_message"]
    assert_refused(answer, status, code)
    assert_well(app, fake)


@pytest.mark.parametrize(
    "route",
    [
        "/api/v1/jobs/%00",
        "/api/v1/jobs/a%00b",
        "/api/v1/jobs/%ed%a0%80",
        "/api/v1/jobs/%ff%fe",
        "/api/v1/jobs/" + "x" * 60_000,
        "/api/v1/jobs/..%2f..%2fetc%2fpasswd",
        "/api/v1/jobs/%F0%9F%98%80/pause",
        "/api/v1/runs/%00",
        "/api/v1/runs/00000000-0000-0000-0000-00000000000%00",
        "/scheduler/jobs/%00",
        "/api/v1/jobs?q=%00",
        "/api/v1/jobs?tag=" + "x" * 60_000,
        "/api/v1/jobs?limit=%EF%BC%95",
        "/api/v1/runs?since=" + "9" * 10_000,
        "/api/v1/runs?since=%00",
        "/api/v1/firings?limit=1&limit=2",
        "/api/v1/runs?job_id=a&" + "&".join(f"p{n}=1" for n in range(5000)),
        "/docs/..%2f..%2f__init__.py",
        "/%00",
    ],
)
def test_addresses_are_refused(app: Flask, fake: FakeHouse, route: str) -> None:
    answer = app.test_client().get(route)
    assert 400 <= answer.status_code < 500
    assert answer.content_type == "application/problem+json" and len(answer.data) < 1_000_000
    assert_well(app, fake)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "\xff"},
        {"Host": "a" * 10_000},
        {"Host": "localhost:99999999999999999999"},
        {"Host": "[::1"},
        {"Content-Length": "-1"},
        {"Content-Length": "9" * 400},
        {"Content-Type": "application/json; charset=" + "x" * 10_000},
        {"If-Match": '"' * 5000},
        {"Authorization": "Bearer \xff\xfe"},
        {"Origin": "http://[::1"},
        {"X-Request-ID": "x" * 60_000},
        {"Accept": "\xff"},
        {"Cookie": "\xff=\xff"},
    ],
)
def test_headers_do_no_harm(app: Flask, fake: FakeHouse, headers: dict[str, str]) -> None:
    answer = app.test_client().put("/api/v1/jobs/hostile", data=b"{}", headers=headers)
    assert 400 <= answer.status_code < 500
    assert answer.content_type == "application/problem+json"
    assert_well(app, fake)
