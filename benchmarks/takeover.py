"""The longest gap between two runs of a job of every second when its leader is killed, or stopped."""

import os
import signal
import subprocess  # nosec B404  # our own command, no shell
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.household import wait_until
from benchmarks.server import Server
from benchmarks.table import Line, told
from cronzimus.common.db import Database
from cronzimus.common.sql import queries

_SQL = queries("benchmarks", "queries.sql")
_KILLED_SECONDS, _STOPPED_SECONDS = 3.0, 10.0
_JOBS = """jobs:
  each-second:
    params: {func: "cronzimus.controller.task:task"}
    trigger: {type: interval, seconds: 1}
    policy: {overlap: allow}
"""


def measure(server: Server, *, quick: bool) -> list[Line]:
    """Two replicas a time, the leading one hit in the middle of its rhythm."""
    repeats = 1 if quick else 5
    lines = []
    for name, blow, target in (
        ("kill -9", signal.SIGKILL, _KILLED_SECONDS),
        ("SIGSTOP", signal.SIGSTOP, _STOPPED_SECONDS),
    ):
        gaps = [_longest_gap(server, blow) for _ in range(repeats)]
        lines.append(
            Line(
                what=f"6. leader hit by {name}",
                measured="longest gap between starts of a 1 s job, two replicas",
                repeats=repeats,
                ours=told(gaps, " s", 2),
                peer="1 s is the job's own rhythm",
                ratio="–",
                target=f"≤ {target:g} s",
                met=max(gaps) <= target,
            )
        )
    return lines


def _longest_gap(server: Server, blow: signal.Signals) -> float:
    with server.database() as url, tempfile.TemporaryDirectory() as folder:
        replicas = [_serve(url, Path(folder)) for _ in range(2)]
        database = Database(url, 1, statement_timeout=None)
        try:
            wait_until(lambda: _starts(database) >= 3)
            leader = _leader(database)
            hit_at = datetime.now(UTC)
            os.kill(leader, blow)
            wait_until(lambda: _starts(database, hit_at) >= 3)
            (gap,) = database.fetch_one(_SQL["longest_gap"]) or (0.0,)
            return float(gap)
        finally:
            database.close()
            for replica in replicas:
                replica.kill()
                replica.wait()


def _serve(url: str, folder: Path) -> "subprocess.Popen[bytes]":
    base = folder / "config" / "base"
    base.mkdir(parents=True, exist_ok=True)
    (base / "jobs.yaml").write_text(_JOBS, encoding="utf-8")
    environment = {
        **os.environ,
        "PYTHONPATH": os.getcwd(),
        "DATABASE_URL": url,
        "CRONZIMUS_SERVER__PORT": "0",
        "CRONZIMUS_SCHEDULER__SAMPLE_JOB": "false",
        "LOG_LEVEL": "WARNING",
    }
    command = [sys.executable, "-m", "cronzimus.app"]
    replica = subprocess.Popen(command, cwd=folder, env=environment)  # nosec B603
    time.sleep(0.2)
    return replica


def _starts(database: Database, since: datetime | None = None) -> int:
    (count,) = database.fetch_one(_SQL["starts"], {"since": since}) or (0,)
    return int(count)


def _leader(database: Database) -> int:
    """The leader's process; its name is host:pid."""
    (name,) = database.fetch_one(_SQL["leader"]) or ("",)
    return int(str(name).rpartition(":")[2])
