"""Array literals carry every value unharmed through PostgreSQL."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cronzimus.common.arrays import array
from cronzimus.common.db import Database

NOW = datetime(2026, 11, 21, 3, 4, 5, 678901, tzinfo=UTC)
ID = uuid4()


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([], "text"),
        (["a", None, "b"], "text"),
        (['quote " back \\ comma , brace {} NULL', "NULL", "", " "], "text"),
        ([1, -2, None], "int"),
        ([1.5, None], "float8"),
        ([True, False], "bool"),
        ([NOW, None], "timestamptz"),
        ([ID], "uuid"),
    ],
)
def test_values_come_back_as_they_went(database: Database, values: list[Any], kind: str) -> None:
    assert database.fetch_one(f"SELECT %(v)s::{kind}[]", {"v": array(values)}) == (values,)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))))
def test_any_text_comes_back_as_it_went(database: Database, values: list[str]) -> None:
    assert database.fetch_one("SELECT %(v)s::text[]", {"v": array(values)}) == (values,)
