"""What workers cost: runs a second through two of them, how soon an idle one begins, and a long line before them."""

import time
from statistics import median

from benchmarks import engines
from benchmarks.crew import Crew, crew, far
from benchmarks.household import SQL
from benchmarks.process import wait_until
from benchmarks.server import Server
from benchmarks.table import Line, told

_SHARE_OF_ENGINE = 0.7
_SHARE_OF_SHORT_LINE = 0.8
_LONGEST_WAIT_MS = 50.0
_WARM_RUNS = 40
_IDLE_SECONDS = 0.05


def measure(server: Server, *, quick: bool) -> list[Line]:
    """Every engine that can be had by turns with itself alone, then the two questions to the default engine."""
    runs, repeats, waits, line = (200, 1, 20, 2_000) if quick else (10_000, 3, 300, 100_000)
    lines = []
    for engine in engines.ENGINES:
        queue_url = "database://" if engine == "procrastinate" else engines.broker_url(engine)
        if queue_url is None:
            continue
        ours: list[float] = []
        alone: list[float] = []
        for _ in range(repeats):
            alone.append(engines.alone(engine, server, runs) or 0.0)
            ours.append(_through_workers(server, queue_url, runs))
        lines.append(_throughput(engine, runs, ours, alone))
    return [*lines, _latency(server, waits), _long_line(server, line, repeats)]


def _throughput(engine: str, runs: int, ours: list[float], alone: list[float]) -> Line:
    ratio = median(ours) / median(alone)
    return Line(
        what=f"9. runs/s on two workers, {engine}",
        measured=f"{runs:,} runs of a function that does nothing, from asked to recorded, 10 places a worker",
        repeats=len(ours),
        ours=told(ours, "/s"),
        peer=f"{told(alone, '/s')} empty jobs, the engine alone",
        ratio=f"{ratio:.2f} ×",
        target=f"≥ {_SHARE_OF_ENGINE:g} ×",
        met=ratio >= _SHARE_OF_ENGINE,
    )


def _through_workers(server: Server, queue_url: str, runs: int) -> float:
    with server.database() as url, crew(url, {"empty": far(), "warm": far()}, queue_url=queue_url) as house:
        _warm(house)
        began = house.order("empty", runs)
        wait_until(lambda: house.ended("empty")[0] == runs, pause=0.1)
        return runs / (house.ended("empty")[1] - began)


def _latency(server: Server, waits: int) -> Line:
    """One run at a time, each after a pause in which nothing goes on."""
    with server.database() as url, crew(url, {"empty": far(), "warm": far()}) as house:
        _warm(house)
        for number in range(waits):
            time.sleep(_IDLE_SECONDS)
            house.order("empty", 1)
            wait_until(lambda number=number: house.ended("empty")[0] > number)  # type: ignore[misc]
        found = house.one("waits", job_id="empty")
    middle, late = found[len(found) // 2], found[int(len(found) * 0.99)]
    return Line(
        what="10. from asked to begun, idle workers",
        measured=f"{waits} runs one by one on two workers, default engine",
        repeats=waits,
        ours=f"p50 {middle:.1f} ms, p99 {late:.1f} ms",
        peer="–",
        ratio="–",
        target=f"p99 ≤ {_LONGEST_WAIT_MS:g} ms",
        met=late <= _LONGEST_WAIT_MS,
    )


def _long_line(server: Server, many: int, repeats: int) -> Line:
    """The same workers before a long line and before a short one; in both the first and last runs are left out."""
    short, long = [], []
    for _ in range(repeats):
        short.append(_rate(server, 1_000, first=100, last=900))
        long.append(_rate(server, many, first=500, last=min(6_000, many // 2)))
    ratio = median(long) / median(short)
    return Line(
        what="11. runs/s with many waiting",
        measured=f"{many:,} pending runs, two workers, default engine",
        repeats=repeats,
        ours=told(long, "/s"),
        peer=f"{told(short, '/s')} with 1,000 pending",
        ratio=f"{ratio:.2f} ×",
        target=f"≥ {_SHARE_OF_SHORT_LINE:g} ×",
        met=ratio >= _SHARE_OF_SHORT_LINE,
    )


def _rate(server: Server, runs: int, *, first: int, last: int) -> float:
    with server.database() as url, crew(url, {"empty": far(), "warm": far()}) as house:
        _warm(house)
        house.order("empty", runs)
        house.database.execute(SQL["analyze_runs"])
        wait_until(lambda: house.ended("empty")[0] >= last, pause=0.1)
        return float(house.one("rate_between", job_id="empty", first=first, last=last))


def _warm(house: Crew) -> None:
    """Until both workers have loaded what they need."""
    house.order("warm", _WARM_RUNS)
    wait_until(lambda: house.ended("warm")[0] == _WARM_RUNS)
