"""A schema is looked at before it is followed: bombs, circles and far references are refused at once."""

import time
from typing import Any

import pytest

from cronzimus.models.schema_bounds import check_schema, target_of


def of(**properties: Any) -> dict[str, Any]:
    """A schema with these properties."""
    return {"type": "object", "properties": properties}


def nested(depth: int) -> dict[str, Any]:
    """A property within a property, so many times."""
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


def doubled(levels: int) -> dict[str, Any]:
    """Definitions each of which holds the next one twice."""
    more = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(levels)}
    return {"$defs": {**more, f"d{levels}": {}}, "properties": {"x": {"$ref": "#/$defs/d0"}}}


CIRCLE = {"a": {"$ref": "#/$defs/b"}, "b": {"items": {"$ref": "#/$defs/a"}}}


@pytest.mark.parametrize(
    "schema",
    [
        {},
        of(),
        of(region={"type": "string", "enum": ["eu"]}, n={"type": "integer", "minimum": 1}),
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "properties": {"a": True}},
        {"$defs": {"r": {"type": "string"}}, "properties": {"a": {"$ref": "#/$defs/r"}}, "required": ["a"]},
        of(pattern={"type": "string", "pattern": "^[a-z]+$"}, default={"default": {"$ref": "no schema"}}),
        doubled(8),
        nested(6),
    ],
)
def test_sound_schemas_pass(schema: dict[str, Any]) -> None:
    check_schema(schema)


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ([], "must be a JSON Schema"),
        ({"type": "array"}, "type must be object"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, r"\$schema must be"),
        (of(a={"type": "strin"}), "properties.a.type"),
        ({"properties": 3}, "properties: must be an object"),
        (of(**{"not a name": {}}), "cannot be a parameter"),
        ({**of(region={}), "required": ["regoin"]}, "did you mean 'region'"),
        ({"properties": {f"p{n}": {} for n in range(51)}}, "more than 50"),
        (of(a={"description": "x" * 40_000}), "longer than"),
        (nested(40), "deeper than 16"),
        (of(a={"$ref": "https://example.org/schema.json"}), "must be local"),
        (of(a={"$ref": "file:///etc/passwd"}), "must be local"),
        (of(a={"$ref": 5}), "must be local"),
        (of(a={"$ref": "#/$defs/nobody"}), "leads nowhere"),
        (of(a={"$ref": "#"}), "leads back to itself"),
        ({"$defs": CIRCLE, **of(x={"$ref": "#/$defs/a"})}, "leads back to itself"),
        (doubled(24), "more than 2000 steps"),
        (of(a={"$id": "https://example.org/a"}), r"\$id is not supported"),
        (of(a={"$dynamicRef": "#a"}), r"\$dynamicRef is not supported"),
        (of(a={"$schema": "https://json-schema.org/draft/2020-12/schema"}), "only stand at the top"),
        (of(a={"pattern": r"(a)\1"}), "properties.a.pattern"),
        (of(a={"patternProperties": {"(?=x)": {}}}), "cannot be used"),
        (of(a={"pattern": "a" * 501}), "at most 500"),
        (of(a={"pattern": 5}), "must be a text"),
    ],
)
def test_others_are_refused_with_a_sentence(schema: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_schema(schema)


@pytest.mark.parametrize("schema", [doubled(60), nested(900), of(a={"enum": [list(range(10_000))]})])
def test_bombs_are_refused_at_once(schema: dict[str, Any]) -> None:
    before = time.monotonic()
    with pytest.raises(ValueError):
        check_schema(schema)
    assert time.monotonic() - before < 2


def test_target_of_follows_what_is_there() -> None:
    schema = {"$defs": {"a": {"type": "string"}}}
    assert target_of(schema, "#/$defs/a") == {"type": "string"} and target_of(schema, "#") is schema
