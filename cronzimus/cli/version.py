"""`cronzimus version`."""

import platform

import click

from cronzimus.cli.command import Command, Session
from cronzimus.cli.output import show
from cronzimus.version import version


@click.command("version", cls=Command)
@click.pass_obj
def show_version(session: Session) -> None:
    """Show which version this is."""
    facts = {"version": version(), "python": platform.python_version(), "platform": platform.platform()}
    show(session, facts, lambda: click.echo(f"cronzimus {facts['version']}"))
