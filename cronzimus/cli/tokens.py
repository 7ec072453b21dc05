"""`cronzimus tokens`: what programs come in with. Works on the database; no service need run."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import click

from cronzimus.cli.access import opened_access, who
from cronzimus.cli.command import ProjectGroup, Session
from cronzimus.cli.failures import note
from cronzimus.cli.lists import page_options
from cronzimus.cli.output import Column, instant, show, show_page
from cronzimus.cli.values import Duration
from cronzimus.models.access import RANK, ApiToken
from cronzimus.services.tokens import Tokens

_ALL: Final = 1_000_000

_LIST: Final = (
    Column("ID", lambda token: token["id"]),
    Column("NAME", lambda token: token["name"]),
    Column("SCOPES", lambda token: " ".join(token["scopes"])),
    Column("BEGINS", lambda token: token["prefix"]),
    Column("USED", lambda token: instant(token["last_used_at"])),
    Column("EXPIRES", lambda token: instant(token["expires_at"]), extra=True),
    Column("REVOKED", lambda token: instant(token["revoked_at"]), extra=True),
    Column("MADE BY", lambda token: token["created_by"], extra=True),
)


@click.group("tokens", cls=ProjectGroup)
def tokens() -> None:
    """Make, list and revoke what programs come in with."""


@tokens.command("make")
@click.argument("name")
@click.option(
    "--scope", "scopes", type=click.Choice(list(RANK)), multiple=True, required=True, help="Repeatable."
)
@click.option("--expires", type=Duration(), help="Opens nothing after this long, such as 90d.")
@click.pass_obj
def make_token(session: Session, /, name: str, scopes: tuple[Any, ...], expires: float | None) -> None:
    """Make a token; the secret is shown this once."""
    ends = None if expires is None else datetime.now(UTC) + timedelta(seconds=expires)
    with opened_access(session) as access:
        made = access.tokens.make(name, scopes, expires_at=ends, by=who())
    show(session, {**asdict(made.token), "token": made.secret}, lambda: click.echo(made.secret))
    if not session.as_json:
        note(f"{name} may {', '.join(made.token.scopes)}; nobody can show this again")


@tokens.command("list")
@click.option("--revoked", is_flag=True, help="Also those that expired or were revoked.")
@page_options
@click.pass_obj
def list_tokens(session: Session, /, revoked: bool, limit: int | None, offset: int) -> None:
    """List tokens, the youngest first."""
    with opened_access(session) as access:
        page = access.tokens.list(everything=revoked, limit=limit or _ALL, offset=offset)
    items = [asdict(token) for token in page.items]
    show_page(session, {"items": items, "total": page.total, "offset": offset}, _LIST, "tokens")


@tokens.command("revoke")
@click.argument("token", metavar="NAME|ID")
@click.pass_obj
def revoke_token(session: Session, /, token: str) -> None:
    """Revoke a token: from now on it opens nothing, in any process."""
    with opened_access(session) as access:
        revoked = access.tokens.revoke(_found(access.tokens, token).id, by=who())
    show(session, asdict(revoked), lambda: click.echo(f"{revoked.name} opens nothing any more"))


def _found(tokens: Tokens, given: str) -> ApiToken:
    try:
        return tokens.get(UUID(given))
    except ValueError:
        return tokens.named(given)
