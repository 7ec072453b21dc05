"""Groups that load a command's module when that command is asked for, and not to show their help."""

import importlib
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import click
from click.shell_completion import CompletionItem

from cronzimus.cli.command import SETTINGS
from cronzimus.common.collector import collecting_nothing


class LateCommands(MutableMapping[str, click.Command]):
    """Commands by name, each imported when it is first taken out.

    `places` says for each name where the command is (`module:attribute`) and what it does.
    """

    def __init__(self, places: Mapping[str, tuple[str, str]]) -> None:
        self._places = dict(places)
        self._loaded: dict[str, click.Command] = {}

    def summary(self, name: str) -> str:
        """What the command does, without loading it."""
        return self._places[name][1] if name in self._places else self._loaded[name].get_short_help_str()

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._loaded:
            module, _, attribute = self._places[name][0].partition(":")
            with collecting_nothing():
                self._loaded[name] = getattr(importlib.import_module(module), attribute)
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._places or name in self._loaded

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        self[name]
        self._places.pop(name, None)
        del self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._places, **self._loaded})

    def __len__(self) -> int:
        return len({**self._places, **self._loaded})


class LateGroup(click.Group):
    """A group made of such commands."""

    def __init__(self, name: str, places: Mapping[str, tuple[str, str]], **attrs: Any) -> None:
        self.late = LateCommands(places)
        super().__init__(name, commands=self.late, context_settings=SETTINGS, **attrs)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order they were written."""
        return list(self.late)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from their summaries."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.late.summary(name)) for name in self.late])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The same for completion."""
        names = [name for name in self.late if name.startswith(incomplete)]
        found = [CompletionItem(name, help=self.late.summary(name)) for name in names]
        return found + click.Command.shell_complete(self, ctx, incomplete)
