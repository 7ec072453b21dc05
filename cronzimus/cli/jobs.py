"""`cronzimus jobs`: what is on the timetable, and what is done with it."""

from collections.abc import Mapping
from typing import Any, Final

import click

from cronzimus.cli.client import connect
from cronzimus.cli.command import RemoteGroup, Session
from cronzimus.cli.define import add_job, remove_jobs, update_job
from cronzimus.cli.definition import KINDS
from cronzimus.cli.failures import OK
from cronzimus.cli.lists import page_options
from cronzimus.cli.names import JOB
from cronzimus.cli.output import Column, cell, draw_fields, draw_table, instant, show, show_page
from cronzimus.cli.several import for_each, saying
from cronzimus.cli.values import Duration, KeyValue
from cronzimus.cli.waiting import await_run, sentence
from cronzimus.cli.words import triggers_in_words
from cronzimus.errors import Invalid

STATUSES: Final = ("active", "paused", "finished", "broken")
SOURCES: Final = ("code", "file", "api")

_LIST: Final = (
    Column("ID", lambda job: job["id"]),
    Column("STATUS", lambda job: job["status"]),
    Column("TRIGGER", lambda job: triggers_in_words(job["trigger"])),
    Column("NEXT", lambda job: instant(job["next_run_time"])),
    Column("KIND", lambda job: job["kind"], extra=True),
    Column("SOURCE", lambda job: job["source"], extra=True),
    Column("TAGS", lambda job: ", ".join(job["tags"]), extra=True),
)
_NEXT: Final = (
    Column("UTC", lambda firing: instant(firing["due_at"])),
    Column("LOCAL", lambda firing: firing["local"]),
    Column("DST", lambda firing: firing["dst"]),
)
_VERSIONS: Final = (
    Column("VERSION", lambda version: version["version"]),
    Column("CHANGE", lambda version: version["operation"]),
    Column("BY", lambda version: version["changed_by"]),
    Column("AT", lambda version: instant(version["changed_at"])),
    Column("TRIGGER", lambda version: triggers_in_words((version["definition"] or {}).get("trigger", []))),
)
_PLAIN_FIELDS: Final = (
    "kind",
    "timezone",
    "runs_on",
    "queue",
    "priority",
    "description",
    "source",
    "version",
)


@click.group("jobs", cls=RemoteGroup)
def jobs() -> None:
    """List, show, define, pause, resume and run jobs."""


@jobs.command("list")
@click.option("--status", type=click.Choice(STATUSES), help="How they stand.")
@click.option("--kind", type=click.Choice(KINDS), help="What they do.")
@click.option("--source", type=click.Choice(SOURCES), help="Where the definition comes from.")
@click.option("--tag", help="A tag they have.")
@click.option("--search", metavar="TEXT", help="Text that id or description holds.")
@page_options
@click.pass_obj
def list_jobs(session: Session, /, search: str | None, **filters: Any) -> None:
    """List jobs by id."""
    show_page(session, connect(session).page("jobs", q=search, **filters), _LIST, "jobs")


@jobs.command("show")
@click.argument("job_id", metavar="ID", type=JOB)
@click.option(
    "--next", "ahead", type=click.IntRange(0, 50), default=5, show_default=True, help="Due times to show."
)
@click.pass_obj
def show_job(session: Session, /, job_id: str, ahead: int) -> None:
    """Show one job and when it is due next."""
    job = connect(session).get("jobs", job_id, next=ahead)
    show(session, job, lambda: _draw(job))


jobs.add_command(add_job)
jobs.add_command(update_job)


@jobs.command("pause")
@click.argument("job_ids", metavar="ID...", type=JOB, nargs=-1, required=True)
@click.pass_obj
def pause_jobs(session: Session, /, job_ids: tuple[str, ...]) -> int:
    """Fire no more; each instant that passes is recorded as skipped."""
    client = connect(session)
    return for_each(
        session, job_ids, lambda job: client.post("jobs", job, "pause"), name=str, say=saying("paused")
    )


@jobs.command("resume")
@click.argument("job_ids", metavar="ID...", type=JOB, nargs=-1, required=True)
@click.pass_obj
def resume_jobs(session: Session, /, job_ids: tuple[str, ...]) -> int:
    """Fire again from now on."""
    client = connect(session)
    return for_each(
        session, job_ids, lambda job: client.post("jobs", job, "resume"), name=str, say=saying("resumed")
    )


@jobs.command("run")
@click.argument("job_id", metavar="ID", type=JOB)
@click.option(
    "--param", multiple=True, type=KeyValue(), help="A parameter of this run; JSON, else text. Repeatable."
)
@click.option("--force", is_flag=True, help="Run although the job is paused.")
@click.option("--wait", is_flag=True, help="Wait for its end: 0 success, 1 none, 124 timed out.")
@click.option("--timeout", type=Duration(), help="How long to wait.")
@click.pass_obj
def run_job(
    session: Session,
    /,
    job_id: str,
    param: tuple[tuple[str, Any], ...],
    force: bool,
    wait: bool,
    timeout: float | None,
) -> int:
    """Start a run now."""
    if timeout is not None and not wait:
        raise Invalid("--timeout: says how long to wait; give --wait with it")
    client = connect(session)
    body = {name: value for name, value in (("force", force), ("params", dict(param))) if value}
    started = client.post("jobs", job_id, "run", body=body)
    if wait:
        return await_run(session, client, started["run_id"], timeout)
    show(session, started, lambda: click.echo(sentence(started["run"])))
    return OK


jobs.add_command(remove_jobs)


@jobs.command("versions")
@click.argument("job_id", metavar="ID", type=JOB)
@page_options
@click.pass_obj
def list_versions(session: Session, /, job_id: str, **paging: Any) -> None:
    """List every definition a job ever had."""
    show_page(session, connect(session).page("jobs", job_id, "versions", **paging), _VERSIONS, "versions")


def _draw(job: Mapping[str, Any]) -> None:
    reason = f" ({job['status_reason']})" if job["status_reason"] else ""
    draw_fields(
        [
            ("id", job["id"]),
            ("status", f"{job['status']}{reason}"),
            ("trigger", triggers_in_words(job["trigger"])),
            ("next", instant(job["next_run_time"])),
            *((name, job[name]) for name in _PLAIN_FIELDS),
            ("tags", ", ".join(job["tags"])),
            ("params", job["params"]),
            ("policy", ", ".join(_settings(job["policy"]))),
            ("created", instant(job["created_at"])),
            ("updated", instant(job["updated_at"])),
        ]
    )
    if job["next"]:
        click.echo()
        draw_table(job["next"], _NEXT)


def _settings(policy: Mapping[str, Any]) -> list[str]:
    """What is set, by name; what is empty says nothing."""
    return [f"{name}={cell(policy[name])}" for name in sorted(policy) if policy[name] not in (None, [])]
