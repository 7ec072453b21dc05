"""`cronzimus users`: the people who may sign in. Works on the database; no service need run."""

from dataclasses import asdict
from typing import Any, Final

import click

from cronzimus.cli.access import given_password, opened_access, who
from cronzimus.cli.command import ProjectGroup, Session
from cronzimus.cli.lists import page_options
from cronzimus.cli.output import Column, instant, show, show_page
from cronzimus.models.access import Role, User
from cronzimus.services.people import People

_EVERYBODY: Final = 1_000_000
_ROLE: Final = click.Choice([role.value for role in Role])

_LIST: Final = (
    Column("NAME", lambda user: user["name"]),
    Column("ROLE", lambda user: user["role"]),
    Column("STATE", lambda user: "disabled" if user["disabled_at"] else "active"),
    Column("COMES IN BY", lambda user: user["issuer"] or ("password" if user["has_password"] else "nothing")),
    Column("SIGNED IN", lambda user: instant(user["signed_in_at"]), extra=True),
    Column("MADE BY", lambda user: user["created_by"], extra=True),
)


@click.group("users", cls=ProjectGroup)
def users() -> None:
    """Say who may sign in, and what they may do."""


@users.command("add")
@click.argument("name")
@click.option("--role", type=_ROLE, required=True, help="What they may do.")
@click.option("--no-password", is_flag=True, help="They come in through the provider only.")
@click.pass_obj
def add_user(session: Session, /, name: str, role: str, no_password: bool) -> None:
    """Let a person sign in; the password is typed, piped in, or in CRONZIMUS_PASSWORD."""
    password = None if no_password else given_password()
    with opened_access(session) as access:
        _say(session, access.people.add(name, Role(role), password=password, by=who()), "may sign in")


@users.command("list")
@page_options
@click.pass_obj
def list_users(session: Session, /, limit: int | None, offset: int) -> None:
    """List people by name."""
    with opened_access(session) as access:
        page = access.people.list(limit=limit or _EVERYBODY, offset=offset)
    items = [asdict(user) for user in page.items]
    show_page(session, {"items": items, "total": page.total, "offset": offset}, _LIST, "users")


@users.command("role")
@click.argument("name")
@click.argument("role", type=_ROLE)
@click.pass_obj
def set_role(session: Session, /, name: str, role: str) -> None:
    """Give a person another role."""
    _change(session, lambda people: people.set_role(name, Role(role)), f"is {role} now")


@users.command("password")
@click.argument("name")
@click.pass_obj
def set_password(session: Session, /, name: str) -> None:
    """Give a person another password; their sessions end."""
    password = given_password()
    _change(session, lambda people: people.set_password(name, password), "has another password")


@users.command("disable")
@click.argument("name")
@click.pass_obj
def disable_user(session: Session, /, name: str) -> None:
    """Let a person in no more; their sessions end at once."""
    _change(session, lambda people: people.set_disabled(name, True), "may not sign in any more")


@users.command("enable")
@click.argument("name")
@click.pass_obj
def enable_user(session: Session, /, name: str) -> None:
    """Let a person in again."""
    _change(session, lambda people: people.set_disabled(name, False), "may sign in")


@users.command("remove")
@click.argument("name")
@click.pass_obj
def remove_user(session: Session, /, name: str) -> None:
    """Forget a person; what they did stays in the record."""
    with opened_access(session) as access:
        user = access.people.get(name)
        access.people.remove(name)
        _say(session, user, "is forgotten")


def _change(session: Session, change: Any, done: str) -> None:
    with opened_access(session) as access:
        people: People = access.people
        _say(session, change(people), done)


def _say(session: Session, user: User, done: str) -> None:
    show(session, asdict(user), lambda: click.echo(f"{user.name} ({user.role}) {done}"))
