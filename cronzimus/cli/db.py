"""`cronzimus db`: the schema of the database, revision by revision."""

import contextlib
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Final

import click

from cronzimus.cli.asking import confirmed
from cronzimus.cli.command import ProjectCommand, ProjectGroup, Session
from cronzimus.cli.failures import FAILED, OK
from cronzimus.cli.ground import database_url, settings_of
from cronzimus.cli.output import Column, draw_table, show
from cronzimus.common.migrate import Migrations
from cronzimus.common.pooler import refuse_shared_sessions
from cronzimus.errors import ConfigError

_STEPS: Final = re.compile(r"-\d+")
_HISTORY: Final = (
    Column("REVISION", lambda revision: revision.id),
    Column("STATE", lambda revision: "applied" if revision.applied else "pending"),
    Column("DESCRIPTION", lambda revision: revision.description),
)


@click.group("db", cls=ProjectGroup)
def db() -> None:
    """Bring the database's schema up or down."""


@db.command("upgrade")
@click.argument("revision", metavar="[REV]", default="head")
@click.pass_obj
def upgrade(session: Session, /, revision: str) -> int:
    """Bring the schema up to a revision, the newest if none is named."""
    with _migrations(session, may_create=True) as migrations:
        before = migrations.current()
        migrations.upgrade(revision)
        return _moved(session, before, migrations)


class StepsBack(ProjectCommand):
    """A command that takes `-1` for what it is here: a place, not an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put steps behind the dashes that end the options."""
        steps = [] if "--" in args else [word for word in args if _STEPS.fullmatch(word)]
        return super().parse_args(
            ctx, [*(word for word in args if word not in steps), *["--"][: len(steps)], *steps]
        )


@db.command("downgrade", cls=StepsBack)
@click.argument("revision", metavar="[REV]", default="-1")
@click.option("--yes", is_flag=True, help="Do not ask before everything is removed.")
@click.pass_obj
def downgrade(session: Session, /, revision: str, yes: bool) -> int:
    """Take the schema back to a revision, by one step if none is named; 'base' removes everything."""
    question = "Remove every job and its whole history from the database?"
    if revision == "base" and not confirmed(question, already=yes):
        return FAILED
    with _migrations(session) as migrations:
        before = migrations.current()
        migrations.downgrade(revision)
        return _moved(session, before, migrations)


@db.command("current")
@click.pass_obj
def current(session: Session) -> None:
    """Show which revision the schema is at."""
    with _migrations(session) as migrations:
        found, head = migrations.current(), migrations.head
    state = "the newest" if found == head else f"the newest is {head}"
    facts = {"current": found, "head": head, "is_current": found == head}
    show(session, facts, lambda: click.echo(f"{found or 'no schema yet'} ({state})"))


@db.command("history")
@click.pass_obj
def history(session: Session) -> None:
    """List every revision, oldest first."""
    with _migrations(session) as migrations:
        revisions = migrations.history()
    items = [asdict(revision) for revision in revisions]
    show(session, {"items": items, "total": len(items)}, lambda: draw_table(revisions, _HISTORY))


@db.command("revision")
@click.option("-m", "--message", metavar="TEXT", required=True, help="What it changes, in a few words.")
@click.pass_obj
def revision(session: Session, /, message: str) -> None:
    """Write an empty revision for a developer to fill."""
    path = Migrations("").new_revision(message)
    show(session, {"path": path}, lambda: click.echo(path))


@contextlib.contextmanager
def _migrations(session: Session, *, may_create: bool = False) -> Iterator[Migrations]:
    """The verbs on the configured database. What they refuse is no fault of the configuration."""
    settings = settings_of(session)
    with database_url(settings, may_create=may_create) as url:
        refuse_shared_sessions(url)
        # The library tells on the output stream what it does; that stream holds the answer alone.
        with contextlib.redirect_stdout(sys.stderr):
            migrations = Migrations(url)
        try:
            yield migrations
        except ConfigError as error:
            code = "REVISION_REFUSED" if error.code == ConfigError.code else error.code
            raise ConfigError(error.message, code=code) from error


def _moved(session: Session, before: str | None, migrations: Migrations) -> int:
    after = migrations.current()
    told = f"the schema was at {before or 'none'} and is at {after or 'none'}"
    facts = {
        "before": before,
        "current": after,
        "head": migrations.head,
        "is_current": after == migrations.head,
    }
    show(
        session,
        facts,
        lambda: click.echo(told if before != after else f"the schema is at {after or 'none'} already"),
    )
    return OK
