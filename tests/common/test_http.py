import socket
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cronzimus.common import http
from cronzimus.common.http import (
    Answer,
    RequestFailed,
    RequestRefused,
    RequestTimeout,
    is_forbidden,
    refuse_forbidden,
    request,
    shown_url,
    streamed,
)
from cronzimus.common.telemetry import within
from cronzimus.utils.traceparent import Trace, parse
from tests.common.web import Web, endless, plain, raw, serving


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as one:
        yield one


def send(url: str, method: str = "GET", **facts: Any) -> Answer:
    asked = {"headers": {}, "content": None, "timeout": 10.0, "keep_bytes": 1000, **facts}
    return request(method, url, **asked)


# --- requests and answers ---------------------------------------------------------------------------


def test_request_brings_the_answer(web: Web) -> None:
    web.answer = plain(201, b"made", Content_Type="text/plain")
    assert send(web.url) == Answer(201, "text/plain", "", b"made", truncated=False)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"])
def test_request_uses_the_method(web: Web, method: str) -> None:
    send(f"{web.url}/path?q=1", method)
    assert web.asked[0].line == f"{method} /path?q=1 HTTP/1.1"


def test_trace_goes_on_at_the_other_side(web: Web) -> None:
    here = Trace("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
    send(web.url)
    with within(here):
        send(web.url)
        send(web.url, headers={"TraceParent": "mine"})
    without, told, own = (asked.headers.get("traceparent") for asked in web.asked)
    following = parse(told)
    assert without is None and own == "mine"
    assert following is not None and following.trace_id == here.trace_id != following.span_id


def test_request_sends_headers_and_content(web: Web) -> None:
    send(web.url, "POST", headers={"x-own": "value"}, content=b"body")
    assert (web.asked[0].headers["x-own"], web.asked[0].body) == ("value", b"body")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(web: Web, status: int) -> None:
    web.answer = plain(status, Location=f"{web.url}/elsewhere")
    assert send(web.url).status == status
    assert len(web.asked) == 1


@pytest.mark.parametrize(
    ("size", "kept", "truncated"), [(999, 999, False), (1000, 1000, False), (1001, 1000, True)]
)
def test_body_is_bounded(web: Web, size: int, kept: int, truncated: bool) -> None:
    web.answer = plain(body=b"x" * size)
    answer = send(web.url)
    assert (len(answer.body), answer.truncated) == (kept, truncated)


def test_endless_body_is_cut_off(web: Web) -> None:
    web.answer = endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 500, pause=0)
    assert send(web.url).truncated
    assert web.closed.wait(10)


def test_compressed_body_is_not_unpacked(web: Web) -> None:
    """A few kilobytes may unpack to gigabytes."""
    bomb = zlib.compress(b"\0" * 10_000_000)
    web.answer = plain(body=bomb, Content_Encoding="deflate")
    answer = send(web.url, keep_bytes=100_000)
    assert answer.encoding == "deflate" and answer.body == bomb


# --- failures ---------------------------------------------------------------------------------------


def test_silent_server_times_out(web: Web) -> None:
    web.answer = raw()
    with pytest.raises(RequestTimeout):
        send(web.url, timeout=0.2)


@pytest.mark.parametrize(
    "answer",
    [
        endless(b"HTTP/1.1 200 OK\r\n\r\n", b"."),
        endless(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
        endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n.\r\n"),
    ],
)
def test_timeout_is_for_the_whole_exchange(web: Web, answer: Any) -> None:
    """Each byte comes in time, the whole never does."""
    web.answer = answer
    with pytest.raises(RequestTimeout):
        send(web.url, timeout=0.3, keep_bytes=10_000_000)


def test_refused_connection_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(RequestFailed, match="ConnectError"):
        send(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize(
    "answer",
    [
        raw(b"rubbish\r\n\r\n"),
        lambda peer, asked: None,
        lambda peer, asked: peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"),
    ],
)
def test_broken_answer_is_a_failure(web: Web, answer: Any) -> None:
    web.answer = answer
    with pytest.raises(RequestFailed) as error:
        send(web.url)
    assert not isinstance(error.value, RequestRefused)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/x",
        "http://",
        "http://host:99999/",
        "http://host:port/",
        "http://[::1/",
        "not a url",
        "file:///etc/passwd",
    ],
)
def test_url_that_cannot_be_one_is_refused(url: str) -> None:
    with pytest.raises(RequestRefused):
        send(url)


@pytest.mark.parametrize("headers", [{"x": "a\r\nb: c"}, {"x y": "z"}, {"": "z"}, {"x": "ü\n"}])
def test_header_that_cannot_be_one_is_refused(web: Web, headers: dict[str, str]) -> None:
    with pytest.raises(RequestRefused):
        send(web.url, headers=headers)
    assert all(asked.line == "" for asked in web.asked), "nothing was sent"


@pytest.mark.parametrize(
    "url", ["http://me:hunter2@127.0.0.1:1/path?token=hunter2#hunter2", "http://hunter2@127.0.0.1:1/path"]
)
def test_secrets_of_the_url_are_not_told(url: str) -> None:
    with pytest.raises(RequestFailed) as error:
        send(url)
    assert "hunter2" not in str(error.value)
    assert "http://127.0.0.1:1/path" in str(error.value)
    assert error.value.__cause__ is None and error.value.__suppress_context__


# --- cutting it off ---------------------------------------------------------------------------------


def test_interrupt_ends_an_exchange_that_waits(web: Web) -> None:
    web.answer = raw(b"HTTP/1.1 200 OK\r\n")
    cuts: list[Any] = []
    errors: list[BaseException] = []

    @contextmanager
    def interruptible(cut: Any) -> Iterator[None]:
        cuts.append(cut)
        yield

    def body() -> None:
        try:
            send(web.url, timeout=60.0, interruptible=interruptible)
        except RequestFailed as error:
            errors.append(error)

    thread = threading.Thread(target=body, daemon=True)
    thread.start()
    assert web.arrived.wait(10)
    cuts[0]()
    thread.join(10)
    assert len(errors) == 1 and not isinstance(errors[0], RequestTimeout)


def test_interrupt_before_the_connection_ends_it_as_soon_as_it_stands(web: Web) -> None:
    web.answer = raw()

    @contextmanager
    def at_once(cut: Any) -> Iterator[None]:
        cut()
        yield

    with pytest.raises(RequestFailed):
        send(web.url, timeout=60.0, interruptible=at_once)


def test_interruptible_is_left_with_the_exchange(web: Web) -> None:
    left = []

    @contextmanager
    def interruptible(cut: Any) -> Iterator[None]:
        yield
        left.append(True)

    send(web.url, interruptible=interruptible)
    assert left == [True]


# --- forbidden addresses ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.0.1",
        "169.254.255.255",
        "fe80::1",
        "fe80::1%eth0",
        "febf::1",
        "::ffff:169.254.169.254",
        "::ffff:a9fe:a9fe",
        "::169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
    ],
)
def test_metadata_and_link_local_addresses_are_forbidden(address: str) -> None:
    assert is_forbidden(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "::1",
        "10.0.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "fd12::1",
        "8.8.8.8",
        "2001:db8::1",
        "169.253.1.1",
        "170.254.1.1",
    ],
)
def test_private_and_public_addresses_are_not(address: str) -> None:
    assert not is_forbidden(address)


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "169.254.169.254:80",
        "2852039166",
        "0xA9FEA9FE",
        "0xa9.0xfe.0xa9.0xfe",
        "0251.0376.0251.0376",
        "169.16689662",
        "169.254.43518",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:a9fe:a9fe::]",
        "[fe80::1]",
        "me:secret@169.254.169.254",
    ],
)
def test_forbidden_addresses_are_refused_however_they_are_spelt(host: str) -> None:
    with pytest.raises(RequestRefused, match="link-local or metadata") as error:
        send(f"http://{host}/latest/meta-data/", timeout=2.0)
    assert "secret" not in str(error.value)


def test_name_that_resolves_to_a_forbidden_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 80))]
    monkeypatch.setattr(http.socket, "getaddrinfo", lambda *facts, **more: found)
    with pytest.raises(RequestRefused):
        refuse_forbidden("http://metadata.example.org/")


def test_name_that_changes_its_mind_is_refused_at_the_connection(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It resolved to something harmless when asked first: the peer is looked at before a byte is sent."""
    monkeypatch.setattr(http, "refuse_forbidden", lambda url: None)
    monkeypatch.setattr(http, "is_forbidden", lambda address: address == "127.0.0.1")
    with pytest.raises(RequestRefused):
        send(web.url)
    assert all(asked.line == "" for asked in web.asked)


def test_name_that_does_not_resolve_fails_at_the_connection() -> None:
    refuse_forbidden("http://no-such-host.invalid/")
    with pytest.raises(RequestFailed) as error:
        send("http://no-such-host.invalid/", timeout=5.0)
    assert not isinstance(error.value, RequestRefused)


# --- what is shown ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://host/path", "https://host/path"),
        ("https://me:pw@host:8443/path?key=1#part", "https://host:8443/path?***"),
        ("https://token@host", "https://host"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
        ("http://host:port/", "an URL that cannot be read"),
    ],
)
def test_shown_url_leaves_secrets_out(url: str, shown: str) -> None:
    assert shown_url(url) == shown


# --- live answers -----------------------------------------------------------------------------------


def live(url: str, silence: float = 10.0, **facts: Any) -> Iterator[bytes]:
    asked = {"headers": {}, "keep_bytes": 1000, "refused": lambda answer: LookupError(answer), **facts}
    return streamed(url, silence=silence, **asked)


def test_live_answer_comes_line_by_line(web: Web) -> None:
    web.answer = plain(body=b"one\ntwo\r\n\nhalf")
    assert list(live(web.url)) == [b"one", b"two\r", b""]


def test_live_answer_is_read_as_it_comes(web: Web) -> None:
    web.answer = endless(b"HTTP/1.1 200 OK\r\n\r\n", b"line\n", pause=0)
    lines = live(web.url)
    assert [next(lines) for _ in range(1000)] == [b"line"] * 1000
    lines.close()  # type: ignore[attr-defined]


def test_refused_live_answer_is_what_the_caller_makes_of_it(web: Web) -> None:
    web.answer = plain(404, b"gone")
    with pytest.raises(LookupError) as caught:
        list(live(web.url))
    assert (caught.value.args[0].status, caught.value.args[0].body) == (404, b"gone")


def test_live_answer_that_falls_silent_is_late() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        lines = live(f"http://127.0.0.1:{server.getsockname()[1]}", silence=0.2)
        with pytest.raises(RequestTimeout):
            list(lines)


def test_line_without_an_end_is_not_kept(web: Web) -> None:
    web.answer = endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 100, pause=0)
    with pytest.raises(RequestFailed):
        list(live(web.url))


def test_live_answer_of_a_forbidden_address_is_refused() -> None:
    with pytest.raises(RequestRefused):
        list(live("http://169.254.169.254/latest"))
