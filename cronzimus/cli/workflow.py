"""`cronzimus workflow`: one pass through jobs that depend on each other, and trying again what went wrong in it."""

import re
from collections.abc import Mapping
from typing import Any, Final

import click

from cronzimus.cli.client import connect
from cronzimus.cli.command import RemoteGroup, Session
from cronzimus.cli.output import Column, draw_fields, draw_table, instant, show
from cronzimus.cli.waiting import sentence
from cronzimus.errors import Invalid

_NAME: Final = re.compile(r"[0-9A-Fa-f-]{32,36}")
_NODES: Final = (
    Column("JOB", lambda node: node["job_id"]),
    Column("STATE", lambda node: node["state"]),
    Column("AFTER", lambda node: ", ".join(node["after"])),
    Column("RUN", lambda node: node["run_id"]),
    Column("STARTED", lambda node: instant(node["started_at"]), extra=True),
    Column("NOTE", lambda node: node["note"]),
)


@click.group("workflow", cls=RemoteGroup)
def workflow() -> None:
    """Show one cycle of jobs that depend on each other, or try again what went wrong in it."""


@workflow.command("show")
@click.argument("name", metavar="TRACE_OR_RUN")
@click.pass_obj
def show_workflow(session: Session, /, name: str) -> None:
    """Show the jobs of a cycle and how each of them stands."""
    found = connect(session).get("workflows", _known(name))
    show(session, found, lambda: _draw(found))


@workflow.command("rerun")
@click.argument("name", metavar="TRACE_OR_RUN")
@click.pass_obj
def rerun_workflow(session: Session, /, name: str) -> None:
    """Try again every step that went wrong and was not repeated; what was skipped follows by itself."""
    started = connect(session).post_once("workflows", _known(name), "rerun")
    show(session, started, lambda: click.echo("\n".join(sentence(run) for run in started["items"])))


def _known(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise Invalid(f"{name!r} is neither a trace nor the id of a run")
    return name


def _draw(found: Mapping[str, Any]) -> None:
    draw_fields([("trace", found["trace_id"]), ("due", instant(found["due_at"]))])
    click.echo()
    draw_table(({**node, "after": _before(found, node["job_id"])} for node in found["nodes"]), _NODES)


def _before(found: Mapping[str, Any], job_id: str) -> list[str]:
    edges = [edge for edge in found["edges"] if edge["follower"] == job_id]
    return [edge["job"] + ("" if edge["when"] == "success" else f" ({edge['when']})") for edge in edges]
