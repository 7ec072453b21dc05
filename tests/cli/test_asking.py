"""Nothing is lost without a yes."""

import sys

import pytest

from cronzimus.cli.asking import confirmed
from cronzimus.errors import Invalid


class Terminal:
    """A standard input with somebody at it."""

    def isatty(self) -> bool:
        return True


def test_yes_beforehand_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("click.confirm", lambda *_, **__: pytest.fail("asked"))
    assert confirmed("Remove it?", already=True)


def test_nobody_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", type("Pipe", (), {"isatty": lambda _: False})())
    with pytest.raises(Invalid, match="Remove it.*say --yes"):
        confirmed("Remove it?", already=False)


@pytest.mark.parametrize("answer", [True, False])
def test_somebody_is_asked_on_the_error_stream(answer: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("click.confirm", lambda question, err: asked.append((question, err)) or answer)
    assert confirmed("Remove it?", already=False) is answer
    assert asked == [("Remove it?", True)]
