"""`cronzimus export` and `cronzimus drift`: the timetable as a file, and where it is not what files say."""

from pathlib import Path
from typing import Any, Final

import click

from cronzimus.cli.client import connect
from cronzimus.cli.command import RemoteCommand, Session
from cronzimus.cli.failures import FAILED, OK, note
from cronzimus.cli.output import Column, as_json, cell, draw_table, instant, show
from cronzimus.cli.plan import planned, wanted_of
from cronzimus.common.yaml import dump
from cronzimus.errors import Invalid

SOURCES: Final = ("code", "file", "api")

_DRIFT: Final = (
    Column("JOB", lambda one: one["id"]),
    Column("DRIFT", lambda one: one["kind"]),
    Column("SOURCE", lambda one: one["source"]),
    Column("FIELDS", lambda one: ", ".join(_told(field) for field in one["fields"])),
    Column("BY", lambda one: one["changed_by"]),
    Column("AT", lambda one: instant(one["changed_at"])),
)


@click.command("export", cls=RemoteCommand)
@click.option("--source", type=click.Choice(SOURCES), help="Only jobs that came this way.")
@click.option("--tag", help="Only jobs with this tag.")
@click.option("--out", metavar="FILE", help="Write to a file instead of the output stream.")
@click.pass_obj
def export(session: Session, /, source: str | None, tag: str | None, out: str | None) -> None:
    """Print every job as jobs.yaml holds it; `cronzimus plan` of it changes nothing."""
    found = connect(session).get("export", source=source, tag=tag)
    text = as_json(found) + "\n" if session.as_json else dump(found)
    if out is None:
        click.echo(text, nl=False)
        return
    write_text(out, text)
    note(f"{len(found['jobs'])} jobs written to {cell(out)}")


@click.command("drift", cls=RemoteCommand)
@click.argument("file", metavar="[FILE]", required=False)
@click.option("--declared-only", is_flag=True, help="Leave out jobs that nobody declares.")
@click.pass_obj
def drift(session: Session, /, file: str | None, declared_only: bool) -> int:
    """Say where the timetable is not what is declared; exit code 1 when it is not.

    Declared is what code and configuration files of the answering replica say, or what FILE says.
    """
    client = connect(session)
    found = client.get("drift")["drifted"] if file is None else _against(planned(client, wanted_of(file)))
    kept = [one for one in found if not (declared_only and one["kind"] == "undeclared")]
    show(session, {"drifted": kept, "total": len(kept)}, lambda: draw_table(kept, _DRIFT))
    if not kept and not session.as_json:
        note("the timetable is what is declared")
    return FAILED if kept else OK


def write_text(path: str, text: str) -> None:
    """Write a file; Invalid says why it cannot be written."""
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Invalid(f"{path}: cannot be written: {error.strerror}") from None


def _against(told: dict[str, Any]) -> list[dict[str, Any]]:
    """A plan of a file read backwards: what would have to change is what has drifted."""
    kinds = {"create": "missing", "change": "changed"}
    nobody = {"changed_by": None, "changed_at": None}
    found = [
        {
            "id": job["id"],
            "kind": kinds[job["action"]],
            "source": job["source"] or "file",
            "fields": [
                {**field, "before": field["after"], "after": field["before"]}
                for field in job["fields"]
                if job["action"] == "change"
            ],
            **nobody,
        }
        for job in told["jobs"]
        if job["action"] in kinds
    ]
    undeclared: dict[str, Any] = {"kind": "undeclared", "source": "-", "fields": [], **nobody}
    return found + [{"id": job_id, **undeclared} for job_id in told["unlisted"]]


def _told(field: dict[str, Any]) -> str:
    return f"{field['field']}: {cell(field['before'])} -> {cell(field['after'])}"
