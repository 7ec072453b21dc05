"""`cronzimus next`: when a trigger is due, computed here and now."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final
from zoneinfo import ZoneInfo

import click
from pydantic import ValidationError

from cronzimus.cli.command import Command, Session
from cronzimus.cli.definition import trigger_options, triggers_from
from cronzimus.cli.documents import Written, read_documents
from cronzimus.cli.failures import OK
from cronzimus.cli.output import Column, cell, draw_table, instant, show
from cronzimus.cli.several import for_each
from cronzimus.cli.values import MOMENT, is_job_id, moment
from cronzimus.errors import Invalid
from cronzimus.models.faults import refusal
from cronzimus.models.job import JobDefinition
from cronzimus.models.schedule import describe, just_before
from cronzimus.models.trigger import refuse_if_never
from cronzimus.services.off import foresee

_COLUMNS: Final = (
    Column("LOCAL", lambda due: f"{datetime.fromisoformat(due['local']):%a %Y-%m-%d %H:%M:%S%z}"),
    Column("UTC", lambda due: instant(due["due_at"])),
    Column("DST", lambda due: due["dst"]),
)
_NOTE: Final = Column("NOTE", lambda due: "; ".join(due["notes"]))


@click.command("next", cls=Command)
@trigger_options
@click.option("--file", metavar="FILE", help="Job document(s) in YAML or JSON instead; - is standard input.")
@click.option(
    "-n", "count", type=click.IntRange(1, 10_000), default=10, show_default=True, help="Due times to show."
)
@click.option(
    "--from", "start", metavar="TIME", default="now", show_default=True, help=f"Where to begin: {MOMENT}."
)
@click.option(
    "--id", "job_id", metavar="JOB", default="unnamed", help="The job that would have it, as H depends on it."
)
@click.pass_obj
def preview(
    session: Session, /, file: str | None, count: int, start: str, job_id: str, **options: Any
) -> int:
    """Preview when a trigger is due, without a service.

    Shows local time, UTC, and a mark where a clock change moved or repeated the time.
    """
    first = moment(start, options["timezone"] or "UTC", "--from")
    if file is None:
        answer = _foreseen(_definition(job_id, options), first, count)
        show(session, answer, lambda: _draw(answer, count))
        return OK
    if any(options.values()):
        raise Invalid("--file: holds the triggers; leave the other options out")
    found = read_documents(file)
    return for_each(
        session,
        found,
        lambda job: _of_file(job, first, count),
        name=lambda job: job.name,
        say=lambda answer: _draw(answer, count, title=answer["id"]),
    )


def _definition(job_id: str, options: Mapping[str, Any]) -> JobDefinition:
    trigger = triggers_from(options)
    if trigger is None:
        raise Invalid("give a trigger: --cron, --every, --at or --file")
    if not is_job_id(job_id):
        raise Invalid(f"--id: {job_id!r} cannot be the id of a job")
    params = {"func": "preview:nothing"}
    return _validated(
        {"id": job_id, "params": params, "trigger": trigger, "timezone": options["timezone"] or "UTC"}
    )


def _of_file(job: Written, first: datetime, count: int) -> dict[str, Any]:
    try:
        return _foreseen(_validated(job.document), first, count)
    except Invalid as error:
        raise job.blame(error) from error


def _validated(document: Mapping[str, Any]) -> JobDefinition:
    try:
        return JobDefinition.model_validate(document)
    except ValidationError as error:
        raise refusal(error, known=JobDefinition.model_fields) from None


def _foreseen(job: JobDefinition, first: datetime, count: int) -> dict[str, Any]:
    """What is due from `first` on; raises Invalid when nothing ever is."""
    before = just_before(first)
    refuse_if_never(job.triggers, before, job_id=job.id, timezone=job.timezone)
    zone = _zone_of(job)
    words = [{"type": trigger.type, "words": describe(trigger, job_id=job.id)} for trigger in job.triggers]
    due = [_seen(job, at, zone) for at in islice(_due(job, before), count)]
    return {"id": job.id, "timezone": zone.key, "triggers": words, "next": due}


def _due(job: JobDefinition, after: datetime) -> Iterator[datetime]:
    while (at := job.schedule.next_after(after)) is not None:
        yield at
        after = at


def _seen(job: JobDefinition, at: datetime, zone: ZoneInfo) -> dict[str, Any]:
    delay = job.schedule.delay_of(at).total_seconds()
    seen = foresee(job, job.blackouts, at)
    marks = {"dst": job.schedule.mark_of(at), "fires": seen.fires, "notes": list(seen.notes)}
    return {"due_at": at, "local": _local(at, zone), **marks, "delay_seconds": delay}


def _local(at: datetime, zone: ZoneInfo) -> str:
    try:
        return at.astimezone(zone).isoformat()
    except OverflowError:  # the last hours before the year 10000
        return at.isoformat()


def _zone_of(job: JobDefinition) -> ZoneInfo:
    """The triggers' own zone when they share one, else the job's."""
    own: Sequence[str | None] = [getattr(trigger, "timezone", None) for trigger in job.triggers]
    return ZoneInfo(own[0] if len(set(own)) == 1 and own[0] else job.timezone)


def _draw(answer: Mapping[str, Any], count: int, *, title: str | None = None) -> None:
    words = "; ".join(trigger["words"] for trigger in answer["triggers"])
    click.echo(f"{title}: {cell(words)}" if title else cell(words))
    click.echo()
    off = any(not due["fires"] for due in answer["next"])
    draw_table(answer["next"], (*_COLUMNS, _NOTE) if off else _COLUMNS)
    if answer["next"] and len(answer["next"]) < count:
        click.echo("then never again")
    if title:
        click.echo()
