import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from cronzimus.common.logger import register_secret
from cronzimus.controller.http import KEPT_BYTES, HttpFailed, HttpRejected, send_request
from cronzimus.errors import Invalid
from cronzimus.models.run import ErrorCategory, RunState
from tests.common.web import Web, plain, raw, serving
from tests.workers.support import TRACE_ID, Ledger, context, definition, start_run, working


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as one:
        yield one


def send(web: Web, **facts: Any) -> dict[str, Any]:
    return send_request(facts.pop("run", None) or context(), facts.pop("url", web.url), **facts)


# --- what is sent -----------------------------------------------------------------------------------


def test_request_is_a_get_unless_told_otherwise(web: Web) -> None:
    send(web, url=f"{web.url}/ping")
    assert web.asked[0].line == "GET /ping HTTP/1.1"


def test_request_sends_json(web: Web) -> None:
    send(web, method="POST", json={"a": [1]})
    assert json.loads(web.asked[0].body) == {"a": [1]}
    assert web.asked[0].headers["content-type"] == "application/json"


def test_request_sends_a_body(web: Web) -> None:
    send(web, method="PUT", body="ü", headers={"Content-Type": "text/plain"})
    assert web.asked[0].body == "ü".encode()
    assert web.asked[0].headers["content-type"] == "text/plain"


def test_request_sends_json_or_a_body_but_not_both(web: Web) -> None:
    with pytest.raises(Invalid) as error:
        send(web, json=1, body="x")
    assert error.value.code == "INVALID_PARAMS" and web.asked == []


def test_idempotency_key_is_the_same_for_every_attempt(web: Web) -> None:
    first = context(attempt=1, max_attempts=2)
    second = context(run_id=first.id, attempt=2, max_attempts=2)
    send(web, run=first)
    send(web, run=second)
    keys = {asked.headers["idempotency-key"] for asked in web.asked}
    assert keys == {f"job/{first.id}"}


def test_trace_goes_on_at_the_other_side(web: Web) -> None:
    send(web)
    version, trace, span, flags = web.asked[0].headers["traceparent"].split("-")
    assert (version, trace, flags) == ("00", TRACE_ID, "01")
    assert len(span) == 16 and int(span, 16)


def test_trace_that_is_none_is_not_sent(web: Web) -> None:
    send(web, run=context(trace_id="short"))
    assert "traceparent" not in web.asked[0].headers


@pytest.mark.parametrize(
    "name", ["Idempotency-Key", "idempotency-key", "TRACEPARENT", "User-Agent", "Accept-Encoding"]
)
def test_headers_of_the_job_win(web: Web, name: str) -> None:
    send(web, headers={name: "mine"})
    assert web.asked[0].headers[name.lower()] == "mine"


# --- what comes back --------------------------------------------------------------------------------


def test_answer_becomes_the_result(web: Web) -> None:
    web.answer = plain(200, '{"ok": "ü"}'.encode(), Content_Type="application/json")
    assert send(web) == {
        "status": 200,
        "content_type": "application/json",
        "body": '{"ok": "ü"}',
        "truncated": False,
    }


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("text/plain; charset=latin-1", b"\xfc", "ü"),
        ('text/plain; charset="utf-8"', "ü".encode(), "ü"),
        ("text/plain; charset=no-such-thing", "ü".encode(), "ü"),
        ("text/plain; charset=base64", b"eA==", "eA=="),
        ("text/plain", b"\xff", "\ufffd"),
        ("", b"x", "x"),
    ],
)
def test_body_is_read_as_it_says(web: Web, content_type: str, body: bytes, text: str) -> None:
    web.answer = plain(200, body, Content_Type=content_type)
    assert send(web)["body"] == text


def test_compressed_body_is_only_counted(web: Web) -> None:
    web.answer = plain(200, b"x" * 10, Content_Encoding="gzip")
    assert send(web)["body"] == "[10 bytes of gzip]"


def test_long_body_is_cut(web: Web) -> None:
    web.answer = plain(200, b"x" * 200_000)
    result = send(web)
    assert len(result["body"]) == KEPT_BYTES and result["truncated"]


def test_secrets_in_the_body_are_masked(web: Web) -> None:
    register_secret("hunter2xyz")
    web.answer = plain(200, b"you are hunter2xyz")
    assert "hunter2xyz" not in send(web)["body"]


@pytest.mark.parametrize(
    ("status", "expect"), [(200, ()), (204, ()), (299, ()), (404, (404,)), (500, (200, 500)), (302, (302,))]
)
def test_expected_status_is_a_success(web: Web, status: int, expect: tuple[int, ...]) -> None:
    web.answer = plain(status, b"")
    assert send(web, expect=expect)["status"] == status


@pytest.mark.parametrize(
    ("status", "expect", "category"),
    [
        (500, (), "SYSTEM"),
        (502, (), "SYSTEM"),
        (503, (200,), "SYSTEM"),
        (429, (), "SYSTEM"),
        (408, (), "SYSTEM"),
        (425, (), "SYSTEM"),
        (400, (), "BUSINESS"),
        (401, (), "BUSINESS"),
        (404, (), "BUSINESS"),
        (422, (), "BUSINESS"),
        (301, (), "BUSINESS"),
        (200, (201,), "BUSINESS"),
    ],
)
def test_unexpected_status_is_a_failure(
    web: Web, status: int, expect: tuple[int, ...], category: str
) -> None:
    web.answer = plain(status, b"the reason")
    with pytest.raises(HttpFailed, match=f"answered {status}, expected") as error:
        send(web, expect=expect)
    assert error.value.category == ErrorCategory(category)
    assert error.value.result is not None and error.value.result["body"] == "the reason"


def test_redirect_says_that_it_is_not_followed(web: Web) -> None:
    web.answer = plain(302, b"", Location="http://elsewhere.example/")
    with pytest.raises(HttpRejected, match="redirects are not followed"):
        send(web)


# --- failures ---------------------------------------------------------------------------------------


def test_transport_that_fails_may_be_tried_again() -> None:
    with pytest.raises(HttpFailed) as error:
        send_request(context(), "http://127.0.0.1:1/")
    assert error.value.category is ErrorCategory.SYSTEM and not isinstance(error.value, HttpRejected)


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/", "http://[fe80::1]/", "http://2852039166/", "http://host:port/"]
)
def test_request_that_may_not_be_sent_fails_for_good(url: str) -> None:
    with pytest.raises(HttpRejected) as error:
        send_request(context(), url, timeout=2.0)
    assert error.value.category is ErrorCategory.BUSINESS


def test_timeout_is_a_failure(web: Web) -> None:
    web.answer = raw()
    with pytest.raises(HttpFailed):
        send(web, timeout=0.2)


def test_deadline_of_the_run_bounds_the_request(web: Web) -> None:
    web.answer = raw()
    with pytest.raises(HttpFailed):
        send(web, timeout=60.0, run=context(deadline=time.monotonic() + 0.2))


def test_cancel_cuts_the_request_off(web: Web) -> None:
    web.answer = raw()
    run, errors = context(), []

    def body() -> None:
        try:
            send(web, run=run, timeout=60.0)
        except HttpFailed as error:
            errors.append(error)

    thread = threading.Thread(target=body, daemon=True)
    thread.start()
    assert web.arrived.wait(10)
    run.cancel()
    thread.join(10)
    assert len(errors) == 1


def test_secrets_of_the_url_stay_out_of_errors(web: Web) -> None:
    web.answer = plain(500, b"")
    url = web.url.replace("//", "//me:hunter2@") + "/x?token=hunter2"
    with pytest.raises(HttpFailed) as error:
        send(web, url=url)
    assert "hunter2" not in str(error.value) and "/x?***" in str(error.value)


# --- through the worker -----------------------------------------------------------------------------


def job(web: Web, policy: dict[str, Any] | None = None, **params: Any) -> Ledger:
    return Ledger(definition(kind="http", params={"url": web.url, **params}, policy=policy or {}))


@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_worker_sends_a_request(web: Web, isolation: str) -> None:
    ledger = job(web, {"isolation": isolation}, method="POST", json={"a": 1}, expect=[200], timeout=5.0)
    with working(ledger) as (_, engine):
        report = ledger.ended(start_run(ledger, engine))
        assert (report.state, report.result["status"]) == (RunState.SUCCESS, 200)
    assert web.asked[0].body == b'{"a": 1}'


def test_worker_records_the_answer_of_a_failure(web: Web) -> None:
    web.answer = plain(500, b"out of order")
    ledger = job(web)
    with working(ledger) as (_, engine):
        report = ledger.ended(start_run(ledger, engine))
        assert report.state is RunState.FAILED and report.result["body"] == "out of order"


@pytest.mark.parametrize(("status", "attempts"), [(503, 2), (404, 1)])
def test_worker_tries_again_what_may_help(web: Web, status: int, attempts: int) -> None:
    web.answer = plain(status, b"")
    ledger = job(web, {"max_attempts": 2, "backoff": 0.0})
    with working(ledger) as (_, engine):
        assert ledger.final(start_run(ledger, engine)) is RunState.FAILED
    assert len(ledger.reports) == len(web.asked) == attempts


def test_worker_cancels_a_request_at_once(web: Web) -> None:
    web.answer = raw()
    ledger = job(web, timeout=600.0)
    with working(ledger) as (worker, engine):
        run = start_run(ledger, engine)
        assert web.arrived.wait(10)
        worker.cancel(run)
        assert ledger.final(run) is RunState.CANCELLED
        assert worker.abandoned == 0
