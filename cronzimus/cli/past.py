"""`cronzimus jobs versions`, `diff`, `restore` and `preview`: what a job was, and what its runs are called with."""

from typing import Any, Final

import click

from cronzimus.cli.client import connect
from cronzimus.cli.command import RemoteCommand, Session
from cronzimus.cli.failures import note
from cronzimus.cli.lists import page_options
from cronzimus.cli.names import JOB
from cronzimus.cli.output import Column, draw_fields, draw_table, instant, show, show_page
from cronzimus.cli.values import optional_moment
from cronzimus.cli.words import triggers_in_words

_VERSIONS: Final = (
    Column("VERSION", lambda version: version["version"]),
    Column("CHANGE", lambda version: version["operation"]),
    Column("BY", lambda version: version["changed_by"]),
    Column("AT", lambda version: instant(version["changed_at"])),
    Column("TRIGGER", lambda version: triggers_in_words((version["definition"] or {}).get("trigger", []))),
)
_CHANGES: Final = (
    Column("FIELD", lambda change: change["path"]),
    Column("CHANGE", lambda change: change["change"]),
    Column("BEFORE", lambda change: change["before"]),
    Column("AFTER", lambda change: change["after"]),
)
_NUMBER: Final = click.IntRange(1, 2**31 - 1)


@click.command("versions", cls=RemoteCommand)
@click.argument("job_id", metavar="ID", type=JOB)
@page_options
@click.pass_obj
def list_versions(session: Session, /, job_id: str, **paging: Any) -> None:
    """List every definition a job ever had."""
    show_page(session, connect(session).page("jobs", job_id, "versions", **paging), _VERSIONS, "versions")


@click.command("diff", cls=RemoteCommand)
@click.argument("job_id", metavar="ID", type=JOB)
@click.argument("before", metavar="VERSION", type=_NUMBER)
@click.argument("after", metavar="OTHER", type=_NUMBER)
@click.pass_obj
def diff_versions(session: Session, /, job_id: str, before: int, after: int) -> None:
    """Show what differs between two versions of a job."""
    found = connect(session).get("jobs", job_id, "versions", before, "diff", after)
    show(session, found, lambda: draw_table(found["changes"], _CHANGES))
    if not found["changes"] and not session.as_json:
        note("the same")


@click.command("restore", cls=RemoteCommand)
@click.argument("job_id", metavar="ID", type=JOB)
@click.argument("version", metavar="VERSION", type=_NUMBER)
@click.option("--if-version", type=_NUMBER, metavar="N", help="Only if the job still is at this version.")
@click.pass_obj
def restore_version(session: Session, /, job_id: str, version: int, if_version: int | None) -> None:
    """Give a job the definition it had; a job that was removed comes back."""
    client = connect(session)
    job = client.post("jobs", job_id, "versions", version, "restore", if_version=if_version)
    said = f"restored {job['id']} to version {version}; it is version {job['version']} now"
    show(session, job, lambda: click.echo(said))


@click.command("preview", cls=RemoteCommand)
@click.argument("job_id", metavar="ID", type=JOB)
@click.option("--as-of", metavar="TIME", help="For this moment; the next due instant if not said.")
@click.pass_obj
def preview_job(session: Session, /, job_id: str, as_of: str | None) -> None:
    """Show what a run would be called with; secrets stay references."""
    found = connect(session).get("jobs", job_id, "preview", as_of=optional_moment(as_of, "--as-of"))
    instants = [(name, instant(found[name])) for name in found if name not in ("params", "parameters")]
    show(session, found, lambda: draw_fields([*instants, ("params", found["params"])]))
