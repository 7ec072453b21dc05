"""`cronzimus runs logs` and `cronzimus logs`: what a run said, at once or as it says it; what all said, searched."""

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final
from uuid import UUID

import click

from cronzimus.cli.client import Client, connect
from cronzimus.cli.command import RemoteCommand, Session
from cronzimus.cli.failures import note, printable
from cronzimus.cli.live import log_of
from cronzimus.cli.names import JOB, RUN
from cronzimus.cli.output import show
from cronzimus.cli.values import MOMENT, optional_moment

LEVELS: Final = ("TRACE", "DEBUG", "INFO", "SUCCESS", "WARNING", "ERROR", "CRITICAL")
STREAMS: Final = ("log", "stdout", "stderr", "system")

_PAGE: Final = 1000
_COLOURS: Final = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red", "stderr": "magenta"}


@click.command("logs", cls=RemoteCommand)
@click.argument("run_id", metavar="ID", type=RUN)
@click.option("-f", "--follow", is_flag=True, help="Go on until the run has ended.")
@click.option("--tail", type=click.IntRange(0, _PAGE), help="Begin so many lines before the end.")
@click.option("--attempt", type=click.IntRange(1), help="Of this attempt.")
@click.option(
    "--level", type=click.Choice(LEVELS, case_sensitive=False), help="Logged at this level or above."
)
@click.option("--stream", type=click.Choice(STREAMS), help="Where it was said.")
@click.option("--grep", "q", metavar="TEXT", help="Lines that hold this text, in any case.")
@click.pass_obj
def show_log(session: Session, /, run_id: UUID, follow: bool, tail: int | None, **filters: Any) -> None:
    """Show what a run printed and logged."""
    client, name = connect(session), str(run_id)
    if follow:
        show_live(session, client, name, tail, **filters)
        return
    items = list(_whole(client, name, filters) if tail is None else _tail(client, name, tail, filters))
    show(
        session,
        {"items": items},
        lambda: click.echo("".join(f"{_drawn(line)}\n" for line in items), nl=False),
    )
    if not items and not session.as_json:
        note(f"run {name} said nothing" + (" like this" if any(filters.values()) else ""))


@click.command("logs", cls=RemoteCommand)
@click.argument("q", metavar="TEXT", required=False)
@click.option("--job", "job_id", type=JOB, help="Said by this job.")
@click.option(
    "--level", type=click.Choice(LEVELS, case_sensitive=False), help="Logged at this level or above."
)
@click.option("--stream", type=click.Choice(STREAMS), help="Where it was said.")
@click.option("--since", metavar="TIME", help=f"From then on: {MOMENT}.")
@click.option("--until", metavar="TIME", help="Before then.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many lines.")
@click.pass_obj
def search(
    session: Session, /, q: str | None, since: str | None, until: str | None, limit: int, **filters: Any
) -> None:
    """Search what runs printed and logged."""
    moments = {"since": optional_moment(since, "--since"), "until": optional_moment(until, "--until")}
    found = list(islice(_found(connect(session), limit, {"q": q, **moments, **filters}), limit))
    show(session, {"items": found}, lambda: click.echo("".join(map(_found_line, found)), nl=False))
    if not found and not session.as_json:
        note("no run said anything like this")


def show_live(session: Session, client: Client, run_id: str, tail: int | None = None, **filters: Any) -> None:
    """Print lines as they come, until the run has ended; as JSON, one object a line."""
    after = 0
    for line in _tail(client, run_id, tail, filters) if tail is not None else ():
        _print(session, line)
        after = line["seq"]
    if tail == 0:
        after = max((line["seq"] for line in _tail(client, run_id, 1, {})), default=0)
    for line in log_of(client, run_id, after=after, **filters):
        _print(session, line)


def _found(client: Client, limit: int, wanted: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Page after page; a page may be empty and still not be the last."""
    before = None
    while True:
        page = client.get("logs", before=before, limit=min(limit, _PAGE), **wanted)
        yield from page["items"]
        before = page["next"]
        if before is None:
            return


def _found_line(line: Mapping[str, Any]) -> str:
    return f"{line['run_id']} {line['job_id']} {_drawn(line)}\n"


def _whole(client: Client, run_id: str, filters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    after, more = 0, True
    while more:
        page = client.get("runs", run_id, "logs", after=after, limit=_PAGE, **filters)
        yield from page["items"]
        more = page["more"]
        after = page["items"][-1]["seq"] if page["items"] else after


def _tail(client: Client, run_id: str, tail: int, filters: Mapping[str, Any]) -> list[dict[str, Any]]:
    if tail == 0:
        return []
    page = client.get("runs", run_id, "logs", tail="true", limit=tail, **filters)
    return list(page["items"])


def _print(session: Session, line: Mapping[str, Any]) -> None:
    click.echo(json.dumps(line) if session.as_json else _drawn(line))


def _drawn(line: Mapping[str, Any]) -> str:
    """When, how serious or where, and what."""
    kind = line["level"] or line["stream"]
    moment = line["at"].replace("T", " ").removesuffix("Z")[:23].ljust(23)
    label = click.style(f"{moment} {kind:<8}", fg=_COLOURS.get(kind), dim=kind == "stdout")
    return f"{label} {printable(line['line'], keep=chr(9))}"
