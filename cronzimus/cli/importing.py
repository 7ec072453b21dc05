"""`cronzimus import`: crontabs, Celery beat entries, CronJobs and APScheduler's store as jobs."""

from collections.abc import Callable
from functools import partial
from typing import Any

import click

from cronzimus.cli.as_code import write_text
from cronzimus.cli.asking import confirmed
from cronzimus.cli.client import connect
from cronzimus.cli.command import RemoteCommand, RemoteGroup, Session
from cronzimus.cli.documents import Written, read_parts, text_of
from cronzimus.cli.failures import FAILED, OK, note
from cronzimus.cli.output import as_json
from cronzimus.cli.plan import applied, draw_plan, planned
from cronzimus.common.yaml import dump
from cronzimus.errors import Invalid
from cronzimus.importers.apscheduler import import_apscheduler
from cronzimus.importers.apscheduler_store import read_store
from cronzimus.importers.celery import import_celery_python
from cronzimus.importers.celery_django import import_dump, is_dump
from cronzimus.importers.crontab import import_crontab
from cronzimus.importers.kubernetes import import_kubernetes
from cronzimus.importers.report import Fate, Imported, line_of

# A shelve file begins with the mark of one of the databases behind it.
_SHELVES = (b"GDBM", b"\xce\x9a\x57\x13", b"\x13\x57\x9a\xce", b"\x00\x06\x15\x61", b"SQLite format 3")


@click.group("import", cls=RemoteGroup)
def importing() -> None:
    """Turn what others scheduled into jobs; every line or entry is accounted for.

    Prints the jobs as a file for `cronzimus plan`, and on the error stream what became of each line or entry. Ends
    with 1 when any of them was refused. Nothing that is read is ever executed.
    """


def _outcome(command: Callable[..., Imported]) -> Callable[..., Any]:
    """Give an importer the options that say where its jobs go."""

    @click.option("--out", metavar="FILE", help="Write the jobs to a file.")
    @click.option("--plan", "only_plan", is_flag=True, help="Show what they would change in the service.")
    @click.option("--apply", "do_apply", is_flag=True, help="Plan, ask, and put them on the timetable.")
    @click.option("--yes", is_flag=True, help="With --apply: do not ask.")
    @click.pass_obj
    def _command(
        session: Session, /, out: str | None, only_plan: bool, do_apply: bool, yes: bool, **options: Any
    ) -> int:
        try:
            found = command(**options)
        except ValueError as error:
            raise error if isinstance(error, Invalid) else Invalid(str(error)) from error
        return _deliver(session, found, out, only_plan or do_apply, do_apply, yes)

    _command.__doc__ = command.__doc__
    return _command


@importing.command("crontab", cls=RemoteCommand)
@click.argument("file", metavar="FILE")
@click.option(
    "--user-column/--no-user-column",
    default=None,
    help="Whether the sixth word is a user, as in /etc/crontab; else it is found out.",
)
@click.option("--timezone", default="UTC", show_default=True, help="The zone of the machine it is from.")
@click.option("--include-disabled", is_flag=True, help="Import entries behind a # as paused jobs.")
@_outcome
def crontab(file: str, user_column: bool | None, timezone: str, include_disabled: bool) -> Imported:
    """Import a crontab; - is standard input, as in `crontab -l | cronzimus import crontab -`."""
    text, _ = text_of(file)
    return import_crontab(text, user_column=user_column, timezone=timezone, include_disabled=include_disabled)


@importing.command("celery", cls=RemoteCommand)
@click.argument("file", metavar="FILE")
@_outcome
def celery(file: str) -> Imported:
    """Import Celery beat entries from Python, which is read and not run, or from a dump of django-celery-beat."""
    _refuse_shelve(file)
    if not file.endswith((".json", ".yaml", ".yml")):
        return import_celery_python(*text_of(file))
    data = [part.data for part in read_parts(file)]
    if len(data) != 1 or not is_dump(data[0]):
        raise Invalid(f"{file}: no dump of django_celery_beat (manage.py dumpdata django_celery_beat)")
    return import_dump(data[0])


@importing.command("kubernetes", cls=RemoteCommand)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@_outcome
def kubernetes(files: tuple[str, ...]) -> Imported:
    """Import CronJobs from manifests, as in `kubectl get cronjobs -A -o json | cronzimus import kubernetes -`."""
    return import_kubernetes((part.where(()), part.data) for file in files for part in read_parts(file))


@importing.command("apscheduler", cls=RemoteCommand)
@click.argument("place", metavar="URL_OR_FILE")
@_outcome
def apscheduler(place: str) -> Imported:
    """Import the jobs of APScheduler's SQLAlchemy store on PostgreSQL or SQLite; its pickles are not executed."""
    return import_apscheduler(read_store(place))


def _deliver(
    session: Session, found: Imported, out: str | None, plans: bool, applies: bool, yes: bool
) -> int:
    jobs = {job["id"]: {k: v for k, v in job.items() if k != "id"} for job in found.documents}
    if out is not None:
        write_text(out, dump({"jobs": jobs}))
    if session.as_json and not plans:
        click.echo(as_json({"jobs": jobs, "notes": found.notes, "summary": found.summary}))
    elif not session.as_json:
        _tell(found)
        if out is None and not plans:
            click.echo(dump({"jobs": jobs}), nl=False)
    if plans and found.documents and not _bring(session, found, applies, yes):
        return FAILED
    return FAILED if found.refused else OK


def _tell(found: Imported) -> None:
    """On the error stream: everything but what goes without saying."""
    silent = (Fate.BLANK, Fate.COMMENT, Fate.VARIABLE)
    for one in found.notes:
        if one.fate not in silent or ":" in one.text:
            note(line_of(one))
    note(", ".join(f"{count} {fate}" for fate, count in found.summary.items() if count))


def _bring(session: Session, found: Imported, applies: bool, yes: bool) -> bool:
    """Plan the jobs, and apply the plan when that was asked for; False when somebody said no."""
    client = connect(session)
    jobs = [Written(dict(job), partial(_place_of, str(job["id"]))) for job in found.documents]
    told = planned(client, jobs)
    if session.as_json:
        click.echo(as_json(told))
    else:
        draw_plan(told)
    if not applies:
        return True
    if not confirmed("Apply this?", already=yes):
        return False
    applied(client, jobs, told["hash"], prune=False, revision=None)
    note(f"applied: {told['summary']['create']} created, {told['summary']['change']} changed")
    return True


def _place_of(job_id: str, field: str) -> str:
    return job_id


def _refuse_shelve(file: str) -> None:
    try:
        with open(file, "rb") as opened:
            head = opened.read(20)
    except OSError:
        return
    if any(mark in head for mark in _SHELVES):
        raise Invalid(
            f"{file}: a schedule file of celery beat holds pickles and only what last ran; import the beat_schedule"
        )
