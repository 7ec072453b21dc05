"""From a schema to a form and back: what a browser sends becomes the values it showed."""

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronzimus.models.forms import Choice, FieldKind, as_text, form_fields, read_form, read_texts
from cronzimus.models.parameters import faults_in
from cronzimus.models.schema_bounds import check_schema

SCHEMA: dict[str, Any] = {
    "properties": {
        "region": {"type": "string", "enum": ["eu", "us"], "title": "Region", "description": "where"},
        "size": {"type": "integer", "minimum": 1, "exclusiveMaximum": 6, "default": 3},
        "share": {"type": "number", "multipleOf": 0.5},
        "dry": {"type": "boolean", "default": True},
        "day": {"type": "string", "format": "date"},
        "note": {"type": "string", "maxLength": 2000},
        "code": {"type": "string", "pattern": "^[a-z]+$", "minLength": 2, "maxLength": 8},
        "conf": {"type": "object"},
        "api_key": {"type": "string", "format": "password"},
    },
    "required": ["code"],
}


def kinds() -> dict[str, FieldKind]:
    """How each is drawn."""
    return {field.name: field.kind for field in form_fields(SCHEMA)}


def test_each_type_has_its_field() -> None:
    assert kinds() == {
        "region": "select",
        "size": "number",
        "share": "number",
        "dry": "checkbox",
        "day": "date",
        "note": "textarea",
        "code": "text",
        "conf": "textarea",
        "api_key": "text",
    }


def test_a_field_tells_everything_a_page_needs() -> None:
    region, size, share, dry, *_, code, conf, api_key = form_fields(SCHEMA, {"size": 5, "conf": {"a": 1}})
    assert (region.label, region.help, region.value) == ("Region", "where", "")
    assert region.choices == (Choice("", ""), Choice("eu", "eu"), Choice("us", "us"))
    assert (size.value, size.default, size.min, size.max, size.step) == ("5", "3", 1, 6, "1")
    assert (share.step, dry.value) == ("0.5", "true")
    assert (code.required, code.pattern, code.min_length, code.max_length) == (True, "^[a-z]+$", 2, 8)
    assert conf.value == '{"a": 1}' and api_key.secret and api_key.label == "api key"


def test_a_form_that_was_not_touched_changes_nothing() -> None:
    values = {"size": 5, "note": "{{ due_at }}", "api_key": "${secret:KEY}", "conf": {"a": [1]}}
    sent = {field.name: field.value for field in form_fields(SCHEMA, values)}
    assert read_form(SCHEMA, sent, values).params == {}


def test_a_form_gives_typed_values() -> None:
    sent = {"region": "us", "size": "4", "share": "1.5", "conf": '{"x": [1]}', "note": "a\r\nb", "day": ""}
    read = read_form(SCHEMA, sent, shown=("dry",))
    assert read.faults == ()
    assert read.params == {
        "region": "us",
        "size": 4,
        "share": 1.5,
        "conf": {"x": [1]},
        "note": "a\nb",
        "dry": False,
    }


def test_a_checkbox_that_was_not_shown_says_nothing() -> None:
    assert read_form(SCHEMA, {}).params == {}


def test_what_cannot_be_read_is_told_by_field() -> None:
    read = read_form(SCHEMA, {"size": "many", "conf": "{", "code": "ab"})
    assert [fault.field for fault in read.faults] == ["params.size", "params.conf"]
    assert read.params == {"code": "ab"}


def test_texts_of_a_command_line_are_typed_by_the_schema() -> None:
    read = read_texts(SCHEMA, {"code": "5", "size": "5", "dry": "no", "stranger": "x"})
    assert read.params == {"code": "5", "size": 5, "dry": False, "stranger": "x"} and read.faults == ()
    assert read_texts(SCHEMA, {"size": "x"}).faults[0].field == "params.size"


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), ("a", "a"), (True, "true"), ([1], "[1]"), ("ä", "ä")]
)
def test_as_text(value: Any, text: str) -> None:
    assert as_text(value) == text


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
NUMBERS = st.integers(-(2**53), 2**53)
JSON = st.recursive(
    NUMBERS | st.booleans() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
)
TYPED = st.one_of(
    TEXTS.map(lambda value: ({"type": "string"}, value)),
    NUMBERS.map(lambda value: ({"type": "integer"}, value)),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda value: ({"type": "number"}, value)),
    st.booleans().map(lambda value: ({"type": "boolean"}, value)),
    st.dates().map(lambda value: ({"type": "string", "format": "date"}, value.isoformat())),
    st.lists(JSON, max_size=3).map(lambda value: ({"type": "array"}, value)),
    st.dictionaries(TEXTS, JSON, max_size=3).map(lambda value: ({"type": "object"}, value)),
    st.lists(TEXTS, min_size=1, max_size=4, unique=True).map(lambda values: ({"enum": values}, values[-1])),
)
NAMES = st.text(string.ascii_letters, min_size=1, max_size=8)


@given(st.dictionaries(NAMES, TYPED, max_size=5))
def test_schema_to_form_to_parameters_and_back(made: dict[str, tuple[dict[str, Any], Any]]) -> None:
    schema = {"properties": {name: about for name, (about, _) in made.items()}}
    values = {name: value for name, (_, value) in made.items()}
    check_schema(schema)
    assert faults_in(schema, values) == ()
    sent = {field.name: field.value for field in form_fields(schema, values)}
    read = read_form(schema, sent)
    assert read.faults == () and read.params == values
