"""`cronzimus worker`: start one; every process of the house, how it stands, and how it is drained."""

import time
from typing import Any, Final

import click

from cronzimus.cli.client import Client, connect
from cronzimus.cli.command import RemoteCommand, Session
from cronzimus.cli.failures import TimedOut
from cronzimus.cli.late import LateGroup
from cronzimus.cli.lists import page_options
from cronzimus.cli.output import Column, draw_fields, instant, show, show_page
from cronzimus.cli.values import Duration

_PAUSE_SECONDS: Final = 0.3

_LIST: Final = (
    Column("ID", lambda worker: worker["id"]),
    Column("STATUS", lambda worker: worker["status"]),
    Column("LEADS", lambda worker: "yes" if worker["leads"] else ""),
    Column("RUNNING", lambda worker: f"{worker['running']} of {worker['capacity']}"),
    Column("TAKES", lambda worker: _takes(worker)),
    Column("ROLES", lambda worker: " ".join(worker["roles"])),
    Column("SINCE", lambda worker: instant(worker["started_at"]), extra=True),
    Column("HEARD", lambda worker: instant(worker["heartbeat_at"])),
    Column("HOST", lambda worker: worker["host"], extra=True),
    Column("PID", lambda worker: worker["pid"], extra=True),
    Column("VERSION", lambda worker: worker["version"], extra=True),
)


workers = LateGroup(
    "worker",
    {
        "start": ("cronzimus.cli.work:start", "Execute runs of workers until it is told to stop."),
        "list": ("cronzimus.cli.workers:list_workers", "List processes, the leader first, the dead last."),
        "show": ("cronzimus.cli.workers:show_worker", "Show one process and what it does."),
        "drain": ("cronzimus.cli.workers:drain_worker", "Let a worker finish what runs, and end."),
    },
    help="Start a worker; see which processes are there, and let one drain.",
)


@click.command("list", cls=RemoteCommand)
@click.option("--status", type=click.Choice(("alive", "draining", "down")), help="How it stands.")
@click.option("--role", type=click.Choice(("scheduler", "api", "worker")), help="What it is there for.")
@page_options
@click.pass_obj
def list_workers(session: Session, /, **filters: Any) -> None:
    """List processes, the leader first, the dead last."""
    show_page(session, connect(session).page("workers", **filters), _LIST, "workers")


@click.command("show", cls=RemoteCommand)
@click.argument("worker_id", metavar="ID")
@click.pass_obj
def show_worker(session: Session, /, worker_id: str) -> None:
    """Show one process and what it does."""
    worker = connect(session).get("workers", worker_id)
    show(session, worker, lambda: draw_fields(_fields(worker)))


@click.command("drain", cls=RemoteCommand)
@click.argument("worker_id", metavar="ID")
@click.option("--wait", is_flag=True, help="Wait until it is down: 0, or 124 when it took too long.")
@click.option("--timeout", type=Duration(), help="How long to wait.")
@click.pass_obj
def drain_worker(session: Session, /, worker_id: str, wait: bool, timeout: float | None) -> None:
    """Let a worker take nothing new, finish what runs, and end.

    A process that serves goes on: it only takes no more runs of workers.
    """
    client = connect(session)
    worker = client.post("workers", worker_id, "drain")
    if wait and "scheduler" not in worker["takes"]:
        worker = _gone(client, worker, timeout)
    show(session, worker, lambda: click.echo(_sentence(worker)))


def _gone(client: Client, worker: dict[str, Any], timeout: float | None) -> dict[str, Any]:
    """The worker once it is down; a successor under the same name is another one."""
    deadline = None if timeout is None else time.monotonic() + timeout
    while worker["status"] != "down":
        if deadline is not None and time.monotonic() >= deadline:
            raise TimedOut(f"{worker['id']} is not down after {timeout:g} s: it runs {worker['running']}")
        time.sleep(_PAUSE_SECONDS)
        now: dict[str, Any] = client.get("workers", worker["id"])
        worker = now if now["boot_id"] == worker["boot_id"] else {**worker, "status": "down"}
    return worker


def _sentence(worker: dict[str, Any]) -> str:
    if worker["status"] == "down":
        return f"{worker['id']} is down"
    if worker["status"] == "draining":
        return f"{worker['id']} drains: {worker['running']} of its runs go on"
    return f"{worker['id']} takes no more runs of workers"


def _takes(worker: dict[str, Any]) -> str:
    return "" if worker["status"] == "down" else " ".join(worker["takes"])


def _fields(worker: dict[str, Any]) -> list[tuple[str, object]]:
    load = worker["load"]
    return [
        ("id", worker["id"]),
        ("status", worker["status"]),
        ("where", f"{worker['host']}, process {worker['pid']}, {worker['version']}"),
        ("there for", " ".join(worker["roles"])),
        ("takes runs of", " ".join(worker["takes"]) or "nobody"),
        ("kinds", " ".join(worker["kinds"])),
        ("queues", " ".join(worker["queues"]) or "all"),
        ("labels", " ".join(f"{name}={value}" for name, value in worker["labels"].items())),
        ("executes", f"{worker['running']} of {worker['capacity']}"),
        ("runs", " ".join(load.get("runs", ()))),
        ("load", f"{load.get('cpu_percent', 0):g} % of a core, {load.get('memory_mb', 0):g} MB"),
        ("since", instant(worker["started_at"])),
        ("heard", instant(worker["heartbeat_at"])),
        ("drains since", instant(worker["drain_requested_at"])),
    ]
