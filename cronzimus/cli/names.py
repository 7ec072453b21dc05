"""Names of jobs and ids of runs as arguments, completed by asking the service."""

from typing import Any, Final

import click
from click.shell_completion import CompletionItem

from cronzimus.cli.client import connect
from cronzimus.cli.command import Session
from cronzimus.cli.values import is_job_id
from cronzimus.errors import CronzimusError


class JobName(click.ParamType[str]):
    """The id of a job."""

    name = "job"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The id, if a job can have it."""
        if not is_job_id(str(value)):
            self.fail(f"{value!r} cannot be the id of a job: small letters, digits, - and _", param, ctx)
        return str(value)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The jobs that begin so, where a service answers; silence otherwise."""
        try:
            found = connect(ctx.ensure_object(Session)).page("jobs", limit=None, q=incomplete or None)
        except CronzimusError:
            return []
        begun = [job for job in found["items"] if job["id"].startswith(incomplete)]
        return [CompletionItem(job["id"], help=job["description"]) for job in begun]


JOB: Final = JobName()
RUN: Final = click.UUID
