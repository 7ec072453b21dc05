"""One file holds the version; the package answers with it."""

import re
from importlib import metadata
from pathlib import Path

import pytest

from cronzimus.version import version

ROOT = Path(__file__).parents[1]


def test_version_is_the_one_of_the_file() -> None:
    assert version() == (ROOT / "VERSION").read_text("utf-8").strip()


def test_version_file_holds_a_version() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?\n?", (ROOT / "VERSION").read_text("utf-8"))


def test_version_is_read_from_the_file_when_nothing_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    assert version.__wrapped__() == (ROOT / "VERSION").read_text("utf-8").strip()
