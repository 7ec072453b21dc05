"""The filters of templates by themselves."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from cronzimus.models.template_filters import FILTERS, check_filter, written

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "value", "more", "made"),
    [
        ("iso", NOON, (), "2026-03-01T12:00:00Z"),
        ("iso", "2026-03-01T12:00:00+02:00", (), "2026-03-01T12:00:00+02:00"),
        ("iso", date(2026, 3, 1), (), "2026-03-01T00:00:00Z"),
        ("date", "2026-03-01", (), "2026-03-01"),
        ("time", NOON, (), "12:00:00"),
        ("epoch", NOON, (), 1772366400),
        ("format", NOON, ("%j",), "060"),
        ("in_zone", NOON, ("Asia/Kolkata",), datetime.fromisoformat("2026-03-01T17:30:00+05:30")),
        ("plus", NOON, ("12h",), datetime(2026, 3, 2, tzinfo=UTC)),
        ("minus", NOON, ("PT12H",), datetime(2026, 3, 1, tzinfo=UTC)),
        ("default", None, ("x",), "x"),
        ("default", "", ("x",), ""),
        ("lower", "ÄB", (), "äb"),
        ("upper", 5, (), "5"),
        ("urlencode", "a/b c", (), "a%2Fb%20c"),
    ],
)
def test_filters_make(name: str, value: Any, more: tuple[str, ...], made: Any) -> None:
    check_filter(name, list(more))
    assert FILTERS[name](value, *more) == made


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("isso", [], "did you mean 'iso'"),
        ("iso", ["x"], "takes no value"),
        ("plus", [], "takes one value"),
        ("plus", ["x"], "duration"),
        ("plus", [5], "duration"),
        ("plus", ["9999w"], "ten years"),
        ("format", ["%c"], "filter format"),
        ("format", ["%9999999d"], "filter format"),
        ("format", ["x" * 101], "filter format"),
        ("format", [5], "filter format"),
        ("in_zone", ["Nowhere/Else"], "unknown time zone"),
        ("in_zone", [1], "name of a zone"),
    ],
)
def test_what_a_filter_does_not_take_is_refused(name: str, values: list[Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_filter(name, values)


@pytest.mark.parametrize("value", [5, object(), [], None, "soon"])
def test_no_instant_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):
        FILTERS["iso"](value)


def test_an_instant_in_a_text_is_iso() -> None:
    assert written(NOON) == "2026-03-01T12:00:00Z" and written(5) == 5
