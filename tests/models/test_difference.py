"""What differs between two documents."""

from typing import Any

import pytest

from cronzimus.models.difference import Change, Turn, differences


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [Change("a", Turn.CHANGED, 1, 2)]),
        ({}, {"a": None}, [Change("a", Turn.ADDED, None, None)]),
        ({"a": 1}, {}, [Change("a", Turn.REMOVED, 1, None)]),
        ({"p": {"x": 1, "y": 2}}, {"p": {"x": 1, "y": 3}}, [Change("p.y", Turn.CHANGED, 2, 3)]),
        ({"l": [1, {"a": 2}]}, {"l": [1, {"a": 3}]}, [Change("l.1.a", Turn.CHANGED, 2, 3)]),
        ({"l": [1]}, {"l": [1, 2]}, [Change("l", Turn.CHANGED, [1], [1, 2])]),
        ({"t": {"a": 1}}, {"t": [1]}, [Change("t", Turn.CHANGED, {"a": 1}, [1])]),
        ({"a": 1}, {"a": True}, [Change("a", Turn.CHANGED, 1, True)]),
        ({"b": 1, "a": 1}, {}, [Change("a", Turn.REMOVED, 1, None), Change("b", Turn.REMOVED, 1, None)]),
    ],
)
def test_differences_are_told_by_field(before: Any, after: Any, found: list[Change]) -> None:
    assert list(differences(before, after)) == found
