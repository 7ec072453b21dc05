"""Three days of a busy house in little time: does anything grow that should not?

`python -m benchmarks.soak [--minutes 72] [--speed 1]`: a thousand firings a minute, as a house would have them for 72
hours, with `speed` minutes of theirs in each second of ours: the interval of a thousand jobs is shorter by so much,
and everything else is what it is. A fifth of them runs on two workers. Runs, attempts and logs are kept for a twelfth
of the time. Every few seconds the memory, file descriptors and threads of every process and the sizes of the tables
are looked at. Each must be flat: the median of the last third at most 5 % and a little above that of the middle third;
the first third is for warming up. The ledger itself is dropped week by week, so its table grows all the time here:
what is told of it is bytes a firing.
"""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import psutil

from benchmarks.crew import Crew, crew
from benchmarks.household import SQL, write_jobs
from benchmarks.server import server
from cronzimus.common.db import Database

JOBS = 1_000
_START_SECONDS = 10.0
_WORKERS = 2
_GROWTH = 1.05
_LITTLE = {"rss": 8 * 2**20, "fds": 4, "threads": 4, "table": 4 * 2**20}
_LEDGER = "firings"
_TABLES = 12


@dataclass(frozen=True, slots=True)
class Course:
    """One thing over time, and whether it is flat."""

    name: str
    kind: str
    first: float
    middle: float
    last: float

    @property
    def is_flat(self) -> bool:
        """Whether the last third is no more than the middle one."""
        return self.last <= self.middle * _GROWTH + _LITTLE[self.kind]


def courses(samples: Sequence[dict[tuple[str, str], float]]) -> list[Course]:
    """Everything that was sampled, a third of the time each."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for sample in samples:
        for key, value in sample.items():
            found[key].append(value)
    return [
        Course(name, kind, *(median(third) for third in _thirds(values)))
        for (name, kind), values in sorted(found.items())
        if len(values) >= 3
    ]


def _thirds(values: list[float]) -> Iterator[list[float]]:
    size = len(values) // 3
    yield values[:size]
    yield values[size : 2 * size]
    yield values[2 * size :]


def sample(house: Crew) -> dict[tuple[str, str], float]:
    """What every process and every table is like now."""
    seen: dict[tuple[str, str], float] = {}
    for number, process in enumerate(house.processes):
        name = "serve" if number == 0 else f"worker {number}"
        alive = psutil.Process(process.pid)
        seen[(name, "rss")] = alive.memory_info().rss
        seen[(name, "fds")] = alive.num_fds()
        seen[(name, "threads")] = alive.num_threads()
    for table, size in (house.one("table_sizes", limit=_TABLES) or {}).items():
        seen[(table, "table")] = size
    return seen


def broom(kept_seconds: float) -> dict[str, Any]:
    """What sweeps more often than the house does by itself."""
    sweep = {"func": "cronzimus.controller.upkeep:prune", "kwargs": {"days": kept_seconds / 86_400}}
    return {"params": sweep, "trigger": {"type": "interval", "seconds": max(1, kept_seconds // 6)}}


def furnish(url: str, speed: float) -> None:
    """Write the thousand jobs, a fifth of them for workers."""
    first = datetime.now(UTC) + timedelta(seconds=_START_SECONDS)
    write_jobs(url, JOBS, "benchmarks.tasks:nothing", 1 / speed, first=first, spread_seconds=1 / speed)
    database = Database(url, 1, statement_timeout=None)
    database.execute(SQL["send_a_fifth_away"])
    database.close()


def soak(url: str, minutes: float, speed: float) -> tuple[list[Course], dict[str, Any]]:
    """Live through it; what became of everything, and what happened meanwhile."""
    seconds = minutes * 60
    samples = []
    furnish(url, speed)
    with crew(url, {"broom": broom(seconds / 12)}, workers=_WORKERS) as house:
        began = time.monotonic()
        if not house.one("vacuums"):
            sys.stderr.write("autovacuum is off on this server: its tables grow whatever a client does\n")
        while (passed := time.monotonic() - began) < seconds:
            house.alive()
            samples.append(sample(house))
            _say(passed, seconds, samples[-1])
            time.sleep(max(1.0, seconds / 360))
        return courses(samples), house.one("told_of_ledger")


def _say(passed: float, seconds: float, seen: dict[tuple[str, str], float]) -> None:
    memory = " ".join(f"{value / 2**20:.0f}" for (_, kind), value in seen.items() if kind == "rss")
    sys.stderr.write(f"\r{passed:5.0f} of {seconds:.0f} s, MiB: {memory}   ")


def report(found: Sequence[Course], told: dict[str, Any], speed: float, minutes: float) -> bool:
    """Print it; whether everything is flat."""
    hours = minutes * speed
    out = sys.stdout.write
    out(f"\n{hours:.1f} hours of {JOBS:,} firings a minute in {minutes:g} minutes: {told}\n")
    out(f"{'what':28} {'':8} {'first third':>12} {'middle':>12} {'last':>12}\n")
    judged = [course for course in found if not course.name.startswith(_LEDGER)]
    for course in found:
        scale = 2**20 if course.kind in ("rss", "table") else 1
        figures = " ".join(f"{value / scale:12.1f}" for value in (course.first, course.middle, course.last))
        flat = ("flat" if course.is_flat else "GROWS") if course in judged else "by the week"
        out(f"{course.name:28} {course.kind:8} {figures}  {flat}\n")
    return all(course.is_flat for course in judged)


def main(arguments: list[str] | None = None) -> int:
    """0 when nothing grew."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak")
    parser.add_argument("--minutes", type=float, default=72, help="how long; default: 72")
    parser.add_argument("--speed", type=float, default=1, help="minutes of the house in a second; default: 1")
    given = parser.parse_args(arguments)
    with server() as measured, measured.database() as url:
        found, told = soak(url, given.minutes, given.speed)
    return 0 if report(found, told, given.speed, given.minutes) else 1


if __name__ == "__main__":
    sys.exit(main())
