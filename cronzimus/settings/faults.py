"""What the settings tree refuses, as sentences that name the key, the place and what would be right."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from cronzimus.settings.keys import Key, hint, keys
from cronzimus.settings.report import Report, shown
from cronzimus.utils.env import did_you_mean

_LIMITS: Mapping[str, str] = {
    "greater_than": "must be greater than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must not be empty",
    "string_pattern_mismatch": "must match {pattern}",
    "missing": "is missing",
}
_OTHER_KIND = ("_type", "_parsing", "literal_error", "int_from_float", "finite_number")


def explain(error: ValidationError, origins: Mapping[str, str], report: Report) -> None:
    """Add one fault for each thing the tree refused."""
    seen: set[str] = set()
    for detail in error.errors(include_url=False):
        path, key = _located(detail["loc"])
        # A list whose items were refused is then called too short: only the items are worth a sentence.
        if path not in seen and not any(inner.startswith(f"{path}[") for inner in seen):
            seen.add(path)
            report.fault(path, _sentence(detail, path, key), _origin(path, detail, origins))


def _located(loc: tuple[int | str, ...]) -> tuple[str, Key | None]:
    """The key as people write it, and what is known of it; pydantic's names of union members are left out."""
    shown_path = known_path = ""
    key = None
    for part in loc:
        if isinstance(part, int):
            shown_path, known_path = f"{shown_path}[{part}]", f"{known_path}[]"
            continue
        longer = f"{known_path}.{part}" if known_path else part
        if key is not None and longer not in keys() and not known_path.endswith("[]"):
            break
        shown_path, known_path = (f"{shown_path}.{part}" if shown_path else part), longer
        key = keys().get(known_path, key)
    return shown_path, keys().get(known_path)


def _sentence(detail: ErrorDetails, path: str, key: Key | None) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    got = "" if key is not None and key.secret else f", got {shown(detail['input'])}"
    if kind == "value_error":
        return str(context["error"])
    if kind == "extra_forbidden":
        return f"unknown key{hint(_generic(path))}"
    if kind in _LIMITS:
        return _LIMITS[kind].format(**context) + ("" if kind == "missing" else got)
    if kind.endswith(_OTHER_KIND):
        return f"expected {_expected(detail, key)}{got}{_near(detail, key)}"
    return f"{detail['msg']}{got}"


def _expected(detail: ErrorDetails, key: Key | None) -> str:
    if key is not None:
        return key.expected
    if detail["type"] == "literal_error":
        return f"one of {str(detail['ctx']['expected']).replace(' or ', ', ')}".replace("'", "")
    return {"string_type": "text", "model_type": "a mapping"}.get(detail["type"], "another kind of value")


def _near(detail: ErrorDetails, key: Key | None) -> str:
    value: Any = detail["input"]
    return did_you_mean(value, key.choices) if key is not None and isinstance(value, str) else ""


def _generic(path: str) -> str:
    return "".join("[]" if part.isdecimal() else part for part in path.replace("[", "]").split("]"))


def _origin(path: str, detail: ErrorDetails, origins: Mapping[str, str]) -> str:
    """The place of the value, of the list around it, or of the values a sentence about a section names."""
    if path in origins:
        return origins[path]
    whole = path.partition("[")[0]
    if whole in origins:
        return origins[whole]
    sentence = str(detail.get("ctx", {}).get("error", ""))
    inner = [origin for key, origin in origins.items() if key.startswith(f"{path}.")]
    named = [
        origins[key] for key in origins if key.startswith(f"{path}.") and key.rpartition(".")[2] in sentence
    ]
    return ", ".join(dict.fromkeys(named or inner[:1])) or "default"
