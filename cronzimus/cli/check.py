"""`cronzimus config check`: everything that would stop the start, at once."""

from collections.abc import Iterator
from typing import Any

import click

from cronzimus.api.security import check_can_start
from cronzimus.cli.command import ProjectCommand, Session
from cronzimus.cli.failures import CONFIGURATION, OK, note, printable
from cronzimus.cli.ground import find_functions_here, settings_of
from cronzimus.cli.output import show
from cronzimus.errors import ConfigError, Fault, Invalid
from cronzimus.parts import new_factory
from cronzimus.settings import FileJob, Settings


@click.command("check", cls=ProjectCommand)
@click.pass_obj
def check(session: Session) -> int:
    """Say everything that is wrong with the configuration.

    Files, variables, the jobs of jobs.yaml with their triggers and functions, and whether a token is missing.
    """
    find_functions_here()
    try:
        settings = settings_of(session)
    except ConfigError as error:
        faults = list(error.faults) or [Fault("", error.message)]
        return _verdict(session, {"ok": False, "environment": session.environment, "jobs": 0}, faults, ())
    faults = list(_of_jobs(settings))
    facts = {"ok": not faults, "environment": settings.environment, "jobs": len(settings.jobs)}
    return _verdict(session, facts, faults, (*settings.warnings, *_of_start(settings)))


def _of_start(settings: Settings) -> Iterator[str]:
    """Whether anybody can come in is not known here: the database may hold somebody."""
    try:
        check_can_start(settings)
    except ConfigError as error:
        yield f"without somebody in the database the service will not start: {error.message}"


def _of_jobs(settings: Settings) -> Iterator[Fault]:
    factory = new_factory(settings, settings.scheduler.allowed_functions)
    for job in settings.jobs:
        try:
            factory.from_document({"id": job.id, **job.document})
        except Invalid as error:
            yield from (_located(job, fault) for fault in error.faults or (Fault("", error.message),))


def _located(job: FileJob, fault: Fault) -> Fault:
    field = f"jobs.{job.id}.{fault.field}".rstrip(".")
    return Fault(field, f"{job.where(fault.field)}: {field}: {fault.message}")


def _verdict(session: Session, facts: dict[str, Any], faults: list[Fault], warnings: tuple[str, ...]) -> int:
    answer = {**facts, "faults": faults, "warnings": warnings}
    show(session, answer, lambda: _draw(facts, faults))
    if not session.as_json:
        for warning in warnings:
            note(f"warning: {printable(warning)}")
    return CONFIGURATION if faults else OK


def _draw(facts: dict[str, Any], faults: list[Fault]) -> None:
    for fault in faults:
        click.echo(printable(fault.message))
    if not faults:
        click.echo(f"the configuration is sound: {facts['environment']}, {facts['jobs']} jobs in files")
