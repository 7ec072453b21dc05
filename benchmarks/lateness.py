"""How late runs start when ten thousand jobs are spread over a minute."""

import time
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles

from benchmarks import peers, tasks
from benchmarks.household import living, write_jobs
from benchmarks.process import in_fresh_process
from benchmarks.server import Server
from benchmarks.table import Line, told

_TARGET_SECONDS = 0.025
_WARM_SECONDS = 5.0

Figures = tuple[int, float, float, float]


def measure(server: Server, *, quick: bool) -> list[Line]:
    """Ours and APScheduler's; starts are counted after a warm-up."""
    jobs, seconds, repeats = (500, 6.0, 1) if quick else (10_000, 60.0, 2)
    ours, theirs = [], []
    for _ in range(repeats):
        with server.database() as url:
            ours.append(in_fresh_process(_house, url, jobs, seconds))
        with server.database(migrated=False) as url:
            theirs.append(in_fresh_process(_apscheduler, url, jobs, seconds))
    p99 = median(figures[2] for figures in ours)
    return [
        Line(
            what="2. lateness of a start",
            measured=f"{jobs:,} jobs spread over {seconds:g} s, {ours[0][0]:,} starts seen",
            repeats=repeats,
            ours=_tell(ours),
            peer=f"{_tell(theirs)} APScheduler 3, PostgreSQL store",
            ratio=f"{median(f[2] for f in theirs) / p99:.1f} × less",
            target=f"p99 ≤ {_TARGET_SECONDS * 1000:g} ms",
            met=p99 <= _TARGET_SECONDS,
        )
    ]


def _tell(figures: list[Figures]) -> str:
    p50, p99, highest = ([f[n] * 1000 for f in figures] for n in (1, 2, 3))
    return f"p50 {told(p50, digits=1)} p99 {told(p99, digits=1)} max {told(highest, digits=0)} ms"


def _house(url: str, jobs: int, seconds: float) -> Figures:
    first = _soon()
    write_jobs(url, jobs, "benchmarks.tasks:note_lateness", seconds, first=first, spread_seconds=seconds)
    with living(url):
        time.sleep((first - datetime.now(UTC)).total_seconds() + seconds + 1)
        return _figures(tasks.LATENESS, first)


def _apscheduler(url: str, jobs: int, seconds: float) -> Figures:
    first = _soon()
    peers.write_apscheduler_jobs(
        url, jobs, "benchmarks.peers:note", seconds, first=first, spread_seconds=seconds
    )
    with peers.apscheduler(url):
        time.sleep((first - datetime.now(UTC)).total_seconds() + seconds + 1)
        return _figures(peers.lateness(), first)


def _figures(seen: list[tuple[float, float]], first: datetime) -> Figures:
    warm = first.timestamp() + _WARM_SECONDS / 5
    late = [seconds for due, seconds in seen if due >= warm]
    return len(late), median(late), quantiles(late, n=100)[98], max(late)


def _soon() -> datetime:
    """Late enough for the jobs to be written and the process to be up."""
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=_WARM_SECONDS * 3)
