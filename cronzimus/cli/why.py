"""`cronzimus why`: one job, one moment, one sentence."""

import click

from cronzimus.cli.client import connect
from cronzimus.cli.command import RemoteCommand, Session
from cronzimus.cli.names import JOB
from cronzimus.cli.output import cell, show
from cronzimus.cli.values import MOMENT, iso, moment


@click.command("why", cls=RemoteCommand)
@click.argument("job_id", metavar="JOB", type=JOB)
@click.option("--at", metavar="TIME", default="now", show_default=True, help=f"The moment: {MOMENT}.")
@click.option("--timezone", metavar="ZONE", default="UTC", show_default=True, help="Where --at is read.")
@click.pass_obj
def why(session: Session, /, job_id: str, at: str, timezone: str) -> None:
    """Say in one sentence why a job did or did not run."""
    explanation = connect(session).get("jobs", job_id, "why", at=iso(moment(at, timezone, "--at")))
    show(session, explanation, lambda: click.echo(cell(explanation["sentence"])))
