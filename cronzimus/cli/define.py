"""`cronzimus jobs add`, `update` and `remove`: changes to definitions."""

from collections.abc import Mapping
from typing import Any

import click

from cronzimus.cli.asking import confirmed
from cronzimus.cli.client import Client, connect
from cronzimus.cli.command import RemoteCommand, Session
from cronzimus.cli.definition import definition_options, document_from, trigger_options
from cronzimus.cli.documents import Written, read_documents
from cronzimus.cli.failures import FAILED, OK
from cronzimus.cli.names import JOB
from cronzimus.cli.output import instant, show
from cronzimus.cli.several import for_each, saying
from cronzimus.errors import Invalid


@click.command("add", cls=RemoteCommand)
@click.argument("job_id", metavar="[ID]", type=JOB, required=False)
@trigger_options
@definition_options
@click.option("--file", metavar="FILE", help="Job document(s) in YAML or JSON; - is standard input.")
@click.pass_obj
def add_job(session: Session, /, job_id: str | None, file: str | None, **options: Any) -> int:
    """Define a job by options, or jobs by a file."""
    if file is not None:
        jobs = _documents(file, job_id, options)
        client = connect(session)
        return for_each(session, jobs, lambda job: _added(client, job), name=_name, say=saying("added"))
    if job_id is None:
        raise Invalid("give the ID of the job and when it is due, or --file")
    document = document_from(options)
    if "trigger" not in document:
        raise Invalid("say when the job is due: --every, --cron, --at or --manual")
    answer = connect(session).post("jobs", body={"id": job_id, **document})
    show(session, answer, lambda: click.echo(_standing("added", answer)))
    return OK


@click.command("update", cls=RemoteCommand)
@click.argument("job_id", metavar="[ID]", type=JOB, required=False)
@trigger_options
@definition_options
@click.option(
    "--file", metavar="FILE", help="Replace whole documents by those of a file; - is standard input."
)
@click.option("--if-version", type=int, metavar="N", help="Only if the job still is at this version.")
@click.pass_obj
def update_job(
    session: Session, /, job_id: str | None, file: str | None, if_version: int | None, **options: Any
) -> int:
    """Change fields of a job by options, or replace whole jobs by a file."""
    if file is not None:
        jobs = _documents(file, job_id, options)
        if if_version is not None and len(jobs) > 1:
            raise Invalid(f"--if-version: is the version of one job, {file} holds {len(jobs)}")
        client = connect(session)
        return for_each(
            session, jobs, lambda job: _replaced(client, job, if_version), name=_name, say=saying("updated")
        )
    if job_id is None:
        raise Invalid("give the ID of the job and what to change, or --file")
    client = connect(session)
    document = document_from(options, kind=_kind_of(client, job_id, options))
    if not document:
        raise Invalid(
            "say what to change, such as --every 1m; 'cronzimus jobs update --help' lists everything"
        )
    answer = client.patch("jobs", job_id, body=document, if_version=if_version)
    show(session, answer, lambda: click.echo(_standing("updated", answer)))
    return OK


@click.command("remove", cls=RemoteCommand)
@click.argument("job_ids", metavar="ID...", type=JOB, nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def remove_jobs(session: Session, /, job_ids: tuple[str, ...], yes: bool) -> int:
    """Take jobs off the timetable; their history stays."""
    if not confirmed(f"Remove {', '.join(job_ids)}?", already=yes):
        return FAILED
    client = connect(session)
    return for_each(session, job_ids, lambda job: _removed(client, job), name=str, say=saying("removed"))


def _documents(file: str, job_id: str | None, options: Mapping[str, Any]) -> list[Written]:
    """The jobs of a file; an ID beside it names the one job that has none in the file."""
    if any(value for value in options.values()):
        raise Invalid("--file: holds the whole document; leave the other options out")
    jobs = read_documents(file)
    if job_id is not None:
        if len(jobs) > 1 or jobs[0].document.get("id", job_id) != job_id:
            raise Invalid(f"{file}: holds {', '.join(map(_name, jobs))}, not the one job {job_id}")
        jobs[0].document["id"] = job_id
    for job in jobs:
        if not isinstance(job.document.get("id"), str):
            raise Invalid(f"{job.where('id')}: the job needs an id that is text")
    return jobs


def _name(job: Written) -> str:
    return job.name


def _added(client: Client, job: Written) -> Any:
    try:
        return client.post("jobs", body=job.document)
    except Invalid as error:
        raise job.blame(error) from error


def _replaced(client: Client, job: Written, if_version: int | None) -> Any:
    try:
        return client.put("jobs", job.name, body=job.document, if_version=if_version)
    except Invalid as error:
        raise job.blame(error) from error


def _removed(client: Client, job_id: str) -> dict[str, str]:
    client.delete("jobs", job_id)
    return {"id": job_id}


def _kind_of(client: Client, job_id: str, options: Mapping[str, Any]) -> str | None:
    """What the job is, where the meaning of --param depends on it."""
    if not options["param"] or options["kind"] or options["func"]:
        return None
    return str(client.get("jobs", job_id, next=0)["kind"])


def _standing(done: str, job: Mapping[str, Any]) -> str:
    due = f", due {instant(job['next_run_time'])}" if job["next_run_time"] else ", never due by itself"
    return f"{done} {job['id']} (version {job['version']}, {job['status']}{due})"
