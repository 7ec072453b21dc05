"""The options every command has, wherever they stand."""

import click
import pytest
from click.testing import CliRunner

from cronzimus.cli.command import (
    Command,
    Group,
    ProjectCommand,
    ProjectGroup,
    RemoteCommand,
    RemoteGroup,
    Session,
)


def session_after(command_class: type[Command], *words: str) -> Session:
    session = Session()
    command = command_class("probe", callback=lambda: None)
    result = CliRunner().invoke(command, words, obj=session)
    assert result.exit_code == 0, result.output
    return session


@pytest.mark.parametrize(
    ("words", "as_json"),
    [
        ([], False),
        (["-o", "json"], True),
        (["--output", "json"], True),
        (["--json"], True),
        (["-o", "table"], False),
    ],
)
def test_output_is_remembered(words: list[str], as_json: bool) -> None:
    assert session_after(Command, *words).as_json is as_json


def test_debug_is_remembered() -> None:
    assert session_after(Command, "--debug").debug


def test_remote_commands_take_a_service() -> None:
    session = session_after(RemoteCommand, "--url", "http://h", "--token", "t")
    assert (session.url, session.token) == ("http://h", "t")


def test_project_commands_take_a_configuration() -> None:
    session = session_after(ProjectCommand, "--config-path", "c", "--environment", "staging")
    assert (session.config_path, session.environment) == ("c", "staging")


def test_what_is_not_given_overrides_nothing() -> None:
    session = Session(as_json=True, url="http://before")
    command = RemoteCommand("probe", callback=lambda: None)
    assert CliRunner().invoke(command, [], obj=session).exit_code == 0
    assert (session.as_json, session.url) == (True, "http://before")


def test_another_output_is_refused() -> None:
    result = CliRunner().invoke(Command("probe", callback=lambda: None), ["-o", "xml"], obj=Session())
    assert result.exit_code == 2 and "'xml' is not one of 'table', 'json'" in result.output


@pytest.mark.parametrize(
    ("group", "command"), [(Group, Command), (RemoteGroup, RemoteCommand), (ProjectGroup, ProjectCommand)]
)
def test_groups_make_their_kind_of_command(group: type[Group], command: type[Command]) -> None:
    noun = group("noun")

    @noun.command("verb")
    def verb() -> None:
        """Do it."""

    assert type(verb) is command and noun.commands == {"verb": verb}


def test_groups_keep_the_order_they_were_written_in() -> None:
    noun = Group("noun", commands=[click.Command("show"), click.Command("add")])
    assert noun.list_commands(click.Context(noun)) == ["show", "add"]


def test_help_is_short_too() -> None:
    assert CliRunner().invoke(Command("probe", callback=lambda: None), ["-h"], obj=Session()).exit_code == 0
