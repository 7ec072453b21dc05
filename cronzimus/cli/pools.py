"""`cronzimus pool`: how many slots there are for the runs that take them."""

from collections.abc import Mapping
from typing import Any, Final

import click

from cronzimus.cli.asking import confirmed
from cronzimus.cli.client import Client, connect
from cronzimus.cli.command import RemoteGroup, Session
from cronzimus.cli.failures import FAILED, OK
from cronzimus.cli.lists import page_options
from cronzimus.cli.output import Column, show, show_page
from cronzimus.cli.several import for_each, saying

_LIST: Final = (
    Column("NAME", lambda pool: pool["name"]),
    Column("TAKEN", lambda pool: f"{pool['taken']} of {pool['slots']}"),
    Column("WAITING", lambda pool: pool["waiting"]),
    Column("DESCRIPTION", lambda pool: pool["description"], extra=True),
    Column("BY", lambda pool: pool["changed_by"], extra=True),
)


@click.group("pool", cls=RemoteGroup)
def pool() -> None:
    """List, set and delete pools of slots."""


@pool.command("list")
@page_options
@click.pass_obj
def list_pools(session: Session, /, **paging: Any) -> None:
    """List pools by name."""
    show_page(session, connect(session).page("pools", **paging), _LIST, "pools")


@pool.command("set")
@click.argument("name", metavar="NAME")
@click.argument("slots", metavar="SLOTS", type=click.IntRange(0, 1_000_000))
@click.option("--description", help="What it stands for; as it was if not said.")
@click.pass_obj
def set_pool(session: Session, /, name: str, slots: int, description: str | None) -> int:
    """Make a pool, or give one another size; 0 slots close it."""
    body: Mapping[str, Any] = {"slots": slots, "description": description}
    answer = connect(session).put("pools", name, body=body)
    show(session, answer, lambda: click.echo(_sentence(answer)))
    return OK


@pool.command("delete")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def delete_pools(session: Session, /, names: tuple[str, ...], yes: bool) -> int:
    """Remove pools that no job needs."""
    if not confirmed(f"Delete {', '.join(names)}?", already=yes):
        return FAILED
    client = connect(session)
    return for_each(
        session, names, lambda one: _deleted(client, one), name=str, say=saying("deleted", "name")
    )


def _deleted(client: Client, name: str) -> dict[str, str]:
    client.delete("pools", name)
    return {"name": name}


def _sentence(found: Mapping[str, Any]) -> str:
    if not found["slots"]:
        return f"pool {found['name']} is closed; {found['taken']} slots are still taken"
    return f"pool {found['name']} has {found['slots']} slots, {found['taken']} taken"
