"""`cronzimus config`: the merged configuration, and having a service read it again."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import click

from cronzimus.cli.client import connect
from cronzimus.cli.command import ProjectCommand, RemoteCommand, Session
from cronzimus.cli.failures import note
from cronzimus.cli.ground import settings_of
from cronzimus.cli.late import LateGroup
from cronzimus.cli.output import Column, draw_table, show
from cronzimus.config import redacted
from cronzimus.settings.keys import keys

config: Final = LateGroup(
    "config",
    {
        "show": ("cronzimus.cli.config:show_config", "Print the merged configuration with secrets masked."),
        "check": ("cronzimus.cli.check:check", "Say everything that is wrong with the configuration."),
        "reload": ("cronzimus.cli.config:reload_config", "Have the service read its files again."),
    },
    help="Show, check or reload the configuration.",
)


@click.command("show", cls=ProjectCommand)
@click.option("--origin", "origins", is_flag=True, help="Also say where each value comes from.")
@click.pass_obj
def show_config(session: Session, /, origins: bool) -> None:
    """Print the merged configuration with secrets masked."""
    settings = settings_of(session)
    tree = redacted(settings)
    rows = [(key, value, settings.origin(key)) for key, value in _leaves(tree)]
    columns = [Column("KEY", lambda row: row[0]), Column("VALUE", lambda row: row[1])]
    if origins:
        tree = _with_origins(tree, dict((key, origin) for key, _, origin in rows))
        columns.append(Column("ORIGIN", lambda row: row[2]))
    show(session, tree, lambda: draw_table(rows, columns))


@click.command("reload", cls=RemoteCommand)
@click.pass_obj
def reload_config(session: Session, /) -> None:
    """Have the service read its files again and take up their jobs; nothing changes when any is wrong."""
    done = connect(session).post("config", "reload")
    show(session, done, lambda: click.echo(f"reloaded: {done['jobs']} jobs are declared"))
    if done["restart_needed"] and not session.as_json:
        note(f"changed, and waiting for a restart: {', '.join(done['restart_needed'])}")


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping) and f"{prefix}{name}" not in keys():
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _with_origins(tree: Mapping[str, Any], origins: Mapping[str, str], prefix: str = "") -> dict[str, Any]:
    """The same tree, each value beside its origin."""
    return {
        name: (
            _with_origins(value, origins, f"{prefix}{name}.")
            if isinstance(value, Mapping) and f"{prefix}{name}" not in keys()
            else {"value": value, "origin": origins[f"{prefix}{name}"]}
        )
        for name, value in tree.items()
    }
