"""The pictures that the documents show are there, are pictures, and are small."""

import re

import pytest

from tests.house.tree import ROOT

SHOWN = sorted(
    set(re.findall(r"\]\((docs/pictures/[^)]+)\)", (ROOT / "README.md").read_text(encoding="utf-8")))
)


def test_the_readme_shows_some() -> None:
    assert SHOWN


@pytest.mark.parametrize("path", SHOWN)
def test_a_picture_is_there_and_small(path: str) -> None:
    content = (ROOT / path).read_bytes()
    assert content.startswith(b"\x89PNG\r\n") and len(content) < 200_000
