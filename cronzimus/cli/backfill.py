"""`cronzimus backfill`: run due instants of the past."""

import sys
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import click

from cronzimus.cli.client import Client, connect
from cronzimus.cli.command import RemoteGroup, Session
from cronzimus.cli.failures import FAILED, OK, note
from cronzimus.cli.lists import page_options
from cronzimus.cli.names import JOB
from cronzimus.cli.output import Column, draw_fields, draw_table, instant, show, show_page
from cronzimus.cli.values import MOMENT, KeyValue, moment
from cronzimus.errors import Unavailable

OUTCOMES: Final = ("missing", "missed", "skipped", "coalesced", "failed", "all")
STATES: Final = ("running", "paused", "done", "cancelled")

_PAUSE_SECONDS: Final = 0.5
_SILENCE_SECONDS: Final = 30.0
_LIST: Final = (
    Column("ID", lambda one: one["id"]),
    Column("JOB", lambda one: one["job_id"]),
    Column("STATE", lambda one: one["state"]),
    Column("DONE", lambda one: f"{one['done'] + one['failed']}/{one['total']}"),
    Column("FAILED", lambda one: one["failed"]),
    Column("LEFT", lambda one: _length(one["eta_seconds"]), extra=True),
    Column("BY", lambda one: one["created_by"], extra=True),
)
_ITEMS: Final = (Column("DUE", lambda one: instant(one["due_at"])), Column("WAS", lambda one: one["was"]))


@click.group("backfill", cls=RemoteGroup)
def backfill() -> None:
    """Run due instants of the past: start, list, show, pause, resume, cancel."""


@backfill.command("start")
@click.argument("job_id", metavar="JOB", type=JOB)
@click.option("--from", "begins", metavar="TIME", required=True, help=f"First instant: {MOMENT}.")
@click.option("--to", "ends", metavar="TIME", default="now", show_default=True, help="Last instant.")
@click.option(
    "--only",
    "outcomes",
    type=click.Choice(OUTCOMES),
    multiple=True,
    help="Those that are so; missing, missed and failed if not said. Repeatable.",
)
@click.option(
    "--max-running", type=click.IntRange(1, 100), default=1, show_default=True, help="Runs at one time."
)
@click.option("--reverse", is_flag=True, help="The latest first.")
@click.option(
    "--param", multiple=True, type=KeyValue(), help="A parameter of these runs; JSON, else text. Repeatable."
)
@click.option("--timezone", metavar="ZONE", default="UTC", help="Zone of times that name none.")
@click.option("--dry-run", is_flag=True, help="Only say which instants would run.")
@click.option("--wait", is_flag=True, help="Wait for its end: 0 all went well, 1 not.")
@click.pass_obj
def start_backfill(
    session: Session,
    /,
    job_id: str,
    begins: str,
    ends: str,
    timezone: str,
    dry_run: bool,
    wait: bool,
    **options: Any,
) -> int:
    """Run the instants of a job in a stretch of the past."""
    body = {
        "job_id": job_id,
        "from": moment(begins, timezone, "--from").isoformat(),
        "to": moment(ends, timezone, "--to").isoformat(),
        **_given(options),
    }
    client = connect(session)
    answer = client.post("backfills", body={**body, "dry_run": True} if dry_run else body)
    if dry_run:
        show(session, answer, lambda: _draw_estimate(answer))
        return OK
    if wait:
        return _awaited(session, client, answer)
    show(session, answer, lambda: click.echo(_sentence(answer)))
    return OK


@backfill.command("list")
@click.option("--job", "job_id", type=JOB, help="Of this job.")
@click.option("--state", type=click.Choice(STATES), help="How they stand.")
@page_options
@click.pass_obj
def list_backfills(session: Session, /, **filters: Any) -> None:
    """List backfills, latest first."""
    show_page(session, connect(session).page("backfills", **filters), _LIST, "backfills")


@backfill.command("show")
@click.argument("backfill_id", metavar="ID", type=click.UUID)
@click.pass_obj
def show_backfill(session: Session, /, backfill_id: UUID) -> None:
    """Show one backfill and how far it is."""
    found = connect(session).get("backfills", backfill_id)
    show(session, found, lambda: _draw(found))


@backfill.command("pause")
@click.argument("backfill_id", metavar="ID", type=click.UUID)
@click.pass_obj
def pause_backfill(session: Session, /, backfill_id: UUID) -> None:
    """Open no more runs; those that are open go on."""
    _turned(session, backfill_id, "pause")


@backfill.command("resume")
@click.argument("backfill_id", metavar="ID", type=click.UUID)
@click.pass_obj
def resume_backfill(session: Session, /, backfill_id: UUID) -> None:
    """Go on opening runs."""
    _turned(session, backfill_id, "resume")


@backfill.command("cancel")
@click.argument("backfill_id", metavar="ID", type=click.UUID)
@click.pass_obj
def cancel_backfill(session: Session, /, backfill_id: UUID) -> None:
    """End it: what waits is cancelled, what runs is asked to stop."""
    _turned(session, backfill_id, "cancel")


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    named = {"outcomes": list(options["outcomes"]), "params": dict(options["param"])}
    kept = {name: value for name, value in named.items() if value}
    return {**kept, "max_running": options["max_running"], "reverse": options["reverse"]}


def _turned(session: Session, backfill_id: UUID, verb: str) -> None:
    answer = connect(session).post("backfills", backfill_id, verb)
    show(session, answer, lambda: click.echo(_sentence(answer)))


def _awaited(session: Session, client: Client, started: Mapping[str, Any]) -> int:
    """Watch it to its end, with a bar on a terminal; Ctrl-C stops watching, not the backfill."""
    last = started
    try:
        for last in _drawn(client, started):
            pass
    except KeyboardInterrupt:
        note(f"not waiting any longer; backfill {started['id']} goes on")
        raise
    show(session, last, lambda: click.echo(_sentence(last)))
    return OK if last["state"] == "done" and not last["failed"] else FAILED


def _drawn(client: Client, started: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    looks = _looks(client, started)
    if not sys.stderr.isatty():
        yield from looks
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(started["job_id"], total=started["total"])
        for look in looks:
            said = f"{look['job_id']} {look['state']}, {look['failed']} failed"
            bar.update(task, completed=look["done"] + look["failed"], description=said)
            yield look


def _looks(client: Client, started: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """How it stands, again and again until it has ended; a restarting service is given half a minute."""
    look, heard = started, time.monotonic()
    while look["state"] in ("running", "paused"):
        time.sleep(_PAUSE_SECONDS)
        try:
            look, heard = client.get("backfills", started["id"]), time.monotonic()
        except Unavailable:
            if time.monotonic() - heard > _SILENCE_SECONDS:
                raise
        yield look


def _sentence(one: Mapping[str, Any]) -> str:
    said = f"backfill {one['id']} of {one['job_id']} is {one['state']}: {one['done']} of {one['total']} done"
    parts = [f"{one[name]} {name}" for name in ("failed", "running", "left") if one[name]]
    return ", ".join([said, *parts])


def _length(seconds: float | None) -> str:
    return "-" if seconds is None else str(timedelta(seconds=round(seconds)))


def _draw_estimate(answer: Mapping[str, Any]) -> None:
    draw_table(answer["items"], _ITEMS)
    more = answer["count"] - len(answer["items"])
    took = "" if answer["seconds"] is None else f", in about {_length(answer['seconds'])}"
    click.echo(f"{answer['count']} instants would run{took}" + (f"; {more} are not shown" if more else ""))


def _draw(one: Mapping[str, Any]) -> None:
    draw_fields(
        [
            ("id", one["id"]),
            ("job", f"{one['job_id']} (version {one['job_version']})"),
            ("state", one["state"]),
            ("range", f"{instant(one['from'])} to {instant(one['to'])}" + ", latest first" * one["reverse"]),
            ("takes", ", ".join(one["outcomes"])),
            (
                "progress",
                f"{one['done']} done, {one['failed']} failed, {one['running']} running, {one['left']} left",
            ),
            ("total", one["total"]),
            ("time left", _length(one["eta_seconds"])),
            ("at one time", one["max_running"]),
            ("params", one["params"]),
            ("by", one["created_by"]),
            ("created", instant(one["created_at"])),
            ("ended", instant(one["ended_at"])),
        ]
    )
