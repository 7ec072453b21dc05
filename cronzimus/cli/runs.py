"""`cronzimus runs`: what was executed, and what people do to an execution."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import click

from cronzimus.cli.client import connect
from cronzimus.cli.command import RemoteGroup, Session
from cronzimus.cli.definition import KINDS
from cronzimus.cli.failures import OK
from cronzimus.cli.lists import page_options
from cronzimus.cli.logs import show_log
from cronzimus.cli.names import JOB, RUN
from cronzimus.cli.output import Column, draw_fields, draw_table, instant, seconds, show, show_page
from cronzimus.cli.values import MOMENT, Duration, optional_moment
from cronzimus.cli.waiting import await_run, sentence
from cronzimus.errors import Invalid

STATES: Final = ("pending", "running", "success", "partial", "failed", "timeout", "cancelled", "lost")
CAUSES: Final = ("schedule", "manual", "dependency", "retry", "backfill")

_LIST: Final = (
    Column("ID", lambda run: run["id"]),
    Column("JOB", lambda run: run["job_id"]),
    Column("STATE", lambda run: run["state"]),
    Column("DUE", lambda run: instant(run["due_at"] or run["queued_at"])),
    Column("CAUSE", lambda run: run["cause"], extra=True),
    Column("TOOK", lambda run: seconds(run["duration_ms"]), extra=True),
    Column("TRY", lambda run: f"{run['attempt']}/{run['max_attempts']}", extra=True),
    Column("ERROR", lambda run: (run["error"] or {}).get("message"), extra=True),
)
_ATTEMPTS: Final = (
    Column("TRY", lambda attempt: attempt["attempt"]),
    Column("STATE", lambda attempt: attempt["state"]),
    Column("STARTED", lambda attempt: instant(attempt["started_at"])),
    Column("TOOK", lambda attempt: seconds(attempt["duration_ms"])),
    Column("WORKER", lambda attempt: attempt["worker_id"]),
    Column("ERROR", lambda attempt: (attempt["error"] or {}).get("message")),
)
_INSTANTS: Final = ("due_at", "queued_at", "not_before", "started_at", "ended_at", "cancel_requested_at")
_FACTS: Final = (
    "held",
    "queue",
    "priority",
    "worker_id",
    "params",
    "result",
    "error",
    "metrics",
    "trace_id",
    "parent_run_id",
)


@click.group("runs", cls=RemoteGroup)
def runs() -> None:
    """List, show, cancel, retry and await runs, and read what they said."""


@runs.command("list")
@click.option("--job", "job_id", type=JOB, help="Of this job.")
@click.option("--state", type=click.Choice(STATES), help="How they stand.")
@click.option("--cause", type=click.Choice(CAUSES), help="What started them.")
@click.option("--kind", type=click.Choice(KINDS), help="What their jobs do.")
@click.option("--worker", "worker_id", metavar="NAME", help="Where they execute.")
@click.option("--since", metavar="TIME", help=f"Due from then on: {MOMENT}.")
@click.option("--until", metavar="TIME", help="Due before then.")
@page_options
@click.pass_obj
def list_runs(session: Session, /, since: str | None, until: str | None, **filters: Any) -> None:
    """List runs, latest first."""
    filters |= {"since": optional_moment(since, "--since"), "until": optional_moment(until, "--until")}
    show_page(session, connect(session).page("runs", **filters), _LIST, "runs")


@runs.command("show")
@click.argument("run_id", metavar="ID", type=RUN)
@click.pass_obj
def show_run(session: Session, /, run_id: UUID) -> None:
    """Show one run and its attempts."""
    run = connect(session).get("runs", run_id)
    show(session, run, lambda: _draw(run))


@runs.command("cancel")
@click.argument("run_id", metavar="ID", type=RUN)
@click.pass_obj
def cancel_run(session: Session, /, run_id: UUID) -> None:
    """Cancel a run: at once while it waits, else as soon as its worker hears of it."""
    run = connect(session).post("runs", run_id, "cancel")
    asked = " and was asked to stop" if run["state"] == "running" else ""
    show(session, run, lambda: click.echo(sentence(run) + asked))


@runs.command("retry")
@click.argument("run_id", metavar="ID", type=RUN)
@click.option("--wait", is_flag=True, help="Wait for its end: 0 success, 1 none, 124 timed out.")
@click.option("--timeout", type=Duration(), help="How long to wait.")
@click.pass_obj
def retry_run(session: Session, /, run_id: UUID, wait: bool, timeout: float | None) -> int:
    """Start a new run like one that has ended."""
    if timeout is not None and not wait:
        raise Invalid("--timeout: says how long to wait; give --wait with it")
    client = connect(session)
    started = client.post_once("runs", run_id, "retry")
    if wait:
        return await_run(session, client, started["run_id"], timeout)
    show(session, started, lambda: click.echo(sentence(started["run"])))
    return OK


@runs.command("wait")
@click.argument("run_id", metavar="ID", type=RUN)
@click.option("--timeout", type=Duration(), help="How long to wait; for ever if not said.")
@click.pass_obj
def wait_for_run(session: Session, /, run_id: UUID, timeout: float | None) -> int:
    """Wait for the end of a run: 0 success, 1 none, 124 timed out."""
    return await_run(session, connect(session), str(run_id), timeout)


runs.add_command(show_log)


def _draw(run: Mapping[str, Any]) -> None:
    draw_fields(
        [
            ("id", run["id"]),
            ("job", f"{run['job_id']} (version {run['job_version']})"),
            ("state", run["state"]),
            ("cause", run["cause"]),
            ("attempt", f"{run['attempt']} of {run['max_attempts']}"),
            *((name.removesuffix("_at"), instant(run[name])) for name in _INSTANTS if run[name]),
            ("took", seconds(run["duration_ms"])),
            *((name, run[name]) for name in _FACTS if run[name] is not None),
        ]
    )
    if run["attempts"]:
        click.echo()
        draw_table(run["attempts"], _ATTEMPTS)
