"""`cronzimus jobs pause`, `resume` and `run`: what is done with jobs, by id or by tag."""

import json
from typing import Any, Final

import click

from cronzimus.cli.asking import confirmed
from cronzimus.cli.client import Client, connect
from cronzimus.cli.command import RemoteCommand, Session
from cronzimus.cli.failures import FAILED, OK, note
from cronzimus.cli.logs import show_live
from cronzimus.cli.names import JOB
from cronzimus.cli.output import show
from cronzimus.cli.several import for_each, saying
from cronzimus.cli.values import MOMENT, Duration, optional_moment
from cronzimus.cli.waiting import await_run, sentence
from cronzimus.errors import Invalid

_DONE: Final = {"pause": "paused", "resume": "resumed"}


@click.command("pause", cls=RemoteCommand)
@click.argument("job_ids", metavar="[ID]...", type=JOB, nargs=-1)
@click.option("--tag", help="Every job with this tag instead.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def pause_jobs(session: Session, /, job_ids: tuple[str, ...], tag: str | None, yes: bool) -> int:
    """Fire no more; each instant that passes is recorded as skipped."""
    return _turned(session, "pause", job_ids, tag, yes)


@click.command("resume", cls=RemoteCommand)
@click.argument("job_ids", metavar="[ID]...", type=JOB, nargs=-1)
@click.option("--tag", help="Every job with this tag instead.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def resume_jobs(session: Session, /, job_ids: tuple[str, ...], tag: str | None, yes: bool) -> int:
    """Fire again from now on."""
    return _turned(session, "resume", job_ids, tag, yes)


@click.command("run", cls=RemoteCommand)
@click.argument("job_id", metavar="ID", type=JOB)
@click.option(
    "--param", multiple=True, metavar="NAME=VALUE", help="A parameter of this run, typed by the job's schema."
)
@click.option("--params-json", metavar="JSON", help="Parameters of this run as one JSON object.")
@click.option("--as-of", metavar="TIME", help=f"Run as if it were due then: {MOMENT}.")
@click.option("--force", is_flag=True, help="Run although the job is paused.")
@click.option("--wait", is_flag=True, help="Wait for its end: 0 success, 1 none, 124 timed out.")
@click.option("--follow", is_flag=True, help="The same, and show meanwhile what it says.")
@click.option("--timeout", type=Duration(), help="How long to wait.")
@click.pass_obj
def run_job(
    session: Session, /, job_id: str, wait: bool, follow: bool, timeout: float | None, **options: Any
) -> int:
    """Start a run now."""
    if timeout is not None and not wait:
        raise Invalid("--timeout: says how long to wait; give --wait with it")
    if follow and session.as_json:
        raise Invalid("--follow: shows lines as they come; -o json has one document")
    client = connect(session)
    started = client.post_once("jobs", job_id, "run", body=_body(options))
    if follow:
        show_live(session, client, started["run_id"])
    if wait or follow:
        return await_run(session, client, started["run_id"], timeout)
    show(session, started, lambda: click.echo(sentence(started["run"])))
    return OK


def _body(options: dict[str, Any]) -> dict[str, Any]:
    body = {
        "params": _object(options["params_json"]),
        "texts": dict(map(_name_and_text, options["param"])),
        "as_of": optional_moment(options["as_of"], "--as-of"),
        "force": options["force"],
    }
    return {name: value for name, value in body.items() if value}


def _name_and_text(given: str) -> tuple[str, str]:
    name, sign, text = given.partition("=")
    if not sign or not name.strip():
        raise Invalid(f"--param: expected name=value, got {given!r}")
    return name.strip(), text


def _object(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text) if text is not None else {}
    except (ValueError, RecursionError) as error:
        raise Invalid(f"--params-json: is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise Invalid('--params-json: expected an object such as {"region": "eu"}')
    return found


def _turned(session: Session, verb: str, job_ids: tuple[str, ...], tag: str | None, yes: bool) -> int:
    if bool(job_ids) == (tag is not None):
        raise Invalid("give the IDs of jobs or --tag, and not both")
    client = connect(session)
    if tag is not None:
        return _turn_all(session, client, verb, tag, yes)
    return for_each(
        session, job_ids, lambda job: client.post("jobs", job, verb), name=str, say=saying(_DONE[verb])
    )


def _turn_all(session: Session, client: Client, verb: str, tag: str, yes: bool) -> int:
    """As many as were counted, or none: what a person agreed to is what is done."""
    count = client.page("jobs", limit=1, tag=tag)["total"]
    if not confirmed(f"{verb.capitalize()} {count} jobs with the tag {tag}?", already=yes):
        return FAILED
    body = {"action": verb, "filter": {"tag": tag}, "expected_count": count}
    answer = client.post_once("jobs", "batch", body=body)
    show(session, answer, lambda: click.echo(f"{_DONE[verb]} {answer['done']} of {answer['total']} jobs"))
    for item in answer["items"]:
        if not item["done"] and not session.as_json:
            note(f"{item['id']}: {item['message']}")
    return OK if not answer["refused"] else FAILED
