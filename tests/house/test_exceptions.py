"""An exception names a file that exists, grants more than the rule does, and is argued in an ADR."""

from tests.house.exceptions import EXCEPTIONS, LIMITS, limit
from tests.house.tree import ROOT


def test_exceptions_are_argued() -> None:
    unargued = [
        f"{path}: {measure} {granted}, {adr}"
        for (measure, path), (granted, adr) in EXCEPTIONS.items()
        if not (ROOT / path).is_file() or not (ROOT / adr).is_file() or path not in (ROOT / adr).read_text()
    ]
    assert unargued == []


def test_exceptions_are_needed() -> None:
    assert [key for key, (granted, _) in EXCEPTIONS.items() if granted <= LIMITS[key[0]]] == []


def test_limit_is_the_rule_unless_granted() -> None:
    assert limit("file lines", "cronzimus/of_no_exception.py") == 300
