"""`cronzimus firings`: the ledger, one row for every due instant."""

from typing import Any, Final

import click

from cronzimus.cli.client import connect
from cronzimus.cli.command import RemoteGroup, Session
from cronzimus.cli.lists import page_options
from cronzimus.cli.names import JOB
from cronzimus.cli.output import Column, instant, show_page
from cronzimus.cli.values import MOMENT, optional_moment

DECISIONS: Final = ("fired", "coalesced", "skipped", "missed")
REASONS: Final = (
    "overlap",
    "misfire",
    "catch_up",
    "calendar",
    "blackout",
    "paused",
    "broken",
    "superseded",
    "dependency_failed",
    "budget",
)

_LIST: Final = (
    Column("DUE", lambda firing: instant(firing["due_at"])),
    Column("JOB", lambda firing: firing["job_id"]),
    Column("DECISION", lambda firing: firing["decision"]),
    Column("REASON", lambda firing: firing["reason"]),
    Column("INSTANTS", lambda firing: firing["instants"], extra=True),
    Column("RUN", lambda firing: firing["run_id"], extra=True),
    Column("BY", lambda firing: firing["decided_by"], extra=True),
    Column("EPOCH", lambda firing: firing["epoch"], extra=True),
    Column("NOTE", lambda firing: firing["note"], extra=True),
)


@click.group("firings", cls=RemoteGroup)
def firings() -> None:
    """Read the ledger of due instants."""


@firings.command("list")
@click.option("--job", "job_id", type=JOB, help="Of this job.")
@click.option("--decision", type=click.Choice(DECISIONS), help="What became of the instant.")
@click.option("--reason", type=click.Choice(REASONS), help="Why it did not fire.")
@click.option("--since", metavar="TIME", help=f"Due from then on: {MOMENT}.")
@click.option("--until", metavar="TIME", help="Due before then.")
@page_options
@click.pass_obj
def list_firings(session: Session, /, since: str | None, until: str | None, **filters: Any) -> None:
    """List ledger rows, latest first."""
    filters |= {"since": optional_moment(since, "--since"), "until": optional_moment(until, "--until")}
    show_page(session, connect(session).page("firings", **filters), _LIST, "firings")
