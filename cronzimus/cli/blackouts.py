"""`cronzimus blackouts`: windows in which nothing of a tag, of some jobs or at all fires."""

from collections.abc import Mapping
from typing import Any, Final

import click

from cronzimus.cli.asking import confirmed
from cronzimus.cli.client import Client, connect
from cronzimus.cli.command import RemoteGroup, Session
from cronzimus.cli.failures import FAILED, OK
from cronzimus.cli.lists import page_options
from cronzimus.cli.names import JOB
from cronzimus.cli.output import Column, draw_fields, show, show_page
from cronzimus.cli.several import for_each, saying

_LIST: Final = (
    Column("ID", lambda one: one["id"]),
    Column("WHEN", lambda one: _window(one)),
    Column("POLICY", lambda one: one["policy"]),
    Column("WHOM", lambda one: _whom(one)),
    Column("REASON", lambda one: one["reason"], extra=True),
)


@click.group("blackouts", cls=RemoteGroup)
def blackouts() -> None:
    """List, show, define and remove blackouts of the house."""


@blackouts.command("list")
@page_options
@click.pass_obj
def list_blackouts(session: Session, /, **paging: Any) -> None:
    """List blackouts by id."""
    show_page(session, connect(session).page("blackouts", **paging), _LIST, "blackouts")


@blackouts.command("show")
@click.argument("blackout_id", metavar="ID")
@click.pass_obj
def show_blackout(session: Session, /, blackout_id: str) -> None:
    """Show one blackout."""
    found = connect(session).get("blackouts", blackout_id)
    show(session, found, lambda: _draw(found))


@blackouts.command("add")
@click.argument("blackout_id", metavar="ID")
@click.option("--from", "begins", metavar="TIME", help="When it begins, in ISO 8601; with --to.")
@click.option("--to", "ends", metavar="TIME", help="When it ends.")
@click.option("--start", metavar="HH:MM", help="When it begins again and again; with --end.")
@click.option("--end", metavar="HH:MM", help="When it ends, on the next day if that is not after --start.")
@click.option(
    "--weekday", "days", multiple=True, help="A day on which it begins; every day if none. Repeatable."
)
@click.option("--timezone", metavar="ZONE", help="Zone of these times; UTC if not said.")
@click.option("--tag", "tags", multiple=True, help="Jobs with this tag. Repeatable.")
@click.option("--job", "jobs", multiple=True, type=JOB, help="This job. Repeatable; no tag and no job: all.")
@click.option("--hold", is_flag=True, help="Hold the last instant until the end instead of skipping all.")
@click.option("--reason", help="Why.")
@click.option("--replace", is_flag=True, help="Replace the one that is there.")
@click.pass_obj
def add_blackout(session: Session, /, blackout_id: str, hold: bool, replace: bool, **options: Any) -> int:
    """Define a blackout; it holds from the next decision on."""
    given = {_FIELDS.get(name, name): list(v) if isinstance(v, tuple) else v for name, v in options.items()}
    document = {name: value for name, value in given.items() if value}
    document |= {"id": blackout_id, "policy": "hold" if hold else "skip"}
    client = connect(session)
    if replace:
        answer = client.put("blackouts", blackout_id, body=document)
    else:
        answer = client.post("blackouts", body=document)
    verb = "replaced" if replace else "added"
    show(session, answer, lambda: click.echo(f"{verb} {answer['id']}: {_window(answer)}, {_whom(answer)}"))
    return OK


@blackouts.command("remove")
@click.argument("blackout_ids", metavar="ID...", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def remove_blackouts(session: Session, /, blackout_ids: tuple[str, ...], yes: bool) -> int:
    """End blackouts; what they held already starts when they were to end."""
    if not confirmed(f"Remove {', '.join(blackout_ids)}?", already=yes):
        return FAILED
    client = connect(session)
    return for_each(session, blackout_ids, lambda one: _removed(client, one), name=str, say=saying("removed"))


_FIELDS: Final = {"begins": "from", "ends": "to"}


def _removed(client: Client, blackout_id: str) -> dict[str, str]:
    client.delete("blackouts", blackout_id)
    return {"id": blackout_id}


def _window(one: Mapping[str, Any]) -> str:
    if one["from"]:
        return f"{one['from']} to {one['to']}"
    return (
        f"{', '.join(one['days']) or 'every day'} {one['start'][:5]} to {one['end'][:5]} ({one['timezone']})"
    )


def _whom(one: Mapping[str, Any]) -> str:
    whom = [f"tag {tag}" for tag in one["tags"]] + [f"job {job}" for job in one["jobs"]]
    return ", ".join(whom) or "every job"


def _draw(one: Mapping[str, Any]) -> None:
    draw_fields(
        [
            ("id", one["id"]),
            ("window", _window(one)),
            ("policy", one["policy"]),
            ("holds for", _whom(one)),
            ("reason", one["reason"]),
            ("by", one["created_by"]),
        ]
    )
