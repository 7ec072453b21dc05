"""`cronzimus workers`: every process of the house and how it stands."""

from typing import Any, Final

import click

from cronzimus.cli.client import connect
from cronzimus.cli.command import RemoteGroup, Session
from cronzimus.cli.lists import page_options
from cronzimus.cli.output import Column, instant, show_page

_LIST: Final = (
    Column("ID", lambda worker: worker["id"]),
    Column("STATUS", lambda worker: worker["status"]),
    Column("LEADS", lambda worker: "yes" if worker["leads"] else ""),
    Column("RUNNING", lambda worker: f"{worker['running']} of {worker['capacity']}"),
    Column("ROLES", lambda worker: " ".join(worker["roles"])),
    Column("SINCE", lambda worker: instant(worker["started_at"]), extra=True),
    Column("HEARD", lambda worker: instant(worker["heartbeat_at"])),
    Column("HOST", lambda worker: worker["host"], extra=True),
    Column("PID", lambda worker: worker["pid"], extra=True),
    Column("VERSION", lambda worker: worker["version"], extra=True),
)


@click.group("workers", cls=RemoteGroup)
def workers() -> None:
    """See which processes are there."""


@workers.command("list")
@click.option("--status", type=click.Choice(("alive", "draining", "down")), help="How it stands.")
@click.option("--role", type=click.Choice(("scheduler", "api", "worker")), help="What it is there for.")
@page_options
@click.pass_obj
def list_workers(session: Session, /, **filters: Any) -> None:
    """List processes, the leader first, the dead last."""
    show_page(session, connect(session).page("workers", **filters), _LIST, "workers")
