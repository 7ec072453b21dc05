"""A schema as the fields of a form, and what somebody wrote into them as typed parameters.

For whoever draws the form::

    fields = form_fields(schema, values)                # values: what the job has now (`own_values`)
    read = read_form(schema, submitted, values)         # submitted: a mapping of names to texts
    read.faults or start_run(params=read.params)

A browser sends nothing for a checkbox that is not ticked: draw `<input type="hidden" name="given" …>` or the like
beside each and pass the names of all checkboxes shown as `shown`. A field left as it was is not among
`read.params`: the job's own value then counts, with its template or reference. An empty field is one that was
left out, unless the job has a value for it that an empty text replaces.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cronzimus.errors import Fault
from cronzimus.models.parameters import FIELD, converted, is_secret, names_of, property_of
from cronzimus.models.schema import Schema

_LONG_TEXT = 200


class FieldKind(StrEnum):
    """How a field is drawn."""

    TEXT = "text"
    NUMBER = "number"
    CHECKBOX = "checkbox"
    SELECT = "select"
    TEXTAREA = "textarea"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the values of a select: what is sent, and what is shown."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class FormField:
    """One parameter in a form; `value` is what the field holds now, as the text a browser would send."""

    name: str
    kind: FieldKind
    label: str
    help: str
    required: bool
    value: str
    default: str
    choices: tuple[Choice, ...] = ()
    min: float | None = None
    max: float | None = None
    step: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    secret: bool = False


@dataclass(frozen=True, slots=True)
class FormRead:
    """What a form came to: the parameters that differ from the job's own, and what could not be read."""

    params: dict[str, Any]
    faults: tuple[Fault, ...]


def form_fields(schema: Schema, values: Mapping[str, Any] | None = None) -> tuple[FormField, ...]:
    """One field for each parameter, in the order written; raises nothing for a schema that was accepted."""
    return tuple(_field(schema, name, values or {}) for name in names_of(schema))


def read_form(
    schema: Schema,
    submitted: Mapping[str, str],
    values: Mapping[str, Any] | None = None,
    *,
    shown: Collection[str] = (),
) -> FormRead:
    """The typed parameters of a submitted form; each fault names its field as `params.<name>`.

    Only the texts are read here: whether the values suit the schema is said where a run is started.
    """
    params: dict[str, Any] = {}
    faults: list[Fault] = []
    for field in form_fields(schema, values):
        text = submitted.get(field.name)
        if text is None and field.kind is FieldKind.CHECKBOX and field.name in shown:
            text = "false"
        if text is None or text == field.value or (not text and field.kind is not FieldKind.TEXT):
            continue
        try:
            params[field.name] = converted(property_of(schema, field.name), _with_newlines(text))
        except ValueError as error:
            faults.append(Fault(f"{FIELD}.{field.name}", str(error)))
    return FormRead(params, tuple(faults))


def read_texts(schema: Schema, texts: Mapping[str, str]) -> FormRead:
    """The same for texts that were each given on purpose, as on a command line; unknown names stay texts."""
    params: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, text in texts.items():
        try:
            params[name] = converted(property_of(schema, name), text)
        except ValueError as error:
            faults.append(Fault(f"{FIELD}.{name}", str(error)))
    return FormRead(params, tuple(faults))


def as_text(value: Any) -> str:
    """A value as a field holds it: texts as they are, everything else as JSON, nothing as an empty text."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _field(schema: Schema, name: str, values: Mapping[str, Any]) -> FormField:
    about = property_of(schema, name)
    kind = _kind_of(about)
    default = as_text(about.get("default"))
    return FormField(
        name=name,
        kind=kind,
        label=str(about.get("title") or name.replace("_", " ")),
        help=str(about.get("description", "")),
        required=name in schema.get("required", ()),
        value=as_text(values[name]) if name in values else default,
        default=default,
        choices=_choices(schema, name, about) if kind is FieldKind.SELECT else (),
        min=_bound(about, "minimum", "exclusiveMinimum"),
        max=_bound(about, "maximum", "exclusiveMaximum"),
        step=_step(about) if kind is FieldKind.NUMBER else None,
        min_length=about.get("minLength"),
        max_length=about.get("maxLength"),
        pattern=about.get("pattern"),
        secret=is_secret(schema, name),
    )


def _kind_of(about: Mapping[str, Any]) -> FieldKind:
    """The plainest field that can hold every value allowed; what has a structure is written as JSON."""
    wanted = about.get("type")
    if "enum" in about:
        return FieldKind.SELECT
    if wanted == "boolean":
        return FieldKind.CHECKBOX
    if wanted in ("integer", "number"):
        return FieldKind.NUMBER
    if wanted != "string":
        return FieldKind.TEXTAREA
    if about.get("format") == "date":
        return FieldKind.DATE
    is_long = about.get("maxLength", 0) > _LONG_TEXT or about.get("contentMediaType") is not None
    return FieldKind.TEXTAREA if is_long else FieldKind.TEXT


def _choices(schema: Schema, name: str, about: Mapping[str, Any]) -> tuple[Choice, ...]:
    """The values allowed; first nothing at all, where that is allowed too."""
    may_be_empty = name not in schema.get("required", ()) and "default" not in about
    values = [as_text(item) if item is not None else "null" for item in about["enum"]]
    return (*[Choice("", "")] * may_be_empty, *(Choice(text, text) for text in values))


def _bound(about: Mapping[str, Any], *keywords: str) -> float | None:
    found = [about[keyword] for keyword in keywords if keyword in about]
    return found[0] if found else None


def _step(about: Mapping[str, Any]) -> str:
    if "multipleOf" in about:
        return as_text(about["multipleOf"])
    return "1" if about.get("type") == "integer" else "any"


def _with_newlines(text: str) -> str:
    """A browser sends the lines of a text area with carriage returns."""
    return text.replace("\r\n", "\n")
