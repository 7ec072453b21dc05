"""What watching costs: from NOTIFY to fifty watchers, and what two hundred of them do to an ordinary request."""

import contextlib
import http.client
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from statistics import median

import psycopg
from werkzeug.serving import make_server

from benchmarks.household import guarded, write_jobs
from benchmarks.process import SPAWN, wait_until
from benchmarks.server import Server
from benchmarks.table import Line, told
from cronzimus.app import _Handler, create_app, house_of
from cronzimus.common.logger import init_logger
from cronzimus.services.events import EVENTS_CHANNEL

_TOKEN = "benchmark-token"  # nosec B105
_LATENCY_TARGET, _SLOWDOWN_TARGET = 0.150, 1.5
_ANNOUNCED_EVERY = 0.02
_HEADERS = {"Authorization": f"Bearer {_TOKEN}"}


def measure(server: Server, *, quick: bool) -> list[Line]:
    """The server is a process of its own; the clients are sockets of this one, read by one thread."""
    jobs, watchers, crowd, rounds = (50, 5, 10, 10) if quick else (10_000, 50, 200, 200)
    with server.database() as url:
        first = datetime.now(UTC) + timedelta(hours=6)
        write_jobs(url, jobs, "benchmarks.tasks:nothing", 86_400, first=first, spread_seconds=3600)
        with _served(url, watchers + crowd + 10) as port:
            latencies = _latencies(url, port, watchers, rounds)
            alone, crowded = _page_times(url, port, crowd, rounds)
    ratio = median(crowded) / median(alone)
    return [
        Line(
            what="7. from NOTIFY to a watcher",
            measured=f"{watchers} streams, {rounds} notifications, the slowest stream of each",
            repeats=rounds,
            ours=told([one * 1000 for one in latencies], " ms", 2),
            peer="-",
            ratio=f"{median(latencies) * 1000:.1f} ms",
            target=f"≤ {_LATENCY_TARGET * 1000:g} ms",
            met=median(latencies) <= _LATENCY_TARGET,
        ),
        Line(
            what="8. a page of jobs beside live streams",
            measured=f"{rounds} requests with {crowd} streams and {1 / _ANNOUNCED_EVERY:.0f} announcements a second",
            repeats=rounds,
            ours=told([one * 1000 for one in crowded], " ms", 2),
            peer=f"{told([one * 1000 for one in alone], ' ms', 2)} without a stream",
            ratio=f"{ratio:.2f} ×",
            target=f"≤ {_SLOWDOWN_TARGET:g} ×",
            met=ratio <= _SLOWDOWN_TARGET,
        ),
    ]


class Crowd:
    """Streams that are open and read."""

    def __init__(self, port: int, count: int) -> None:
        self._ready = selectors.DefaultSelector()
        self.sockets = [self._open(port) for _ in range(count)]
        self._drain()

    def wait_all(self, patience: float = 10.0) -> None:
        """Read until every stream has said something more."""
        silent = set(self.sockets)
        deadline = time.monotonic() + patience
        while silent:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(silent)} streams said nothing within {patience:g} s")
            silent -= set(self.read(0.5))

    def close(self) -> None:
        """Leave."""
        for stream in self.sockets:
            stream.close()
        self._ready.close()

    def _open(self, port: int) -> socket.socket:
        stream = socket.create_connection(("127.0.0.1", port))
        stream.sendall(
            f"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {_TOKEN}\r\n\r\n".encode()
        )
        answer = stream.recv(4096)
        assert answer.startswith(b"HTTP/1.1 200"), answer  # nosec B101
        self._ready.register(stream, selectors.EVENT_READ)
        return stream

    def _drain(self) -> None:
        while self.read(0.2):
            pass

    def read(self, timeout: float) -> list[socket.socket]:
        """Read what is there, waiting at most so many seconds for the first; who spoke."""
        spoke = [key.fileobj for key, _ in self._ready.select(timeout)]
        for stream in spoke:
            stream.recv(65536)  # type: ignore[union-attr]
        return spoke  # type: ignore[return-value]


def _latencies(url: str, port: int, watchers: int, rounds: int) -> list[float]:
    crowd, seen = Crowd(port, watchers), []
    with _notifying(url) as notify:
        for _ in range(rounds):
            began = time.perf_counter()
            notify()
            crowd.wait_all()
            seen.append(time.perf_counter() - began)
    crowd.close()
    return seen


def _page_times(url: str, port: int, count: int, rounds: int) -> tuple[list[float], list[float]]:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    alone = [_page(connection) for _ in range(rounds)]
    crowd, enough = Crowd(port, count), threading.Event()
    busy = threading.Thread(target=_keep_busy, args=(url, crowd, enough))
    busy.start()
    crowded = [_page(connection) for _ in range(rounds)]
    enough.set()
    busy.join()
    crowd.close()
    return alone, crowded


def _keep_busy(url: str, crowd: Crowd, enough: threading.Event) -> None:
    """Announce as often as a busy process does, and read what the streams say."""
    with _notifying(url) as notify:
        while not enough.wait(_ANNOUNCED_EVERY):
            notify()
            crowd.read(0)


def _page(connection: http.client.HTTPConnection) -> float:
    began = time.perf_counter()
    connection.request("GET", "/api/v1/jobs?limit=100", headers=_HEADERS)
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200 and len(body) > 1000  # nosec B101
    return time.perf_counter() - began


@contextlib.contextmanager
def _notifying(url: str) -> Iterator[Callable[[], object]]:
    payload = (
        '[{"topic":"run","id":"0190a5f0-0000-7000-8000-000000000000","job_id":"sample","state":"running"}]'
    )
    with psycopg.connect(url, autocommit=True) as session:
        yield lambda: session.execute("SELECT pg_notify(%s, %s)", [EVENTS_CHANNEL, payload])


@contextlib.contextmanager
def _served(url: str, streams: int) -> Iterator[int]:
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=_serve, args=(url, streams, theirs))
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("end")
        process.join(20)
        process.kill()


def _serve(url: str, streams: int, told_by: Connection) -> None:
    init_logger("WARNING")
    app = create_app(settings=guarded(url, _TOKEN, streams=streams))
    wait_until(lambda: house_of(app).readiness.report().ready)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    told_by.send(server.server_port)
    told_by.recv()
    house_of(app).drain()
    server.shutdown()
    house_of(app).stop()
