"""Which part of a list is shown."""

from typing import Any

import click
import pytest
from click.testing import CliRunner

from cronzimus.cli.lists import page_options


@pytest.mark.parametrize(
    ("words", "paging"),
    [
        ([], {"limit": 50, "offset": 0}),
        (["--limit", "7", "--offset", "3"], {"limit": 7, "offset": 3}),
        (["--all"], {"limit": None, "offset": 0}),
        (["--all", "--limit", "7"], {"limit": None, "offset": 0}),
    ],
)
def test_page_options(words: list[str], paging: dict[str, Any]) -> None:
    seen: list[dict[str, Any]] = []

    @click.command()
    @page_options
    def probe(**options: Any) -> None:
        seen.append(options)

    assert CliRunner().invoke(probe, words).exit_code == 0
    assert seen == [paging]


@pytest.mark.parametrize("words", [["--limit", "0"], ["--limit", "x"], ["--offset", "-1"]])
def test_page_options_refuse(words: list[str]) -> None:
    @click.command()
    @page_options
    def probe(**options: Any) -> None:
        pytest.fail("it ran")

    assert CliRunner().invoke(probe, words).exit_code == 2
