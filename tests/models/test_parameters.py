"""Values against the schema of a job: each fault names its field."""

from typing import Any

import pytest

from cronzimus.models.parameters import (
    LONGEST_VALUES,
    MOST_VALUES,
    converted,
    defaults_of,
    faults_in,
    is_secret,
    names_of,
    property_of,
)

SCHEMA: dict[str, Any] = {
    "$defs": {"size": {"type": "integer", "minimum": 1, "default": 3}},
    "properties": {
        "region": {"type": "string", "enum": ["eu", "us"], "default": "eu"},
        "size": {"$ref": "#/$defs/size", "maximum": 5},
        "day": {"type": "string", "format": "date"},
        "conf": {"type": "object", "properties": {"deep": {"type": "boolean"}}},
        "key": {"type": "string", "format": "password"},
    },
    "required": ["day"],
    "anyOf": [{"required": ["day"]}, {"required": ["size"]}],
}


def fields(values: dict[str, Any], **how: Any) -> dict[str, str]:
    """What is wrong, by field."""
    return {fault.field: fault.message for fault in faults_in(SCHEMA, values, **how)}


def test_names_and_defaults_follow_references() -> None:
    assert names_of(SCHEMA) == ("region", "size", "day", "conf", "key")
    assert defaults_of(SCHEMA) == {"region": "eu", "size": 3}
    assert property_of(SCHEMA, "size") == {
        "$ref": "#/$defs/size",
        "type": "integer",
        "minimum": 1,
        "maximum": 5,
        "default": 3,
    }
    assert is_secret(SCHEMA, "key") and not is_secret(SCHEMA, "day")


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({}, "params.day", "is required"),
        ({"day": "x"}, "params.day", "must be a date, got 'x'"),
        ({"day": "2026-01-01", "region": "asia"}, "params.region", "must be one of eu, us, got 'asia'"),
        ({"day": "2026-01-01", "size": 9}, "params.size", "must be at most 5, got 9"),
        ({"day": "2026-01-01", "conf": {"deep": 1}}, "params.conf.deep", "must be true or false, got 1"),
        (
            {"day": "2026-01-01", "reigon": 1},
            "params.reigon",
            "is not a parameter of this job; did you mean 'region'?",
        ),
        (
            {"day": "x" * LONGEST_VALUES},
            "params",
            f"must not be longer than {LONGEST_VALUES} characters in all",
        ),
        (
            {"conf": {"a": [1] * MOST_VALUES}},
            "params",
            f"must not hold more than {MOST_VALUES} values in all",
        ),
    ],
)
def test_faults_name_the_field(values: dict[str, Any], field: str, words: str) -> None:
    assert fields(values)[field] == words


def test_values_that_suit_have_no_faults() -> None:
    assert fields({"day": "2026-01-01", "region": "us", "size": 5}) == {}


def test_what_is_not_settled_yet_is_right() -> None:
    assert fields({"day": "{{ due_at|date }}", "size": "${secret:N}"}, unknown=("day", "size")) == {}
    assert "params.region" in fields({"day": "x", "region": "x"}, unknown=("day",))


def test_required_ones_may_come_later() -> None:
    assert fields({}, complete=False) == {}
    assert "params.size" in fields({"size": 0}, complete=False)


def test_strangers_are_told_once() -> None:
    schema = {**SCHEMA, "additionalProperties": False}
    assert len(faults_in(schema, {"day": "2026-01-01", "x": 1})) == 1


@pytest.mark.parametrize(
    ("about", "text", "value"),
    [
        ({"type": "string"}, "5", "5"),
        ({"type": "integer"}, " 5 ", 5),
        ({"type": "integer"}, "5.0", 5),
        ({"type": "number"}, "5.5", 5.5),
        ({"type": "boolean"}, "on", True),
        ({"type": "boolean"}, "FALSE", False),
        ({"type": "array"}, "[1, 2]", [1, 2]),
        ({"type": "object"}, '{"a": 1}', {"a": 1}),
        ({"type": ["integer", "null"]}, "null", None),
        ({"enum": [1, 2, "3"]}, "2", 2),
        ({"enum": [1, 2, "3"]}, "3", "3"),
        ({"enum": [True]}, "true", True),
        ({}, "5", 5),
        ({}, "plain", "plain"),
        ({}, "NaN", "NaN"),
    ],
)
def test_converted_reads_by_type(about: dict[str, Any], text: str, value: Any) -> None:
    found = converted(about, text)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        ("integer", "5.5", "must be a whole number, got '5.5'"),
        ("integer", "", "must be a whole number"),
        ("integer", "true", "must be a whole number"),
        ("number", "NaN", "must be a number"),
        ("boolean", "maybe", "must be true or false"),
        ("array", "{}", "must be a list"),
        ("object", "[" * 100_000, "must be an object"),
    ],
)
def test_converted_says_what_it_expected(kind: str, text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        converted({"type": kind}, text)
