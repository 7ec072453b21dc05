"""The command `cronzimus` itself: where every failure ends, in a line and an exit code."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from cronzimus.cli.command import Session, common_options, remote_options
from cronzimus.cli.failures import OK, report, survive_any_text
from cronzimus.cli.late import LateGroup
from cronzimus.version import version

# What a command was called before.
_FORMER_NAMES = {"workers": "worker"}


class Root(LateGroup):
    """The whole command line; a command returns its exit code, None being 0."""

    def __init__(self, name: str, places: Mapping[str, tuple[str, str]], **attrs: Any) -> None:
        shared = [_version_option(), *remote_options(), *common_options()]
        super().__init__(name, places, params=shared, **attrs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or that once was called so."""
        return super().get_command(ctx, _FORMER_NAMES.get(cmd_name, cmd_name))

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command; in standalone mode the process ends with its exit code."""
        session = extra.setdefault("obj", Session())
        survive_any_text()
        try:
            result = super().main(args, prog_name or self.name, complete_var, False, **extra)
        except Exception as error:
            if not standalone_mode:
                raise
            result = report(error, debug=session.debug, secret=session.token)
        if not standalone_mode:
            return result
        sys.exit(result if isinstance(result, int) else OK)


def _version_option() -> click.Option:
    def _callback(context: click.Context, parameter: click.Parameter, given: bool) -> None:
        if given and not context.resilient_parsing:
            click.echo(f"cronzimus {version()}")
            context.exit()

    return click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_callback,
        help="Show the version.",
    )
