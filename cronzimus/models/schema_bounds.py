"""A JSON Schema is data that somebody wrote: looked at once, and bounded, before anything follows it.

Bounded are its size and depth, the references (they stay inside, and never lead in a circle or multiply), and the
patterns, which are matched in linear time.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from cronzimus.models.faults import shown
from cronzimus.models.schema import DIALECT, Schema, check_language, check_pattern
from cronzimus.utils.env import did_you_mean

LONGEST_SCHEMA: Final = 32_768
DEEPEST_SCHEMA: Final = 16
MOST_PARAMETERS: Final = 50

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}", re.ASCII)
_LOCAL: Final = re.compile(r"#(/\$defs/[A-Za-z0-9_.-]{1,63})?")
_MOST_STEPS: Final = 2_000
_LONGEST_PATTERN: Final = 500
_NOT_HERE: Final = frozenset(
    {"$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor", "$vocabulary"}
)
# Keywords whose members are values or names and no schemas, and those whose members have names of their own.
_PLAIN: Final = frozenset({"default", "const", "enum", "examples", "required", "dependentRequired"})
_BY_NAME: Final = frozenset({"properties", "$defs", "patternProperties", "dependentSchemas"})


def check_schema(schema: Any) -> None:
    """Raise ValueError with a sentence unless this can describe the parameters of a job."""
    if not isinstance(schema, Mapping):
        raise ValueError("must be a JSON Schema: an object with properties")
    parts = list(_parts(schema, "", 0))
    if len(json.dumps(schema)) > LONGEST_SCHEMA:
        raise ValueError(f"must not be longer than {LONGEST_SCHEMA} characters")
    if str(schema.get("$schema", DIALECT)).rstrip("#") != DIALECT:
        raise ValueError(f"$schema must be {DIALECT}")
    if schema.get("type", "object") != "object":
        raise ValueError("type must be object: parameters have names")
    for path, part in parts:
        _check_part(path, part)
    check_language(schema)
    _check_names(schema)
    if _steps(schema, schema, ()) > _MOST_STEPS:
        raise ValueError(f"takes more than {_MOST_STEPS} steps once its references are followed")


def target_of(schema: Schema, reference: str) -> Any:
    """What a local reference leads to; ValueError when that is nothing."""
    if reference == "#":
        return schema
    name = reference.removeprefix("#/$defs/")
    known = schema.get("$defs", {})
    if name not in known:
        raise ValueError(f"$ref {reference} leads nowhere{did_you_mean(name, known)}")
    return known[name]


def _check_part(path: str, part: Schema) -> None:
    for keyword in sorted(_NOT_HERE & part.keys()):
        raise ValueError(f"{path}{keyword} is not supported; use $defs and $ref")
    if "$schema" in part and path:
        raise ValueError(f"{path}$schema may only stand at the top")
    reference = part.get("$ref", "#")
    if not (isinstance(reference, str) and _LOCAL.fullmatch(reference)):
        raise ValueError(f"{path}$ref must be local, such as #/$defs/region; got {shown(reference)}")
    for text in _patterns(part):
        if not isinstance(text, str) or len(text) > _LONGEST_PATTERN:
            raise ValueError(f"{path}pattern must be a text of at most {_LONGEST_PATTERN} characters")
        check_pattern(path, text)


def _parts(schema: Any, path: str, depth: int) -> Iterator[tuple[str, Schema]]:
    """Every schema within a schema, with where it stands."""
    if depth > DEEPEST_SCHEMA:
        raise ValueError(f"must not be deeper than {DEEPEST_SCHEMA} levels")
    if isinstance(schema, Mapping):
        yield path, schema
        for keyword, value in schema.items():
            yield from _inner(keyword, value, f"{path}{keyword}.", depth + 1)


def _inner(keyword: str, value: Any, path: str, depth: int) -> Iterator[tuple[str, Schema]]:
    if keyword in _PLAIN:
        return
    if keyword in _BY_NAME and isinstance(value, Mapping):
        for name, part in value.items():
            yield from _parts(part, f"{path}{name}.", depth)
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from _parts(part, f"{path}{place}.", depth)
    else:
        yield from _parts(value, path, depth)


def _patterns(part: Schema) -> list[Any]:
    by_name = part.get("patternProperties")
    return [
        *([part["pattern"]] if "pattern" in part else []),
        *(by_name if isinstance(by_name, Mapping) else ()),
    ]


def _check_names(schema: Schema) -> None:
    names = tuple(schema.get("properties", {}))
    if len(names) > MOST_PARAMETERS:
        raise ValueError(f"must not have more than {MOST_PARAMETERS} properties")
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(f"properties: {shown(name)} cannot be a parameter; use letters, digits and _")
    for name in schema.get("required", ()):
        if name not in names:
            raise ValueError(
                f"required: {shown(name)} is not among the properties{did_you_mean(name, names)}"
            )


def _steps(schema: Schema, part: Any, way: tuple[str, ...]) -> int:
    """How many schemas a value is held against at the most; a reference in a circle is refused."""
    total = 0
    for path, inner in _parts(part, "", 0):
        total += 0 if path.startswith("$defs.") else 1
        reference = inner.get("$ref")
        if reference is None or path.startswith("$defs."):
            continue
        if reference in way or reference == "#":
            raise ValueError(f"$ref {reference} leads back to itself; parameters cannot be recursive")
        total += _steps(schema, target_of(schema, reference), (*way, reference))
        if total > _MOST_STEPS:
            break
    return total
