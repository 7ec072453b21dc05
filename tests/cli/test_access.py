"""Where a password comes from: never from the command line."""

import io

import click
import pytest

from cronzimus.cli.access import given_password, who
from cronzimus.errors import Invalid


class Terminal(io.StringIO):
    """Somebody sits here."""

    def isatty(self) -> bool:
        return True


def test_the_environment_is_asked_first(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("CRONZIMUS_PASSWORD", "from the environment")
    monkeypatch.setattr("sys.stdin", io.StringIO("piped in\n"))
    assert given_password() == "from the environment"
    monkeypatch.delenv("CRONZIMUS_PASSWORD")
    assert given_password() == "piped in"


def test_a_file_that_cannot_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRONZIMUS_PASSWORD_FILE", "/no/such/file")
    with pytest.raises(Invalid, match="CRONZIMUS_PASSWORD_FILE: cannot read"):
        given_password()


def test_a_person_types_it_twice_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr(click, "prompt", lambda text, **how: asked.update(how) or "typed by hand")
    assert given_password() == "typed by hand"
    assert asked["hide_input"] is True and asked["confirmation_prompt"] is True


def test_who_sits_here_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ann")
    assert who() == "ann"

    def nobody() -> str:
        raise KeyError

    monkeypatch.setattr("getpass.getuser", nobody)
    assert who() == "cli"
