"""`cronzimus verify`: the completeness proof, on the database itself."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import click

from cronzimus.cli.command import ProjectCommand, Session
from cronzimus.cli.failures import FAILED, OK
from cronzimus.cli.ground import database_url, settings_of
from cronzimus.cli.output import Column, draw_table, instant, show
from cronzimus.cli.values import MOMENT, moment
from cronzimus.common.db import Database
from cronzimus.common.migrate import Migrations
from cronzimus.errors import ConfigError, NotFound
from cronzimus.services.definitions import Definitions
from cronzimus.services.history import History
from cronzimus.services.verify import Verification, Verifier

_PATIENCE_SECONDS: Final = 300.0
_FINDINGS: Final = (
    Column("FINDING", lambda found: found["finding"]),
    Column("JOB", lambda found: found["job_id"]),
    Column("DUE", lambda found: instant(found["due_at"])),
    Column("VERSION", lambda found: found["version"]),
    Column("PROBLEM", lambda found: found["problem"]),
)


@click.command("verify", cls=ProjectCommand)
@click.option("--from", "start", metavar="TIME", required=True, help=f"First instant to look at: {MOMENT}.")
@click.option(
    "--to", "end", metavar="TIME", default="now", show_default=True, help="Last instant to look at."
)
@click.option("--timezone", metavar="ZONE", default="UTC", show_default=True, help="Where both are read.")
@click.option("--job", "job_id", metavar="ID", help="Only this job; else every job there ever was.")
@click.pass_obj
def verify(session: Session, /, start: str, end: str, timezone: str, job_id: str | None) -> int:
    """Prove that every due instant is accounted for.

    Recomputes every due instant from the stored definitions and compares it with the ledger. Reads the
    database directly; no service needs to run. Ends with 1 when anything is missing or too much.
    """
    first, last = moment(start, timezone, "--from"), moment(end, timezone, "--to")
    with database_url(settings_of(session)) as url, _database(url) as database, _progress():
        if job_id is not None and not History(database).versions(job_id):
            raise NotFound(f"there never was a job {job_id!r}", code="JOB_NOT_FOUND")
        found = Verifier(database, Definitions(database)).verify(first, last, job_id=job_id)
    show(session, _document(found), lambda: _draw(found))
    return OK if found.ok else FAILED


@contextmanager
def _database(url: str) -> Iterator[Database]:
    _check_schema(Migrations(url))
    database = Database(url, 1, statement_timeout=_PATIENCE_SECONDS, application_name="cronzimus:verify")
    try:
        yield database
    finally:
        database.close()


def _check_schema(migrations: Migrations) -> None:
    current = migrations.current()
    if current != migrations.head:
        raise ConfigError(
            f"the schema is at revision {current or 'none'}, this version reads {migrations.head}; "
            "`cronzimus db upgrade` brings an older one up",
            code="SCHEMA_OUTDATED",
        )


def _document(found: Verification) -> dict[str, Any]:
    return {
        "start": found.start,
        "end": found.end,
        "ok": found.ok,
        "expected": found.expected,
        "recorded": found.recorded,
        "gaps": found.gaps,
        "surplus": found.surplus,
    }


def _draw(found: Verification) -> None:
    rows = [{"finding": "gap", **_row(gap)} for gap in found.gaps]
    rows += [{"finding": "surplus", **_row(surplus)} for surplus in found.surplus]
    draw_table(rows, _FINDINGS)
    verdict = "all accounted for" if found.ok else f"{len(found.gaps)} gaps, {len(found.surplus)} surplus"
    window = f"{instant(found.start)} to {instant(found.end)}"
    click.echo(f"{window}: {found.expected} due, {found.recorded} recorded, {verdict}")


def _row(finding: Any) -> dict[str, Any]:
    return {name: getattr(finding, name) for name in ("job_id", "due_at", "version", "problem")}


@contextmanager
def _progress() -> Iterator[None]:
    """Show somebody who watches that it goes on; nobody knows beforehand how long it takes."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        progress.add_task("recomputing every due instant", total=None)
        yield
