"""What the jobs of these tests do: write down that they ran, where the service cannot reach.

Each line is one `write` to a file opened for appending, so that lines of many processes never mix.
"""

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

from cronzimus.common.db import Database


def mark(run: Any) -> str:
    """Begin and end."""
    _write(run, "start")
    _write(run, "end")
    return "done"


def work(seconds: float, run: Any) -> str:
    """Begin, take so many seconds unless asked to stop, and end."""
    _write(run, "start")
    if run.wait_cancelled(seconds):
        _write(run, "stopped")
        raise InterruptedError("asked to stop")
    _write(run, "end")
    return "done"


def stumble(attempts: int, run: Any) -> str:
    """Fail in every attempt before the one given, then succeed."""
    _write(run, "start")
    if run.attempt < attempts:
        _write(run, "failed")
        raise ConnectionError(f"attempt {run.attempt} was not to succeed")
    _write(run, "end")
    return "done"


def fenced(seconds: float, run: Any) -> str:
    """Begin, take so many seconds, and end in a fenced transaction that leaves one row behind."""
    _write(run, "start")
    if run.wait_cancelled(seconds):
        _write(run, "stopped")
        raise InterruptedError("asked to stop")
    with run.transaction() as connection:
        connection.execute(
            "INSERT INTO public.effects (run_id, attempt) VALUES (%s, %s)", [run.id, run.attempt]
        )
        _write(run, "end")
    return "done"


def shard(run: Any) -> list[int]:
    """Which part of how many it is."""
    _write(run, "start")
    _write(run, "end")
    return [run.part, run.parts]


def stuck(statement: str, db: Database, run: Any) -> None:
    """Wait for a statement that does not end by itself."""
    _write(run, "start")
    with db.connection() as connection:
        connection.execute(statement.encode())


def asleep(seconds: float, run: Any) -> None:
    """Sleep without ever asking whether somebody wants an end."""
    _write(run, "start")
    time.sleep(seconds)


def parent(run: Any) -> None:
    """Start the stubborn one, and wait for it."""
    _write(run, "start")
    subprocess.run([sys.executable, __file__], check=False)


def stubborn() -> None:
    """Ignore SIGTERM, and so does a child in a session of its own."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.fork() == 0:
        os.setsid()
    time.sleep(600)


class Dearest:
    """A strategy of one's own: the worker with the highest price."""

    def choose(self, run: Any, workers: Any) -> Any:
        """The dearest."""
        return max(workers, key=lambda worker: float(worker.labels.get("price", 0)))


class Undecided:
    """What somebody took for a strategy."""


def _write(run: Any, event: str) -> None:
    line = {
        "event": event,
        "job_id": run.job_id,
        "due_at": run.due_at.isoformat() if run.due_at else None,
        "run_id": str(run.id),
        "attempt": run.attempt,
        "pid": os.getpid(),
        "at": time.time(),
    }
    handle = os.open(os.environ["WITNESS_FILE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, json.dumps(line).encode() + b"\n")
    finally:
        os.close(handle)


if __name__ == "__main__":
    stubborn()
