"""Commands are imported when they are asked for."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cronzimus.cli.late import LateCommands, LateGroup

PLACES = {"now": ("late_probe:now", "Do it now."), "never": ("no_such_module:never", "Not to be loaded.")}


@pytest.fixture(autouse=True)
def probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A module with a command."""
    (tmp_path / "late_probe.py").write_text(
        "import click\n\n@click.command()\ndef now():\n    click.echo('done')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("late_probe", None)


def test_nothing_is_loaded_to_be_listed() -> None:
    commands = LateCommands(PLACES)
    assert list(commands) == ["now", "never"] and len(commands) == 2
    assert "now" in commands and "later" not in commands
    assert commands.summary("never") == "Not to be loaded."
    assert "late_probe" not in sys.modules


def test_a_command_is_loaded_once() -> None:
    commands = LateCommands(PLACES)
    assert commands["now"] is commands["now"]
    assert isinstance(commands["now"], click.Command)


def test_an_unknown_command_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        LateCommands(PLACES)["later"]


def test_commands_can_be_added_and_taken_away() -> None:
    commands = LateCommands(PLACES)
    commands["more"] = click.Command("more", help="More of it.")
    assert list(commands) == ["now", "never", "more"] and commands.summary("more") == "More of it."
    del commands["now"]
    assert list(commands) == ["never", "more"]
    with pytest.raises(KeyError):
        del commands["now"]


def test_a_group_runs_what_it_loads() -> None:
    assert CliRunner().invoke(LateGroup("group", PLACES), ["now"]).output == "done\n"


def test_a_group_helps_and_completes_without_loading() -> None:
    group = LateGroup("group", PLACES)
    text = CliRunner().invoke(group, ["--help"]).output
    assert text.index("now    Do it now.") < text.index("never  Not to be loaded.")
    found = group.shell_complete(click.Context(group), "ne")
    assert [(item.value, item.help) for item in found] == [("never", "Not to be loaded.")]
    assert "late_probe" not in sys.modules


def test_a_group_completes_its_options() -> None:
    group = LateGroup("group", PLACES)
    assert [item.value for item in group.shell_complete(click.Context(group), "--h")] == ["--help"]
