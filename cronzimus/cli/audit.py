"""`cronzimus audit`: who changed what, when and from where."""

import json
from collections.abc import Mapping
from typing import Any, Final

import click

from cronzimus.cli.client import connect
from cronzimus.cli.command import RemoteGroup, Session
from cronzimus.cli.lists import page_options
from cronzimus.cli.output import Column, instant, show_page
from cronzimus.cli.values import MOMENT, optional_moment


@click.group("audit", cls=RemoteGroup)
def audit() -> None:
    """Read who changed what."""


@audit.command("list")
@click.option("--actor", metavar="NAME", help="Done by this token, person or part of the service.")
@click.option("--action", metavar="ACTION", help="job.pause; job finds everything done to jobs.")
@click.option("--target", metavar="TARGET", help="job/nightly; job finds every job.")
@click.option("--since", metavar="TIME", help=f"From then on: {MOMENT}.")
@click.option("--until", metavar="TIME", help="Before then.")
@page_options
@click.pass_obj
def list_audit_events(session: Session, /, since: str | None, until: str | None, **filters: Any) -> None:
    """List changes, latest first."""
    filters |= {"since": optional_moment(since, "--since"), "until": optional_moment(until, "--until")}
    show_page(session, connect(session).page("audit", **filters), _LIST, "changes")


def _changed(event: Mapping[str, Any]) -> str:
    """What is different afterwards, in as few words as a line has room for."""
    before, after = event["before"], event["after"]
    if not isinstance(before, dict) or not isinstance(after, dict):
        return ""
    return ", ".join(
        f"{name}: {json.dumps(before.get(name))} → {json.dumps(after.get(name))}"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    )


_LIST: Final = (
    Column("WHEN", lambda event: instant(event["at"])),
    Column("WHO", lambda event: event["actor"]),
    Column("DOOR", lambda event: event["door"]),
    Column("FROM", lambda event: event["address"], extra=True),
    Column("ACTION", lambda event: event["action"]),
    Column("TARGET", lambda event: event["target"]),
    Column("CHANGE", _changed, extra=True),
    Column("REQUEST", lambda event: event["request_id"], extra=True),
)
