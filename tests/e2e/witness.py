"""What the jobs of these tests do: write down that they ran, where the service cannot reach.

Each line is one `write` to a file opened for appending, so that lines of many processes never mix.
"""

import json
import os
import time
from typing import Any


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
