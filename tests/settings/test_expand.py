"""References to variables are replaced wherever they stand, and a missing one is named."""

from typing import Any

import pytest

from cronzimus.common.masking import mask
from cronzimus.settings.expand import expand, register_secret_variables
from tests.fixtures.process_log import restored_log

VARIABLES = {"HOST": "db", "PORT": "5432", "EMPTY": ""}


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("plain", "plain"),
        ("${HOST}", "db"),
        ("pg://${HOST}:${PORT}/x", "pg://db:5432/x"),
        ("$ENV[HOST]", "db"),
        ("${GONE:-fallback}", "fallback"),
        ("${GONE:-}", ""),
        ("${EMPTY:-fallback}", "fallback"),
        ("${HOST:-fallback}", "db"),
        ("${GONE:-http://a:1/b}", "http://a:1/b"),
        ("$${HOST}", "${HOST}"),
        ("$HOST and $5 and $$", "$HOST and $5 and $$"),
        (5, 5),
        (None, None),
        (True, True),
        (["${HOST}", 1], ["db", 1]),
        (("${HOST}",), ["db"]),
        ({"${HOST}": {"a": ["${PORT}"]}}, {"${HOST}": {"a": ["5432"]}}),
    ],
)
def test_expand_replaces_references(value: Any, result: Any) -> None:
    assert expand(value, VARIABLES) == result


def test_expand_does_not_expand_what_a_variable_holds() -> None:
    assert expand("${A}", {"A": "${B}", "B": "no"}) == "${B}"


@pytest.mark.parametrize("text", ["${GONE}", "$ENV[GONE]", "x ${GONE} y"])
def test_expand_names_the_missing_variable(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"environment variable GONE is not set; set it or write \$\{GONE:-default\}"
    ):
        expand({"a": [text]}, VARIABLES)


def test_expand_counts_an_empty_variable_as_missing() -> None:
    with pytest.raises(ValueError, match="EMPTY is not set"):
        expand("${EMPTY}", VARIABLES)


@pytest.mark.parametrize("text", ["${", "${}", "${A B}", "${A-x}", "${A:?needed}", "${1}"])
def test_expand_refuses_references_it_cannot_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"cannot read .*; write \$\{NAME\} or \$\{NAME:-default\}"):
        expand(text, VARIABLES)


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("DB_PASSWORD", True),
        ("PGPASSWORD", True),
        ("github_token", True),
        ("AWS_SECRET_ACCESS_KEY", True),
        ("STRIPE_APIKEY", True),
        ("PASSWORD_FILE", False),
        ("TOKENS_USED", False),
        ("HOME", False),
    ],
)
def test_register_secret_variables_masks_by_the_name_of_the_variable(name: str, masked: bool) -> None:
    value = f"only-{name}-says-this"
    with restored_log():
        register_secret_variables({name: value})
        assert (mask(value) == "***") is masked


def test_register_secret_variables_leaves_short_values_alone() -> None:
    with restored_log():
        register_secret_variables({"DB_PASSWORD": "test"})
        assert mask("a test") == "a test"
