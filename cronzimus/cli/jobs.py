"""`cronzimus jobs`: what is on the timetable, and what is done with it."""

from collections.abc import Mapping
from typing import Any, Final

import click

from cronzimus.cli.client import connect
from cronzimus.cli.command import RemoteGroup, Session
from cronzimus.cli.define import add_job, remove_jobs, update_job
from cronzimus.cli.definition import KINDS
from cronzimus.cli.doing import pause_jobs, resume_jobs, run_job
from cronzimus.cli.lists import page_options
from cronzimus.cli.names import JOB
from cronzimus.cli.output import Column, cell, draw_fields, draw_table, instant, show, show_page
from cronzimus.cli.past import diff_versions, list_versions, preview_job, restore_version
from cronzimus.cli.words import triggers_in_words

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
    Column("FIRES", lambda firing: "yes" if firing["fires"] else "no"),
    Column("NOTE", lambda firing: "; ".join(firing["notes"])),
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


jobs.add_command(pause_jobs)
jobs.add_command(resume_jobs)
jobs.add_command(run_job)
jobs.add_command(remove_jobs)


jobs.add_command(list_versions)
jobs.add_command(diff_versions)
jobs.add_command(restore_version)
jobs.add_command(preview_job)


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
