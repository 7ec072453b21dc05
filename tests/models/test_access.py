"""Roles, scopes, and what names look like."""

import re

import pytest

from cronzimus.models.access import RANK, TOKEN_NAME, USER_NAME, Role


def test_each_role_has_the_scopes_of_the_lesser_ones() -> None:
    assert [RANK[role.scope] for role in (Role.VIEWER, Role.OPERATOR, Role.ADMIN)] == [1, 2, 3]


@pytest.mark.parametrize("name", ["ann", "ann.lee@example.org", "a", "0ps", "x" * 63, "a+b_c-d"])
def test_names_of_people(name: str) -> None:
    assert re.fullmatch(USER_NAME, name)


@pytest.mark.parametrize("name", ["", "Ann", "-a", ".a", "a b", "a/b", "x" * 64, "ann\n", "größe", "a'b"])
def test_no_names_of_people(name: str) -> None:
    assert not re.fullmatch(USER_NAME, name)


@pytest.mark.parametrize(
    ("name", "fits"), [("CI deploy 2", True), (" x", False), ("a/b", False), ("a" * 64, False)]
)
def test_names_of_tokens(name: str, fits: bool) -> None:
    assert bool(re.fullmatch(TOKEN_NAME, name)) is fits
