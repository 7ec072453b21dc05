"""A page of a hundred of ten thousand jobs, over HTTP and from SQL alone."""

import http.client
import threading
import time
from datetime import UTC, datetime, timedelta
from statistics import median

from werkzeug.serving import make_server

from benchmarks.household import guarded, write_jobs
from benchmarks.process import in_fresh_process
from benchmarks.server import Server
from benchmarks.table import Line, told
from cronzimus.app import _Handler, create_app, house_of
from cronzimus.common.db import Database
from cronzimus.common.logger import init_logger
from cronzimus.common.sql import queries

_TARGET = 5.0
_TOKEN = "benchmark-token"  # nosec B105
_FILTERS = dict.fromkeys(("status", "kind", "tag", "search", "source"))

Figures = tuple[float, float, float]


def measure(server: Server, *, quick: bool) -> list[Line]:
    """Medians of alternating requests; the server is a process's own, on loopback, with keep-alive."""
    jobs, requests, repeats = (300, 30, 1) if quick else (10_000, 300, 3)
    with server.database() as url:
        first = datetime.now(UTC) + timedelta(hours=6)
        write_jobs(url, jobs, "benchmarks.tasks:nothing", 86_400, first=first, spread_seconds=3600)
        figures = [in_fresh_process(_pages, url, requests) for _ in range(repeats)]
    http_ms, client_ms, sql_ms = ([f[n] * 1000 for f in figures] for n in (0, 1, 2))
    ratio = median(http_ms) / median(sql_ms)
    return [
        Line(
            what="4. a page of 100 jobs over REST",
            measured=f"of {jobs:,}, {requests} requests: HTTP on loopback (test client: {told(client_ms, ' ms', 2)})",
            repeats=repeats,
            ours=told(http_ms, " ms", 2),
            peer=f"{told(sql_ms, ' ms', 2)} the same two statements alone",
            ratio=f"{ratio:.2f} ×",
            target=f"≤ {_TARGET:g} ×",
            met=ratio <= _TARGET,
        )
    ]


def _pages(url: str, requests: int) -> Figures:
    init_logger("WARNING")
    app = create_app(settings=guarded(url, _TOKEN))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port)
    client, database = app.test_client(), Database(url, 1)
    headers = {"Authorization": f"Bearer {_TOKEN}"}

    def over_http() -> None:
        connection.request("GET", "/api/v1/jobs?limit=100", headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200 and len(body) > 10_000  # nosec B101

    def in_process() -> None:
        assert client.get("/api/v1/jobs?limit=100", headers=headers).status_code == 200  # nosec B101

    sql = queries("cronzimus.services.sql", "timetable.sql")

    def by_sql() -> None:
        database.fetch_all(sql["page"], {**_FILTERS, "limit": 100, "offset": 0})
        database.fetch_one(sql["count"], _FILTERS)

    times: tuple[list[float], ...] = ([], [], [])
    for _ in range(requests):
        for seen, ask in zip(times, (over_http, in_process, by_sql), strict=True):
            began = time.perf_counter()
            ask()
            seen.append(time.perf_counter() - began)
    server.shutdown()
    house_of(app).stop()
    return median(times[0]), median(times[1]), median(times[2])
