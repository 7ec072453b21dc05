"""The parameters of a job's runs: what its schema says of each, and what is wrong with values for them."""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from cronzimus.errors import Fault
from cronzimus.models.faults import shown
from cronzimus.models.schema import TYPES, Breach, Schema, breaches_of, is_type
from cronzimus.models.schema_bounds import target_of
from cronzimus.utils.env import did_you_mean

LONGEST_VALUES: Final = 65_536
MOST_VALUES: Final = 1_000
FIELD: Final = "params"

_TRUE: Final = ("true", "on", "yes")
_FALSE: Final = ("false", "off", "no")
# Keywords that weigh all values together: with some not known yet, what they say means nothing.
_TOGETHER: Final = frozenset({"anyOf", "oneOf", "not", "if", "const", "enum", "dependentSchemas"})


def names_of(schema: Schema) -> tuple[str, ...]:
    """The parameters in the order they were written."""
    return tuple(schema.get("properties", {}))


def property_of(schema: Schema, name: str) -> dict[str, Any]:
    """What the schema says of one parameter, references followed; what stands beside a reference wins."""
    found = schema.get("properties", {}).get(name, {})
    return _followed(schema, found) if isinstance(found, Mapping) else {}


def defaults_of(schema: Schema) -> dict[str, Any]:
    """The parameters that have a default."""
    found = {name: property_of(schema, name) for name in names_of(schema)}
    return {name: about["default"] for name, about in found.items() if "default" in about}


def is_secret(schema: Schema, name: str) -> bool:
    """Whether the schema calls the parameter a secret: `format: password` or `writeOnly: true`."""
    about = property_of(schema, name)
    return about.get("format") == "password" or about.get("writeOnly") is True


def faults_in(
    schema: Schema, values: Mapping[str, Any], *, unknown: Collection[str] = (), complete: bool = True
) -> tuple[Fault, ...]:
    """What is wrong with the values; fields are `params.<name>`.

    The values of `unknown` parameters are not settled yet and are right whatever they are. Unless `complete`,
    required ones may be missing: they are given when a run is started.
    """
    if too_much := _too_much(values):
        return (Fault(FIELD, too_much),)
    found = [*_strangers(schema, values)]
    for breach in breaches_of(schema, values):
        if not _is_excused(breach, unknown, complete):
            found += _told(breach)
    return tuple(dict.fromkeys(found))


def converted(about: Schema, text: str) -> Any:
    """The value a person meant by a text, by the type its schema names; ValueError says what was expected."""
    wanted = about.get("type", ())
    kinds = (wanted,) if isinstance(wanted, str) else tuple(wanted)
    if meant := [item for item in about.get("enum", ()) if _as_text(item) == text]:
        return meant[0]
    if "null" in kinds and text == "null":
        return None
    if "string" in kinds:
        return text
    if not kinds:
        return _from_json(text, otherwise=text)
    return _read(text.strip(), kinds)


def _read(text: str, kinds: tuple[str, ...]) -> Any:
    if "boolean" in kinds and text.lower() in (*_TRUE, *_FALSE):
        return text.lower() in _TRUE
    value = _from_json(text, otherwise=None)
    if "integer" in kinds and isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None or not any(is_type(kind, value) for kind in kinds):
        raise ValueError(f"must be {' or '.join(TYPES[kind] for kind in kinds)}, got {shown(text)}")
    return value


def _from_json(text: str, *, otherwise: Any) -> Any:
    try:
        return json.loads(text, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return otherwise


def _no_json(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _followed(schema: Schema, part: Schema) -> dict[str, Any]:
    if "$ref" not in part:
        return dict(part)
    target = target_of(schema, part["$ref"])
    return {**(_followed(schema, target) if isinstance(target, Mapping) else {}), **part}


def _too_much(values: Mapping[str, Any]) -> str | None:
    if len(json.dumps(values, default=str)) > LONGEST_VALUES:
        return f"must not be longer than {LONGEST_VALUES} characters in all"
    if _count(values) > MOST_VALUES:
        return f"must not hold more than {MOST_VALUES} values in all"
    return None


def _count(value: Any) -> int:
    if isinstance(value, Mapping):
        return 1 + sum(map(_count, value.values()))
    return 1 + sum(map(_count, value)) if isinstance(value, list | tuple) else 1


def _strangers(schema: Schema, values: Mapping[str, Any]) -> Iterator[Fault]:
    known = names_of(schema)
    for name in values:
        if name not in known:
            yield Fault(f"{FIELD}.{name}", f"is not a parameter of this job{did_you_mean(str(name), known)}")


def _is_excused(breach: Breach, unknown: Collection[str], complete: bool) -> bool:
    if breach.path:
        return breach.path[0] in unknown or (
            breach.keyword == "additionalProperties" and len(breach.path) == 1
        )
    if breach.keyword == "required":
        return not complete
    return bool(unknown or not complete) and breach.keyword in _TOGETHER


def _told(breach: Breach) -> Iterator[Fault]:
    field = ".".join([FIELD, *map(str, breach.path)])
    if not breach.missing:
        yield Fault(field, breach.message)
    for name in breach.missing:
        yield Fault(f"{field}.{name}", "is required")
