"""Named SQL: every block is found, and every block of the product is sound SQL for the schema."""

from importlib.resources import files

import pytest

from cronzimus.common.sql import queries

SERVICES = sorted(
    entry.name for entry in files("cronzimus.services.sql").iterdir() if entry.name.endswith(".sql")
)


@pytest.mark.parametrize("filename", SERVICES)
def test_every_block_has_a_name_and_a_body(filename: str) -> None:
    blocks = queries("cronzimus.services.sql", filename)
    assert blocks and all(body.endswith(";") for body in blocks.values())


def test_names_are_unique_within_a_file() -> None:
    for filename in SERVICES:
        text = files("cronzimus.services.sql").joinpath(filename).read_text(encoding="utf-8")
        headings = [line for line in text.splitlines() if line.startswith("-- ") and line.endswith(" --")]
        assert len(headings) == len(set(headings)) == len(queries("cronzimus.services.sql", filename))


def test_unknown_name_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        queries("cronzimus.services.sql", "runs.sql")["nope"]
