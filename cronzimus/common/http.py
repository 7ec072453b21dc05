"""The one door for outgoing HTTP: a bounded request that can be cut off, and never goes where it must not."""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import httpx2

from cronzimus.common.telemetry import current_trace, span

Interruptible = Callable[[Callable[[], None]], AbstractContextManager[None]]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

CONNECT_SECONDS = 10.0

# Where clouds answer questions about the machine itself, its credentials among them.
_FORBIDDEN = tuple(
    ipaddress.ip_network(network)
    for network in (
        "169.254.0.0/16",
        "fe80::/10",
        "fd00:ec2::/32",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "192.0.0.192/32",
    )
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class RequestFailed(Exception):
    """No answer came; the message names neither user, password nor query of the URL."""


class RequestTimeout(RequestFailed):
    """The answer took too long."""


class RequestRefused(RequestFailed):
    """The request may not or cannot be sent: a wrong URL or header, or a forbidden address."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `body` is cut at the size that was asked for."""

    status: int
    content_type: str
    encoding: str
    body: bytes
    truncated: bool


@dataclass(slots=True)
class _Line:
    """The socket of one exchange, so that another thread can cut it."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _socket: socket.socket | None = None
    cut_off: bool = False

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Called by the client at each of its steps: look at the peer before anything is sent to it."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            connected = info["return_value"].get_extra_info("socket")
            with self._lock:
                self._socket = connected
            try:
                _refuse(connected.getpeername()[0])
            except RequestRefused:
                connected.close()  # the client does not own it yet
                raise
            if self.cut_off:
                self.cut()

    def cut(self) -> None:
        """End the exchange: whoever reads or writes wakes up with an error."""
        with self._lock:
            self.cut_off = True
            if self._socket is not None:
                with suppress(OSError):
                    # Not `SSLSocket.shutdown`, which drops the TLS object under the reader's feet.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    content: bytes | None,
    timeout: float,
    keep_bytes: int,
    interruptible: Interruptible = lambda cut: nullcontext(),
) -> Answer:
    """Send one request and read one answer within `timeout` seconds; redirects are not followed.

    `interruptible(cut)` is entered around the exchange; calling `cut` from another thread ends it. Link-local
    and metadata addresses are refused however they are spelt; private and loopback ones are not.
    """
    facts = {"http.request.method": method, "url.full": shown_url(url)}
    with span(f"HTTP {method}", "client", facts) as told:
        options: dict[str, Any] = {"content": content, "headers": _traced(headers)}
        answer = _exchange(method, url, options, timeout, keep_bytes, interruptible)
        told.say({"http.response.status_code": answer.status})
        return answer


def _exchange(
    method: str,
    url: str,
    options: Mapping[str, Any],
    timeout: float,
    keep_bytes: int,
    interruptible: Interruptible,
) -> Answer:
    line = _Line()
    late = threading.Event()
    with _failures_told(method, url, late), _alarm(timeout, late, line.cut), interruptible(line.cut):
        refuse_forbidden(url)
        limits = httpx2.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS))
        with httpx2.Client(verify=_trust(), timeout=limits, follow_redirects=False) as client:
            with client.stream(method, url, **options, extensions={"trace": line.trace}) as response:
                answer = _read(response, keep_bytes)
        if line.cut_off:  # to the client a cut looks like the end of a body without a length
            raise httpx2.ReadError("cut off")
        return answer


def streamed(
    url: str,
    *,
    headers: Mapping[str, str],
    silence: float,
    refused: Callable[[Answer], Exception],
    keep_bytes: int,
) -> Iterator[bytes]:
    """The lines of an endless answer, as they come. Raises what `refused` makes of an answer other than 200.

    A server that says nothing for `silence` seconds is a RequestTimeout. A line is at most `keep_bytes` long.
    """
    line = _Line()
    with _failures_told("GET", url, threading.Event()):
        refuse_forbidden(url)
        limits = httpx2.Timeout(silence, connect=min(silence, CONNECT_SECONDS))
        with httpx2.Client(verify=_trust(), timeout=limits, follow_redirects=False) as client:
            with client.stream(
                "GET", url, headers=dict(headers), extensions={"trace": line.trace}
            ) as response:
                if response.status_code != HTTPStatus.OK:
                    raise refused(_read(response, keep_bytes))
                yield from _lines(response.iter_raw(), keep_bytes)


def _traced(headers: Mapping[str, str]) -> dict[str, str]:
    """With the place in the trace, unless the caller says otherwise."""
    trace = current_trace()
    if trace is None or any(name.lower() == "traceparent" for name in headers):
        return dict(headers)
    return {**headers, "traceparent": str(trace)}


def refuse_forbidden(url: str) -> None:
    """Raise RequestRefused when the host is, or resolves to, an address no request may go to."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 0
    except ValueError as error:
        raise RequestRefused(f"{error}") from None
    with suppress(OSError, UnicodeError):  # a name that does not resolve fails where it is connected
        for *_, peer in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            _refuse(str(peer[0]))


def is_forbidden(address: str) -> bool:
    """Whether an address is link-local or a metadata service, also inside an IPv6 spelling of IPv4."""
    return any(meant in network for meant in _meanings(address) for network in _FORBIDDEN)


def shown_url(url: str) -> str:
    """The URL as it may be shown: without user, password, query and fragment."""
    try:
        parts = urlsplit(url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "an URL that cannot be read"
    return f"{parts.scheme}://{host}{port}{parts.path}" + ("?***" if parts.query else "")


def _refuse(address: str) -> None:
    if is_forbidden(address):
        raise RequestRefused(f"{address} is a link-local or metadata address, which no request may go to")


def _meanings(address: str) -> Iterator[Address]:
    """The address, and every IPv4 address that an IPv6 one may stand for."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    yield ip
    if isinstance(ip, ipaddress.IPv6Address):
        low = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
        embedded = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
        yield from (meant for meant in embedded if meant is not None)
        if ip in _NAT64 or int(ip) >> 32 == 0:
            yield low


@cache
def _trust() -> ssl.SSLContext:
    """Made once: reading the certificates takes longer than most requests."""
    return httpx2.create_ssl_context()


def _read(response: httpx2.Response, keep_bytes: int) -> Answer:
    """The raw bytes up to the limit: what a decoder would make of a small answer has no bound."""
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > keep_bytes:
            break
    return Answer(
        status=response.status_code,
        content_type=response.headers.get("content-type", ""),
        encoding=response.headers.get("content-encoding", ""),
        body=bytes(body[:keep_bytes]),
        truncated=len(body) > keep_bytes,
    )


def _lines(chunks: Iterable[bytes], longest: int) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        if len(rest) > longest:
            raise httpx2.ReadError("a line without an end")
        yield from whole


@contextmanager
def _alarm(seconds: float, late: threading.Event, cut: Callable[[], None]) -> Iterator[None]:
    def ring() -> None:
        """Time is up."""
        late.set()
        cut()

    timer = threading.Timer(seconds, ring)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def _failures_told(method: str, url: str, late: threading.Event) -> Iterator[None]:
    """The client's errors as ours; without their cause, whose text may hold the whole URL."""
    what = f"{method} {shown_url(url)}"
    try:
        yield
    except RequestFailed as error:
        raise type(error)(f"{what}: {error}") from None
    except httpx2.TimeoutException as error:
        raise RequestTimeout(f"{what}: {type(error).__name__}") from None
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, ValueError) as error:
        raise RequestRefused(f"{what}: {type(error).__name__}") from None
    except (httpx2.HTTPError, OSError) as error:
        if late.is_set():
            raise RequestTimeout(f"{what}: no complete answer in time") from None
        raise RequestFailed(f"{what}: {type(error).__name__}: {_reason(error, url)}") from None


def _reason(error: Exception, url: str) -> str:
    return str(error).replace(url, shown_url(url))
