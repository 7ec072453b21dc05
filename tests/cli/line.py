"""The command line as tests use it: words in, answer and complaint out."""

import json
from typing import Any

import click
from click.testing import CliRunner, Result

from cronzimus.cli import main


class Line:
    """Runs commands in this process."""

    def __call__(self, *words: object, given: str | None = None) -> Result:
        """Run a command, `given` being its standard input."""
        result = CliRunner().invoke(main, [str(word) for word in words], input=given)
        assert "Traceback" not in result.output or "--debug" in words, result.output
        return result

    def out(self, *words: object, given: str | None = None) -> str:
        """What a command prints that ends well."""
        result = self(*words, given=given)
        assert result.exit_code == 0, result.output
        return str(result.stdout)

    def json(self, *words: object, code: int = 0) -> Any:
        """The one document a command prints."""
        result = self("-o", "json", *words)
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    def complaint(self, *words: object, code: int, given: str | None = None) -> str:
        """What a command says that ends with `code`; it prints nothing else."""
        result = self(*words, given=given)
        assert (result.exit_code, result.stdout) == (code, ""), result.output
        return str(result.stderr)


def leaves(
    command: click.Command = main, path: tuple[str, ...] = ()
) -> list[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, with the words that lead to it."""
    if not isinstance(command, click.Group):
        return [(path, command)]
    inner = [(name, command.commands[name]) for name in command.commands]
    return [leaf for name, one in inner for leaf in leaves(one, (*path, name))]
