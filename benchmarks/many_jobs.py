"""A hundred thousand jobs that mostly wait: what they cost a process that has just started, and one that idles."""

import time
from datetime import UTC, datetime, timedelta
from statistics import median

import psutil

from benchmarks.household import living, wait_until, write_jobs
from benchmarks.process import in_fresh_process
from benchmarks.server import Server
from benchmarks.table import Line, told

_START_SECONDS, _BYTES_A_JOB, _SHARE_OF_A_CORE = 5.0, 1024.0, 0.03
_DAY_SECONDS = 86_400.0

Figures = tuple[float, float, float]


def measure(server: Server, *, quick: bool) -> list[Line]:
    """A process with many jobs beside one with none."""
    jobs, seconds, repeats = (2_000, 3.0, 1) if quick else (100_000, 20.0, 3)
    many, none = [], []
    for _ in range(repeats):
        for figures, count in ((none, 0), (many, jobs)):
            with server.database() as url:
                write_jobs(
                    url,
                    count,
                    "benchmarks.tasks:nothing",
                    _DAY_SECONDS,
                    first=_later(),
                    spread_seconds=_DAY_SECONDS / 2,
                )
                figures.append(in_fresh_process(_process, url, seconds))
    starts, cores = [f[0] for f in many], [f[2] * 100 for f in many]
    bytes_a_job = (median(f[1] for f in many) - median(f[1] for f in none)) / jobs
    met = (
        median(starts) <= _START_SECONDS,
        bytes_a_job <= _BYTES_A_JOB,
        median(cores) <= _SHARE_OF_A_CORE * 100,
    )
    jobs_written, idle = f"3. {jobs:,} jobs", f"resident set after {seconds:g} s"
    empty = [[f[n] * scale for f in none] for n, scale in enumerate((1, 2**-20, 100))]
    figures = (
        (
            "start",
            "to the first completed wake-up",
            told(starts, " s", 2),
            told(empty[0], " s", 2),
            "–",
            "≤ 5 s",
        ),
        (
            "memory",
            idle,
            told([f[1] / 2**20 for f in many], " MiB"),
            told(empty[1], " MiB"),
            f"{bytes_a_job:,.0f} B a job",
            "≤ 1 KiB a job",
        ),
        (
            "idle CPU",
            f"over {seconds:g} s",
            told(cores, " %", 2),
            told(empty[2], " %", 2),
            "–",
            "≤ 3 % of a core",
        ),
    )
    return [
        Line(f"{jobs_written}: {what}", how, repeats, ours, f"{peer} with none", ratio, target, good)
        for (what, how, ours, peer, ratio, target), good in zip(figures, met, strict=True)
    ]


def _process(url: str, seconds: float) -> Figures:
    """Seconds to the first wake-up, bytes resident, share of a core used while nothing is due."""
    began = time.monotonic()
    with living(url) as house:
        led = time.monotonic()
        wait_until(lambda: house.wake_up.last_completed >= led)
        started = time.monotonic() - began
        process = psutil.Process()
        before, since = _cpu(process), time.monotonic()
        time.sleep(seconds)
        share = (_cpu(process) - before) / (time.monotonic() - since)
        return started, float(process.memory_info().rss), share


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _later() -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(hours=6)
