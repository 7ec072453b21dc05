"""Firings a second, durably recorded with their history, where more is due than can be done."""

import time
from datetime import UTC, datetime, timedelta
from statistics import median

from benchmarks.household import SQL, living, wait_until, write_jobs
from benchmarks.peers import SqlLoop, apscheduler, fired, write_apscheduler_jobs
from benchmarks.process import in_fresh_process
from benchmarks.server import Server
from benchmarks.table import Line, told
from cronzimus.common.db import Database

_WARM_SECONDS = 3.0
_TIMES_APSCHEDULER = 10.0
_SHARE_OF_SQL = 0.25


def measure(server: Server, *, quick: bool) -> list[Line]:
    """Ours, APScheduler's and bare SQL's, one after the other, as often as asked."""
    jobs, seconds, repeats = (1_000, 2.0, 1) if quick else (16_000, 15.0, 3)
    ours: list[float] = []
    theirs: list[float] = []
    tuned: list[float] = []
    bare: list[float] = []
    for _ in range(repeats):
        turns = (
            (theirs, _apscheduler, False),
            (tuned, _tuned_apscheduler, False),
            (bare, _sql, True),
            (ours, _house, True),
        )
        for figures, function, migrated in turns:
            with server.database(migrated=migrated) as url:
                figures.append(in_fresh_process(function, url, jobs, seconds))
    return [
        _line(
            "APScheduler 3, PostgreSQL store as documented", jobs, seconds, ours, theirs, _TIMES_APSCHEDULER
        ),
        _line("APScheduler 3, its store in autocommit", jobs, seconds, ours, tuned, None),
        _line("bare SQL loop, same rows", jobs, seconds, ours, bare, _SHARE_OF_SQL),
    ]


def _line(
    peer: str, jobs: int, seconds: float, ours: list[float], theirs: list[float], target: float | None
) -> Line:
    ratio = median(ours) / median(theirs)
    return Line(
        what="1. firings/s with history",
        measured=f"{jobs:,} jobs of 1 s for {seconds:g} s, runs with state success in the database",
        repeats=len(ours),
        ours=told(ours, "/s"),
        peer=f"{told(theirs, '/s')} {peer}",
        ratio=f"{ratio:.2f} ×",
        target="for comparison" if target is None else f"≥ {target:g} ×",
        met=target is None or ratio >= target,
    )


def _house(url: str, jobs: int, seconds: float) -> float:
    write_jobs(url, jobs, "benchmarks.tasks:nothing", 1, first=_now(), spread_seconds=1)
    counter = Database(url, 1, statement_timeout=None)

    def successes() -> tuple[int, float]:
        count, at = counter.fetch_one(SQL["successes"]) or (0, 0.0)
        return int(count), float(at)

    with living(url):
        wait_until(lambda: successes()[0] > 0)
        time.sleep(_WARM_SECONDS)
        (before, began), _ = successes(), time.sleep(seconds)
        after, ended = successes()
    counter.close()
    return (after - before) / (ended - began)


def _tuned_apscheduler(url: str, jobs: int, seconds: float) -> float:
    return _apscheduler(url, jobs, seconds, tuned=True)


def _apscheduler(url: str, jobs: int, seconds: float, tuned: bool = False) -> float:
    write_apscheduler_jobs(url, jobs, "benchmarks.peers:tick", 1, first=_now(), spread_seconds=1)
    with apscheduler(url, tuned=tuned):
        wait_until(lambda: fired() > 0)
        time.sleep(_WARM_SECONDS)
        before, began = fired(), time.monotonic()
        time.sleep(seconds)
        return (fired() - before) / (time.monotonic() - began)


def _sql(url: str, jobs: int, seconds: float) -> float:
    write_jobs(url, jobs, "benchmarks.tasks:nothing", 1, first=_now(), spread_seconds=0)
    ids = [f"job-{n:06}" for n in range(jobs)]
    return max(
        _sql_in_batches(url, ids, seconds / 2, batch, start) for start, batch in enumerate((100, 1000))
    )


def _sql_in_batches(url: str, ids: list[str], seconds: float, batch: int, start: int) -> float:
    loop, due_at, done = SqlLoop(url), _now() + timedelta(days=start), 0
    share = ids[: max(batch, len(ids) // 10)]
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        loop.run(share, due_at, batch)
        due_at += timedelta(seconds=1)
        done += len(share)
    elapsed = time.monotonic() - began
    loop.close()
    return done / elapsed


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
