"""The door to jsonschema: draft 2020-12 without anything that fetches, and patterns that cannot explode."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any, Final, NamedTuple
from uuid import UUID

from jsonschema import Draft202012Validator, FormatChecker, SchemaError, ValidationError
from jsonschema.validators import extend
from pydantic_core import SchemaError as BadPattern
from pydantic_core import SchemaValidator
from pydantic_core import ValidationError as NoMatch
from pydantic_core import core_schema
from referencing import Registry

from cronzimus.models.faults import shown

Schema = Mapping[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
TYPES: Final = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}

_SENTENCES: Final[Mapping[str, str]] = {
    "const": "must be {0!r}",
    "minLength": "must have at least {0} characters",
    "maxLength": "must have at most {0} characters",
    "pattern": "must match {0}",
    "minimum": "must be at least {0}",
    "maximum": "must be at most {0}",
    "exclusiveMinimum": "must be greater than {0}",
    "exclusiveMaximum": "must be less than {0}",
    "multipleOf": "must be a multiple of {0}",
    "minItems": "must hold at least {0} items",
    "maxItems": "must hold at most {0} items",
    "uniqueItems": "must not hold the same item twice",
    "minProperties": "must have at least {0} members",
    "maxProperties": "must have at most {0} members",
    "format": "must be a {0}",
    "anyOf": "is none of what is allowed here",
    "oneOf": "must be exactly one of what is allowed here",
    "not": "is what is not allowed here",
}
_ABOUT_MEMBERS: Final = frozenset({"required", "minProperties", "maxProperties", "dependentRequired"})


class Breach(NamedTuple):
    """One thing a value breaks: where, which keyword, and a sentence without the field."""

    path: tuple[str | int, ...]
    keyword: str
    message: str
    missing: tuple[str, ...] = ()


def check_language(schema: Schema) -> None:
    """Raise ValueError unless this is a schema of the dialect."""
    try:
        Draft202012Validator.check_schema(dict(schema))
    except SchemaError as error:
        place = ".".join(map(str, error.absolute_path))
        raise ValueError(f"{place or 'the schema'}: {_sentence(error)}") from None


def check_pattern(path: str, text: str) -> None:
    """Raise ValueError unless the pattern can be matched in linear time: no look-around, no back-references."""
    try:
        _matcher(text)
    except BadPattern as error:
        reason = str(error).strip().splitlines()[-1].strip().removeprefix("error:").strip()
        raise ValueError(f"{path}pattern {shown(text)} cannot be used: {reason}") from None


def is_type(kind: str, value: Any) -> bool:
    """Whether a value is of a type of the dialect."""
    return bool(Draft202012Validator.TYPE_CHECKER.is_type(value, kind))


def breaches_of(schema: Schema, values: Mapping[str, Any]) -> Iterator[Breach]:
    """Everything in which the values break the schema, which `check_schema` has passed."""
    for error in _validator(json.dumps(schema)).iter_errors(dict(values)):
        missing = _missing(error) if error.validator in ("required", "dependentRequired") else ()
        yield Breach(tuple(error.absolute_path), str(error.validator), _sentence(error), missing)


@lru_cache(maxsize=512)
def _validator(schema: str) -> Any:
    # An empty registry: what is not in the schema cannot be found, and nothing is ever fetched.
    return _Validator(json.loads(schema), registry=Registry(), format_checker=_FORMATS)


@lru_cache(maxsize=1024)
def _matcher(pattern: str) -> SchemaValidator:
    return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex", strict=True))


def _matches(pattern: str, text: str) -> bool:
    try:
        _matcher(pattern).validate_python(text)
    except NoMatch:
        return False
    return True


def _pattern(validator: Any, pattern: str, value: Any, schema: Schema) -> Iterator[ValidationError]:
    if isinstance(value, str) and not _matches(pattern, value):
        yield ValidationError(f"must match {pattern}")


def _pattern_properties(
    validator: Any, by_pattern: Schema, value: Any, schema: Schema
) -> Iterator[ValidationError]:
    for pattern, part in by_pattern.items():
        for name, item in value.items() if isinstance(value, dict) else ():
            if _matches(pattern, name):
                yield from validator.descend(item, part, path=name, schema_path=pattern)


def _additional(validator: Any, part: Any, value: Any, schema: Schema) -> Iterator[ValidationError]:
    if not isinstance(value, dict):
        return
    for name, item in value.items():
        known = name in schema.get("properties", {})
        if not known and not any(_matches(pattern, name) for pattern in schema.get("patternProperties", {})):
            if part is False:
                yield ValidationError("is not known here", path=[name])
            else:
                yield from validator.descend(item, part, path=name)


_Validator: Final = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {"pattern": _pattern, "patternProperties": _pattern_properties, "additionalProperties": _additional},
)


def _formats() -> FormatChecker:
    checker = FormatChecker(formats=())
    readers = {"date": date.fromisoformat, "time": time.fromisoformat, "date-time": _instant, "uuid": UUID}
    for name, read in readers.items():
        checker.checks(name, raises=ValueError)(_reading(read))
    checker.checks("email")(lambda value: not isinstance(value, str) or _EMAIL.fullmatch(value) is not None)
    checker.checks("uri")(lambda value: not isinstance(value, str) or _URI.fullmatch(value) is not None)
    return checker


def _reading(read: Any) -> Any:
    def _check(value: Any) -> bool:
        if isinstance(value, str):
            read(value)
        return True

    return _check


def _instant(text: str) -> None:
    if len(text) < len("2026-01-01T00:00") or datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("an instant needs a time and an offset")


_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s]+")
_FORMATS: Final = _formats()


def _sentence(error: Any) -> str:
    keyword, wanted, value = str(error.validator), error.validator_value, error.instance
    if keyword in ("required", "dependentRequired"):
        return "is required"
    if keyword == "type":
        kinds = [wanted] if isinstance(wanted, str) else list(wanted)
        return f"must be {' or '.join(TYPES.get(kind, kind) for kind in kinds)}, got {shown(value)}"
    if keyword == "enum":
        return f"must be one of {', '.join(map(str, wanted))}, got {shown(value)}"
    if keyword in _SENTENCES:
        sentence = _SENTENCES[keyword].format(wanted)
        return sentence if keyword in _ABOUT_MEMBERS else f"{sentence}, got {shown(value)}"
    return "is not known here" if keyword == "additionalProperties" else "is not allowed here"


def _missing(error: Any) -> tuple[str, ...]:
    given = error.instance if isinstance(error.instance, dict) else {}
    if error.validator == "required":
        return tuple(name for name in error.validator_value if name not in given)
    wanted = [names for name, names in error.validator_value.items() if name in given]
    return tuple(name for names in wanted for name in names if name not in given)
