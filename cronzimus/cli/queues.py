"""`cronzimus queue`: halt a queue, and let it go."""

import time
from collections.abc import Mapping
from typing import Any, Final

import click

from cronzimus.cli.client import Client, connect
from cronzimus.cli.command import RemoteGroup, Session
from cronzimus.cli.failures import OK, TimedOut, note
from cronzimus.cli.lists import page_options
from cronzimus.cli.output import Column, instant, show, show_page
from cronzimus.cli.several import for_each, saying
from cronzimus.cli.values import Duration
from cronzimus.errors import Invalid

_PAUSE: Final = 0.5
_LIST: Final = (
    Column("NAME", lambda queue: queue["name"]),
    Column("STATUS", lambda queue: queue["status"]),
    Column("WAITING", lambda queue: queue["waiting"]),
    Column("HELD", lambda queue: queue["held"]),
    Column("RUNNING", lambda queue: queue["running"]),
    Column("JOBS", lambda queue: queue["jobs"]),
    Column("SINCE", lambda queue: instant(queue["changed_at"]), extra=True),
    Column("BY", lambda queue: queue["changed_by"], extra=True),
)


@click.group("queue", cls=RemoteGroup)
def queue() -> None:
    """List, pause, resume and drain queues."""


@queue.command("list")
@page_options
@click.pass_obj
def list_queues(session: Session, /, **paging: Any) -> None:
    """List queues by name."""
    show_page(session, connect(session).page("queues", **paging), _LIST, "queues")


@queue.command("pause")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.pass_obj
def pause_queues(session: Session, /, names: tuple[str, ...]) -> int:
    """Let nothing of them start; what runs goes on."""
    client = connect(session)
    return for_each(
        session,
        names,
        lambda one: client.post("queues", one, "pause"),
        name=str,
        say=saying("paused", "name"),
    )


@queue.command("resume")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.pass_obj
def resume_queues(session: Session, /, names: tuple[str, ...]) -> int:
    """Let everything of them start again."""
    client = connect(session)
    return for_each(
        session,
        names,
        lambda one: client.post("queues", one, "resume"),
        name=str,
        say=saying("resumed", "name"),
    )


@queue.command("drain")
@click.argument("name", metavar="NAME")
@click.option("--wait", is_flag=True, help="Wait until what was there has ended: 0 it has, 124 timed out.")
@click.option("--timeout", type=Duration(), help="How long to wait; for ever if not said.")
@click.pass_obj
def drain_queue(session: Session, /, name: str, wait: bool, timeout: float | None) -> int:
    """Let start what is there, and nothing that comes later."""
    if timeout is not None and not wait:
        raise Invalid("--timeout: says how long to wait; give --wait with it")
    client = connect(session)
    found = client.post("queues", name, "drain")
    if wait:
        found = _drained(client, name, timeout)
    show(session, found, lambda: click.echo(_sentence(found)))
    return OK


def _drained(client: Client, name: str, timeout: float | None) -> Any:
    """The queue once everything from before the drain has ended, or somebody let it go."""
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        found = client.get("queues", name)
        if not found["left"]:
            return found
        left = _PAUSE if deadline is None else deadline - time.monotonic()
        if left <= 0:
            raise TimedOut(f"queue {name} is not empty after {timeout:g} s: {found['left']} runs left")
        try:
            time.sleep(min(_PAUSE, left))
        except KeyboardInterrupt:
            note(f"not waiting any longer; queue {name} goes on draining")
            raise


def _sentence(found: Mapping[str, Any]) -> str:
    if found["status"] != "draining":
        return f"queue {found['name']} is {found['status']}: somebody changed it meanwhile"
    if not found["left"]:
        return f"queue {found['name']} is drained; {found['held']} runs wait until it is resumed"
    return f"queue {found['name']} drains: {found['left']} runs from before have not ended"
