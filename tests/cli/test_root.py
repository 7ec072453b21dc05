"""How the process ends."""

from collections.abc import Callable
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from cronzimus.cli.command import Command, Session
from cronzimus.cli.root import Root
from cronzimus.errors import NotFound, Unavailable


def ended(callback: Callable[..., Any], *words: str) -> Result:
    root = Root("cronzimus", {})
    root.commands["probe"] = Command("probe", callback=callback)
    return CliRunner().invoke(root, ["probe", *words])


def raising(error: BaseException) -> Callable[[], None]:
    def callback() -> None:
        raise error

    return callback


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (1, 1), (143, 143), ("text", 0)])
def test_a_command_returns_its_exit_code(returned: object, code: int) -> None:
    assert ended(lambda: returned).exit_code == code


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (NotFound("there is no job 'x'"), 1, "cronzimus: there is no job 'x'\n"),
        (Unavailable("away"), 69, "cronzimus: away\n"),
        (RuntimeError("odd"), 1, "cronzimus: unexpected RuntimeError: odd (--debug shows where)\n"),
        (click.exceptions.Exit(7), 7, ""),
        (KeyboardInterrupt(), 130, "\n"),
    ],
)
def test_every_failure_ends_in_a_line(error: BaseException, code: int, said: str) -> None:
    result = ended(raising(error))
    assert (result.exit_code, result.stderr, result.stdout) == (code, said, "")


def test_debug_shows_the_traceback() -> None:
    result = ended(raising(RuntimeError("odd")), "--debug")
    assert result.exit_code == 1 and result.stderr.startswith("Traceback (most recent call last)")


def test_the_token_is_masked_whatever_happens() -> None:
    root = Root("cronzimus", {})
    root.commands["probe"] = Command("probe", callback=raising(RuntimeError("Bearer tok3n-of-mine")))
    result = CliRunner().invoke(root, ["--token", "tok3n-of-mine", "probe", "--debug"])
    assert "***" in result.stderr and "tok3n-of-mine" not in result.stderr


def test_options_may_stand_before_the_command() -> None:
    seen: list[Session] = []
    root = Root("cronzimus", {})
    root.commands["probe"] = Command("probe", callback=click.pass_obj(seen.append))
    assert CliRunner().invoke(root, ["-o", "json", "--url", "http://a", "probe"]).exit_code == 0
    assert (seen[0].as_json, seen[0].url) == (True, "http://a")
    assert CliRunner().invoke(root, ["--url", "http://a", "probe", "-o", "json"]).exit_code == 0
    assert (seen[1].as_json, seen[1].url) == (True, "http://a")


def test_sessions_are_not_shared_between_calls() -> None:
    seen: list[Session] = []
    root = Root("cronzimus", {})
    root.commands["probe"] = Command("probe", callback=click.pass_obj(seen.append))
    for words in (["probe", "--json"], ["probe"]):
        CliRunner().invoke(root, words)
    assert [session.as_json for session in seen] == [True, False]


def test_embedded_in_another_program_it_raises() -> None:
    root = Root("cronzimus", {})
    root.commands["probe"] = Command("probe", callback=raising(NotFound("x")))
    root.commands["seven"] = Command("seven", callback=lambda: 7)
    with pytest.raises(NotFound):
        root.main(["probe"], standalone_mode=False)
    assert root.main(["seven"], standalone_mode=False) == 7
