"""Validation errors of pydantic, said in our words: dotted paths, no union noise, short echoes."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from cronzimus.errors import Fault, Invalid
from cronzimus.utils.env import did_you_mean

Model = TypeVar("Model", bound=BaseModel)

ECHO: Final = 60

_NOISE: Final = re.compile(
    r"[\[\](){}]|^function-|^(int|float|str|bool|constrained|nullable|lax|strict)\b.*-"
)
_TAGS: Final = frozenset({"interval", "cron", "date", "manual"})
_WRONG_BRANCH: Final = frozenset(
    {"tuple_type", "list_type", "model_type", "dict_type", "model_attributes_type", "union_tag_not_found"}
)
_SENTENCES: Final[Mapping[str, str]] = {
    "missing": "is required",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "string_type": "must be a text",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "uuid_parsing": "must be a UUID",
    "uuid_type": "must be a UUID",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match {pattern}",
    "too_short": "must hold at least {min_length} items",
    "too_long": "must hold at most {max_length} items",
    "enum": "must be one of {expected}",
    "literal_error": "must be one of {expected}",
    "union_tag_invalid": "must be one of {expected_tags}",
    "union_tag_not_found": "must name its type",
}
_WITHOUT_ECHO: Final = frozenset({"missing", "extra_forbidden", "value_error", "union_tag_not_found"})


def refusal(error: ValidationError, *, known: Iterable[str] = ()) -> Invalid:
    """The Invalid that tells what `error` found; `known` are the fields an unknown one may have meant."""
    faults = faults_of(error, known=known)
    first = faults[0]
    detail = f"{first.field}: {first.message}" if first.field else first.message
    return Invalid(detail, code=code_of(faults), faults=faults)


def code_of(faults: Iterable[Fault]) -> str:
    """INVALID_TRIGGER when any fault lies under the trigger, else VALIDATION_ERROR."""
    under_trigger = any(fault.field.partition(".")[0] == "trigger" for fault in faults)
    return "INVALID_TRIGGER" if under_trigger else "VALIDATION_ERROR"


def faults_of(error: ValidationError, *, known: Iterable[str] = ()) -> tuple[Fault, ...]:
    """Every fault once, in the order found; those of a union's branch that was not meant are left out."""
    names = tuple(known)
    found = [
        (_path(detail["loc"]), detail) for detail in error.errors(include_url=False, include_context=True)
    ]
    meant = [
        Fault(path, _message(detail, names))
        for path, detail in found
        if not (detail["type"] in _WRONG_BRANCH and _is_contradicted(path, detail, found))
    ]
    return tuple(dict.fromkeys(meant))


def validated(cls: type[Model], value: Any, validate: Callable[[Any], Model]) -> Model:
    """What `validate` makes of `value`, with its refusal in our words."""
    try:
        return validate(value)
    except ValidationError as error:
        raise refusal(error, known=cls.model_fields) from None


def shown(value: Any) -> str:
    """A value as it may be echoed: never longer than 60 characters, nothing nested."""
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    text = repr(value[:ECHO]) if isinstance(value, str) else repr(value)
    return text if len(text) <= ECHO else text[: ECHO - 1] + "…"


def _path(loc: tuple[int | str, ...]) -> str:
    parts = [str(part) for index, part in enumerate(loc) if not _is_noise(loc, index)]
    return ".".join(parts)


def _is_noise(loc: tuple[int | str, ...], index: int) -> bool:
    part = loc[index]
    if isinstance(part, int):
        return False
    is_tag = part in _TAGS and index > 0 and "trigger" in loc[:index]
    return is_tag or bool(_NOISE.search(part))


def _is_contradicted(path: str, detail: ErrorDetails, found: list[tuple[str, ErrorDetails]]) -> bool:
    """Whether another fault at or below the same place shows that this branch of the union was not meant."""
    others = [other for other in found if other[1] is not detail and _is_within(other[0], path)]
    return any(other[1]["type"] not in _WRONG_BRANCH for other in others)


def _is_within(path: str, parent: str) -> bool:
    return path == parent or path.startswith(f"{parent}." if parent else "")


def _message(detail: ErrorDetails, known: tuple[str, ...]) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        name = str(detail["loc"][-1])
        hint = did_you_mean(name, known) if len(detail["loc"]) == 1 else ""
        return f"is not known here{hint}"
    if kind == "value_error":
        return str(context.get("error", detail["msg"]))
    if kind in _SENTENCES:
        sentence = _SENTENCES[kind].format(**context)
    else:
        sentence = re.sub(r"^Input should (not )?be ", r"must \1be ", detail["msg"])
    return sentence if kind in _WITHOUT_ECHO else f"{sentence}, got {shown(detail['input'])}"
