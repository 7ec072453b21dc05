"""Waiting for a run to end, patiently and not for ever."""

import time
from typing import Any, Final

import click

from cronzimus.cli.client import Client
from cronzimus.cli.command import Session
from cronzimus.cli.failures import FAILED, OK, TimedOut, note, printable
from cronzimus.cli.output import seconds, show
from cronzimus.errors import Unavailable

OPEN: Final = ("pending", "running")

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 2.0
_SILENCE: Final = 30.0


def await_run(session: Session, client: Client, run_id: str, timeout: float | None) -> int:
    """Wait until a run has ended and show it: 0 when it was a success, 1 when not. Raises TimedOut."""
    try:
        run = ended(client, run_id, timeout)
    except KeyboardInterrupt:
        note(f"not waiting any longer; run {run_id} goes on")
        raise
    show(session, run, lambda: click.echo(sentence(run)))
    return OK if run["state"] == "success" else FAILED


def ended(client: Client, run_id: str, timeout: float | None) -> dict[str, Any]:
    """The run once it has ended; a service that restarts meanwhile is given half a minute."""
    deadline = None if timeout is None else time.monotonic() + timeout
    pause, heard, state = _FIRST_PAUSE, time.monotonic(), "unknown"
    while True:
        try:
            run: dict[str, Any] = client.get("runs", run_id)
            heard, state = time.monotonic(), run["state"]
        except Unavailable:
            if time.monotonic() - heard > _SILENCE:
                raise
        if state not in (*OPEN, "unknown"):
            return run
        left = _LONGEST_PAUSE if deadline is None else deadline - time.monotonic()
        if left <= 0:
            raise TimedOut(f"run {run_id} has not ended after {timeout:g} s: {state}")
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def sentence(run: dict[str, Any]) -> str:
    """How a run stands, in a line."""
    said = f"run {run['id']} of {run['job_id']} "
    if run["state"] in OPEN:
        return f"{said}is {run['state']}"
    took = f" after {seconds(run['duration_ms'])}" if run["duration_ms"] is not None else ""
    message = (run["error"] or {}).get("message")
    return printable(f"{said}ended {run['state']}{took}" + (f": {message}" if message else ""))
