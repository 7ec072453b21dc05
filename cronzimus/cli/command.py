"""What every command of the command line has: the same options, and a session that holds what they say."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from cronzimus.cli.failures import FAILED, MEANINGS, OK, USAGE

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
EPILOG = f"Exit codes: {', '.join(f'{code} {MEANINGS[code]}' for code in (OK, FAILED, USAGE))}; and more."


@dataclass(slots=True)
class Session:
    """What the options that all commands share were set to; None means not given."""

    as_json: bool = False
    debug: bool = False
    url: str | None = None
    token: str | None = None
    config_path: str | None = None
    environment: str | None = None


class Command(click.Command):
    """A command with the options that every command has."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["context_settings"] = {**SETTINGS, **(kwargs.get("context_settings") or {})}
        kwargs.setdefault("epilog", EPILOG)
        super().__init__(*args, **kwargs)
        self.params += self.shared()

    def shared(self) -> list[click.Parameter]:
        """The options shown after the command's own."""
        return common_options()


class RemoteCommand(Command):
    """A command that asks a running service."""

    def shared(self) -> list[click.Parameter]:
        """The service to ask, and the rest."""
        return remote_options() + common_options()


class ProjectCommand(Command):
    """A command that reads the configuration of this folder."""

    def shared(self) -> list[click.Parameter]:
        """The configuration to read, and the rest."""
        return project_options() + common_options()


class Group(click.Group):
    """A noun: a group whose commands take the shared options."""

    command_class = Command

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["context_settings"] = {**SETTINGS, **(kwargs.get("context_settings") or {})}
        super().__init__(*args, **kwargs)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order they were written."""
        return list(self.commands)


class RemoteGroup(Group):
    """A noun of the running service."""

    command_class = RemoteCommand


class ProjectGroup(Group):
    """A noun of the project in this folder."""

    command_class = ProjectCommand


def common_options() -> list[click.Parameter]:
    """How to print, and how much to tell when something breaks."""
    return [
        click.Option(
            ["-o", "--output"],
            type=click.Choice(["table", "json"]),
            expose_value=False,
            callback=_remembered("as_json", lambda given: given == "json"),
            help="A table for people (the default) or one JSON document.",
        ),
        _flag("--json", "as_json", "The same as -o json."),
        _flag("--debug", "debug", "Show a traceback when something fails."),
    ]


def remote_options() -> list[click.Parameter]:
    """Which service to ask, and as whom."""
    return [
        _text("--url", "url", "The service to ask; else CRONZIMUS_URL, else http://127.0.0.1:5000."),
        _text("--token", "token", "Its token; better in CRONZIMUS_TOKEN or CRONZIMUS_TOKEN_FILE."),
    ]


def project_options() -> list[click.Parameter]:
    """Which configuration to read."""
    return [
        _text(
            "--config-path", "config_path", "Folder or file with the configuration; else ./config.", "PATH"
        ),
        _text("--environment", "environment", "development, staging or production.", "NAME"),
    ]


def _text(name: str, attribute: str, sentence: str, metavar: str = "TEXT") -> click.Option:
    remember = _remembered(attribute, lambda given: given)
    return click.Option([name], expose_value=False, callback=remember, help=sentence, metavar=metavar)


def _flag(name: str, attribute: str, sentence: str) -> click.Option:
    remember = _remembered(attribute, bool)
    return click.Option(
        [name], is_flag=True, default=None, expose_value=False, callback=remember, help=sentence
    )


def _remembered(
    attribute: str, meaning: Callable[[Any], Any]
) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """A callback that keeps what was given; the option may stand before or behind the command."""

    def _callback(context: click.Context, parameter: click.Parameter, given: Any) -> Any:
        if given is not None:
            setattr(context.ensure_object(Session), attribute, meaning(given))
        return given

    return _callback
