"""Keys of limits that name parameters: `tenant-{tenant}` is another mutex for each value of `tenant`."""

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from cronzimus.errors import Fault, Invalid
from cronzimus.models.job import JobDefinition
from cronzimus.models.kinds import PLACES, override_params
from cronzimus.models.parameters import is_secret, names_of
from cronzimus.models.references import has_reference, texts_in
from cronzimus.models.templating import is_template
from cronzimus.models.values import changed_by, effective_values
from cronzimus.utils.env import did_you_mean

LONGEST_KEY: Final = 200
_MARK: Final = re.compile(r"\{\{|\}\}|\{(?P<name>[^{}]*)\}|[{}]")
_DIGEST: Final = 16


def key_of(text: str, values: Mapping[str, Any]) -> str:
    """The key of one run; a name without a value, and one that is null, stand for nothing.

    A key is part of an index, so what is longer than 200 characters ends in a digest of the whole.
    """
    key = _MARK.sub(lambda mark: _filled(mark, values), text)
    if len(key) <= LONGEST_KEY:
        return key
    digest = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:_DIGEST]
    return f"{key[: LONGEST_KEY - _DIGEST - 1]}~{digest}"


def values_for_keys(definition: JobDefinition, given: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The named values of a run, nothing rendered; without a schema, those its kind takes by name."""
    named = effective_values(definition, given)
    if named is not None:
        return named
    params = override_params(definition.kind, definition.params, changed_by(definition, given))
    held = params.get(PLACES[definition.kind])
    return held if isinstance(held, Mapping) else {}


def check_keys(definition: JobDefinition) -> None:
    """Refuse a key that names what the job has not, or what is not known before the run begins; raises Invalid."""
    limits = definition.limits
    rate_key = limits.rate.key if limits.rate else None
    written = {"limits.mutex": limits.mutex, "limits.rate.key": rate_key}
    faults = [
        Fault(field, message)
        for field, text in written.items()
        if text
        for message in _wrong_in(text, definition)
    ]
    if faults:
        detail = "; ".join(f"{fault.field}: {fault.message}" for fault in faults)
        raise Invalid(detail, code="INVALID_LIMITS", faults=faults)


def _filled(mark: re.Match[str], values: Mapping[str, Any]) -> str:
    if mark["name"] is None:
        return mark[0][0]
    value = values.get(mark["name"])
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _wrong_in(text: str, definition: JobDefinition) -> Iterator[str]:
    own = values_for_keys(definition, None)
    schema = definition.parameters
    known = names_of(schema) if schema else tuple(own)
    for mark in _MARK.finditer(text):
        name = mark["name"]
        if name is None:
            if len(mark[0]) == 1:
                yield "a brace that stands for itself is written twice"
        elif message := _unfit(name, known, own.get(name), bool(schema and is_secret(schema, name))):
            yield message


def _unfit(name: str, known: Collection[str], own: Any, secret: bool) -> str | None:
    if name not in known:
        return f"{name!r} is not a parameter of this job{did_you_mean(name, known)}"
    if secret or has_reference(own):
        return f"{name!r} is a secret"
    if any(is_template(part) for part in texts_in(own)):
        return f"{name!r} is a template: its value is not known before the run begins"
    return None
