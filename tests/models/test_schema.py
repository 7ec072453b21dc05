"""The door to jsonschema: sentences for people, patterns in linear time, nothing fetched."""

import time
from typing import Any

import pytest

from cronzimus.models.schema import breaches_of, check_language, check_pattern, is_type


def told(schema: dict[str, Any], value: Any) -> list[str]:
    """What is said of one value `x`."""
    return [breach.message for breach in breaches_of({"properties": {"x": schema}}, {"x": value})]


@pytest.mark.parametrize(
    ("schema", "value", "words"),
    [
        ({"type": "integer"}, "5", "must be a whole number, got '5'"),
        ({"type": ["integer", "null"]}, "5", "must be a whole number or null, got '5'"),
        ({"enum": ["eu", "us"]}, "x", "must be one of eu, us, got 'x'"),
        ({"const": 3}, 4, "must be 3, got 4"),
        ({"minimum": 1}, 0, "must be at least 1, got 0"),
        ({"maximum": 1}, 2, "must be at most 1, got 2"),
        ({"exclusiveMinimum": 1}, 1, "must be greater than 1, got 1"),
        ({"multipleOf": 5}, 7, "must be a multiple of 5, got 7"),
        ({"minLength": 2}, "a", "must have at least 2 characters, got 'a'"),
        ({"maxLength": 1}, "ab", "must have at most 1 characters, got 'ab'"),
        ({"pattern": "^a+$"}, "b", "must match ^a+$, got 'b'"),
        ({"uniqueItems": True}, [1, 1], "must not hold the same item twice, got a list"),
        ({"format": "date"}, "2026-02-30", "must be a date, got '2026-02-30'"),
        ({"format": "date-time"}, "2026-02-03T01:00", "must be a date-time, got '2026-02-03T01:00'"),
        ({"format": "uuid"}, "x", "must be a uuid, got 'x'"),
        ({"format": "email"}, "x", "must be a email, got 'x'"),
        ({"format": "uri"}, "x", "must be a uri, got 'x'"),
        ({"not": {"type": "string"}}, "x", "is what is not allowed here, got 'x'"),
        ({"properties": {"a": {}}, "additionalProperties": False}, {"b": 1}, "is not known here"),
        ({"patternProperties": {"^n": {"type": "integer"}}}, {"n1": "a"}, "must be a whole number, got 'a'"),
    ],
)
def test_breaches_are_sentences(schema: dict[str, Any], value: Any, words: str) -> None:
    assert told(schema, value) == [words]


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer"}, 5),
        ({"type": "number"}, 5),
        ({"format": "date"}, "2026-02-28"),
        ({"format": "date-time"}, "2026-02-03T01:00:00Z"),
        ({"format": "time"}, "02:30"),
        ({"format": "email"}, "ann@example.org"),
        ({"format": "uri"}, "https://example.org/"),
        ({"format": "nobody-knows"}, "x"),
        ({"patternProperties": {"^n": {}}, "additionalProperties": False}, {"n1": "a"}),
        ({"additionalProperties": {"type": "integer"}}, {"n1": 5}),
        (True, "anything"),
    ],
)
def test_what_suits_says_nothing(schema: Any, value: Any) -> None:
    assert told(schema, value) == []


def test_what_is_missing_is_named() -> None:
    schema = {"required": ["a", "b"], "dependentRequired": {"c": ["d"]}}
    missing = [breach.missing for breach in breaches_of(schema, {"b": 1, "c": 1})]
    assert ("a",) in missing and ("d",) in missing


def test_a_pattern_takes_linear_time() -> None:
    before = time.monotonic()
    assert told({"pattern": "^(a+)+$"}, "a" * 50_000 + "!") != []
    assert time.monotonic() - before < 2


@pytest.mark.parametrize("pattern", [r"(a)\1", "(?=a)b", "(?<!a)b", "(", "a{1,1000000}{1,1000000}"])
def test_patterns_that_could_explode_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="cannot be used"):
        check_pattern("", pattern)


@pytest.mark.parametrize(
    "schema", [{"type": "strin"}, {"properties": 3}, {"minimum": "a"}, {"required": "x"}]
)
def test_what_is_no_schema_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        check_language(schema)


def test_types_are_those_of_the_dialect() -> None:
    assert is_type("integer", 5.0) and is_type("number", 5) and not is_type("integer", True)
