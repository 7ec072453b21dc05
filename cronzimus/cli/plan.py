"""`cronzimus plan` and `cronzimus apply`: what a file would change, and the change itself."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from cronzimus.cli.asking import confirmed
from cronzimus.cli.client import Client, connect
from cronzimus.cli.command import RemoteCommand, Session
from cronzimus.cli.documents import Written, read_documents
from cronzimus.cli.failures import FAILED, OK, note
from cronzimus.cli.output import Column, cell, draw_table, instant, show
from cronzimus.cli.timeline import draw_timelines
from cronzimus.errors import Fault, Invalid

# What the usual build services call the commit they work on.
_REVISION_VARIABLES: Final = ("CRONZIMUS_REVISION", "GIT_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA")

_FIRINGS: Final = (
    Column("MOVE", lambda firing: firing["move"]),
    Column("BEFORE", lambda firing: _when(firing["before"])),
    Column("AFTER", lambda firing: _when(firing["after"])),
    Column("UTC", lambda firing: instant((firing["after"] or firing["before"])["due_at"])),
)


@click.command("plan", cls=RemoteCommand)
@click.argument("file", metavar="FILE")
@click.option(
    "--next", "ahead", type=click.IntRange(1, 200), default=20, show_default=True, help="Firings to compare."
)
@click.option(
    "--hours",
    type=click.IntRange(1, 744),
    default=24,
    show_default=True,
    help="How far to foresee the load.",
)
@click.option("--prune", is_flag=True, help="Remove the jobs of the API that FILE does not name.")
@click.pass_obj
def plan(session: Session, /, file: str, ahead: int, hours: int, prune: bool) -> int:
    """Show what the jobs of FILE would change, without changing it.

    For each job: which of its next firings appear, vanish or move. For all: how many runs at once, before and
    after. FILE is as jobs.yaml; - is standard input. The hash at the end is for `cronzimus apply`.
    """
    jobs = wanted_of(file)
    told = planned(connect(session), jobs, prune=prune, next=ahead, window_hours=hours)
    show(session, told, lambda: draw_plan(told))
    return OK


@click.command("apply", cls=RemoteCommand)
@click.argument("file", metavar="FILE")
@click.option("--plan", "token", metavar="HASH", help="The plan that was seen; refused when it is stale.")
@click.option("--prune", is_flag=True, help="Remove the jobs of the API that FILE does not name.")
@click.option(
    "--revision", metavar="TEXT", help="Recorded with the change; else the commit a build service names."
)
@click.option("--yes", is_flag=True, help="Without --plan: plan, show, and do not ask.")
@click.pass_obj
def apply(
    session: Session, /, file: str, token: str | None, prune: bool, revision: str | None, yes: bool
) -> int:
    """Make the planned change, whole or not at all."""
    jobs, client = wanted_of(file), connect(session)
    if token is None:
        told = planned(client, jobs, prune=prune)
        if not session.as_json:
            draw_plan(told)
        if not any(told["summary"][action] for action in ("create", "change", "remove")):
            show(session, {"plan": told["hash"], "done": told["summary"]}, lambda: None)
            return OK
        if not confirmed("Apply this?", already=yes):
            return FAILED
        token = told["hash"]
    done = applied(client, jobs, token, prune=prune, revision=revision or _revision())
    show(session, done, lambda: click.echo(f"applied: {_counts(done['done'])}"))
    return OK


def wanted_of(file: str) -> list[Written]:
    """The jobs of a file, each with an id."""
    jobs = read_documents(file)
    for job in jobs:
        if not isinstance(job.document.get("id"), str):
            raise Invalid(f"{job.where('id')}: the job needs an id that is text")
    return jobs


def planned(client: Client, jobs: Sequence[Written], **options: Any) -> Any:
    """What the service says these jobs would change; faults are told with their place in the file."""
    try:
        return client.post("plan", body={"documents": [job.document for job in jobs], **options})
    except Invalid as error:
        raise _blamed(jobs, error) from error


def applied(client: Client, jobs: Sequence[Written], token: str, *, prune: bool, revision: str | None) -> Any:
    """Have a plan carried out."""
    body = {"documents": [job.document for job in jobs], "plan": token, "prune": prune}
    try:
        return client.post("apply", body={**body, **({"revision": revision} if revision else {})})
    except Invalid as error:
        raise _blamed(jobs, error) from error


def draw_plan(told: Mapping[str, Any]) -> None:
    """Print a plan for people."""
    changes = [job for job in told["jobs"] if job["action"] != "unchanged"]
    for job in changes:
        _draw_job(job)
    draw_timelines(changes)
    _draw_load(told["concurrency"])
    click.echo(f"plan {told['hash']}: {_counts(told['summary'])}")
    if told["unlisted"]:
        note(f"{len(told['unlisted'])} jobs of the timetable are not named here and stay")


def _draw_job(job: Mapping[str, Any]) -> None:
    color = {"create": "green", "change": "yellow", "remove": "red"}[job["action"]]
    click.echo(f"{click.style(job['action'], fg=color)} {click.style(cell(job['id']), bold=True)}")
    for field in job["fields"]:
        click.echo(f"  {cell(field['field'])}: {cell(field['before'])} -> {cell(field['after'])}")
    for line in job["notes"]:
        click.echo(f"  note: {cell(line)}")
    if job["open_runs"]:
        click.echo(f"  runs not finished: {job['open_runs']}")
    draw_table(job["firings"], _FIRINGS)
    click.echo()


def _draw_load(load: Mapping[str, Any]) -> None:
    click.echo(f"\nload until {instant(load['until'])}")
    for name in ("before", "after"):
        side = load[name]
        at_once = f"at most {side['peak']} at once ({instant(side['peak_at'])})"
        starts = f"at most {side['starts']} starts in a minute ({instant(side['starts_at'])})"
        click.echo(f"  {name.ljust(6)}  {at_once}, {starts}")
    if load["assumed"]:
        count = len(load["assumed"])
        click.echo(f"  {count} jobs that never ran are taken to last {load['assumed_seconds']:g} s")


def _when(side: Mapping[str, Any] | None) -> str:
    if side is None:
        return "-"
    local = side["local"]
    return f"{local[:10]} {local[11:19]}{local[19:]}{' ' + side['dst'] if side['dst'] else ''}"


def _counts(summary: Mapping[str, int]) -> str:
    return ", ".join(f"{summary[action]} {action}" for action in ("create", "change", "remove", "unchanged"))


def _blamed(jobs: Sequence[Written], error: Invalid) -> Invalid:
    """The same error, each fault with the line it is about."""
    told = []
    for fault in error.faults:
        head, _, rest = fault.field.partition(".")
        number, _, field = rest.partition(".")
        if head == "documents" and number.isdecimal() and int(number) < len(jobs):
            told.append(f"{jobs[int(number)].where(field)}: {field}{': ' * bool(field)}{fault.message}")
    if not told:
        return error
    if len(told) == 1:
        return Invalid(told[0], code=error.code)
    return Invalid(f"{len(told)} faults", code=error.code, faults=[Fault("", line) for line in told])


def _revision() -> str | None:
    return next((os.environ[name] for name in _REVISION_VARIABLES if os.environ.get(name)), None)
