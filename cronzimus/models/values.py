"""What a run is called with: the job's own values, what was given for the run, templates, and the kind's form.

A job with a schema has named parameters, and only they can be given for a run. The job's own value of each lies
where its kind takes values by name (`kwargs`, `args`, `env`, `json`), else it is the schema's default. A job without a
schema is overridden as before: by keyword argument, or by field of `params`.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from cronzimus.errors import Fault, Invalid
from cronzimus.models.faults import faults_of
from cronzimus.models.job import JobDefinition
from cronzimus.models.kinds import PARAMS, PLACES, Kind, override_params
from cronzimus.models.occasion import Occasion
from cronzimus.models.parameters import (
    FIELD,
    converted,
    defaults_of,
    faults_in,
    is_secret,
    names_of,
    property_of,
)
from cronzimus.models.references import fields_of, has_reference, names_in, plain_secrets, texts_in
from cronzimus.models.templating import (
    check_template,
    is_template,
    names_for,
    rendered,
    uses,
    without_templates,
)

# Never rendered: a template there would let a parameter choose the function, or write SQL.
_NEVER_RENDERED = {Kind.FUNCTION: "func", Kind.SQL: "statement"}


def own_values(definition: JobDefinition) -> dict[str, Any]:
    """The value of each parameter when nothing is given for a run; what has none is left out."""
    schema = definition.parameters
    if schema is None:
        return {}
    place = definition.params.get(PLACES[definition.kind])
    held = place if isinstance(place, Mapping) else {}
    own = {name: _as_typed(definition, name, held[name]) for name in names_of(schema) if name in held}
    return {**defaults_of(schema), **own}


def effective_values(definition: JobDefinition, given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The named values of a run before anything is rendered; None for a job without a schema."""
    return None if definition.parameters is None else {**own_values(definition), **(given or {})}


def check_values(definition: JobDefinition) -> None:
    """Refuse a job whose own values break its schema, or whose templates cannot be rendered; raises Invalid."""
    faults = [*_wrong_templates(definition), *_wrong_values(definition)]
    if faults:
        raise _wrong(faults)


def check_given(
    definition: JobDefinition, given: Mapping[str, Any] | None, *, allow_plain: bool = False
) -> None:
    """Refuse what cannot be given for a run of the job; raises Invalid INVALID_PARAMS naming each field.

    Somebody who may start a job may not thereby read a secret that the job does not use.
    """
    changed = changed_by(definition, given)
    faults = [
        *_foreign_secrets(definition, changed),
        *(() if allow_plain else _open_secrets(definition, changed)),
    ]
    if definition.parameters is None:
        open_params = without_templates(definition.params) if definition.templates else definition.params
        faults += _unsuitable(definition, override_params(definition.kind, open_params, changed))
    else:
        values = {**own_values(definition), **changed}
        faults += faults_in(definition.parameters, values, unknown=_unsettled(definition, values))
    if faults:
        raise _wrong(faults)


def changed_by(definition: JobDefinition, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """What was given and is not the job's own value anyway: a form sends back what it showed."""
    own = own_values(definition)
    return {name: value for name, value in (given or {}).items() if name not in own or own[name] != value}


def prepared(
    definition: JobDefinition, given: Mapping[str, Any] | None, occasion: Occasion | None
) -> dict[str, Any]:
    """The `params` of one run, its secrets still references; raises Invalid naming the field.

    1. The job's own named values are rendered; they may speak of those that hold no template themselves.
    2. What was given for the run joins them as it is: what a person gives is data and never rendered.
    3. Every other text is rendered and sees all named values.
    """
    occasion = occasion if definition.templates else None
    changed = changed_by(definition, given)
    if definition.parameters is None:
        params = definition.params if occasion is None else _rendered_params(definition, {}, occasion)
        return _suitable(definition, override_params(definition.kind, params, changed))
    values = _settled(definition, changed, occasion)
    faults = faults_in(definition.parameters, values, unknown=_hidden(values))
    if faults:
        raise _wrong(faults)
    params = definition.params if occasion is None else _rendered_params(definition, values, occasion)
    return _suitable(definition, _placed(definition, params, values))


def speaks_of(definition: JobDefinition, name: str) -> bool:
    """Whether any template of the job uses a name."""
    return definition.templates and any(uses(text, name) for text in texts_in(_renderable(definition)))


def secrets_of(definition: JobDefinition) -> frozenset[str]:
    """The names of the secrets a job refers to."""
    return names_in(definition.params) | names_in(own_values(definition))


# --- checks


def _wrong_templates(definition: JobDefinition) -> Iterator[Fault]:
    if not definition.templates:
        return
    names = names_of(definition.parameters or {})
    never = _NEVER_RENDERED.get(definition.kind)
    if never and is_template(str(definition.params.get(never, ""))):
        yield Fault(f"{FIELD}.{never}", "is never rendered; give what changes as a parameter")
    for path, text in fields_of(_renderable(definition), FIELD):
        if is_template(text):
            try:
                check_template(text, names, (one.job for one in definition.depends_on))
            except ValueError as error:
                yield Fault(path, str(error))


def _wrong_values(definition: JobDefinition) -> tuple[Fault, ...]:
    if definition.parameters is None:
        return ()
    own = own_values(definition)
    by_hand = all(trigger.type == "manual" for trigger in definition.triggers)
    return faults_in(definition.parameters, own, unknown=_unsettled(definition, own), complete=not by_hand)


def _foreign_secrets(definition: JobDefinition, changed: Mapping[str, Any]) -> Iterator[Fault]:
    known = secrets_of(definition)
    for name, value in changed.items():
        for secret in sorted(names_in(value) - known):
            yield Fault(f"{FIELD}.{name}", f"secret {secret[:60]!r} is not one the job refers to")


def _open_secrets(definition: JobDefinition, changed: Mapping[str, Any]) -> Iterator[Fault]:
    yield from plain_secrets(changed, FIELD)
    for name in changed if definition.parameters else ():
        is_open = changed[name] not in (None, "") and not has_reference(changed[name])
        if is_open and is_secret(definition.parameters or {}, name):
            yield Fault(f"{FIELD}.{name}", "is a secret: only a reference the job has can be given for it")


def _unsuitable(definition: JobDefinition, params: Mapping[str, Any]) -> Iterator[Fault]:
    """What the kind itself does not take."""
    try:
        PARAMS[definition.kind].model_validate(params)
    except ValidationError as error:
        for fault in faults_of(error):
            yield Fault(f"{FIELD}.{fault.field}".rstrip("."), fault.message)


def _unsettled(definition: JobDefinition, values: Mapping[str, Any]) -> tuple[str, ...]:
    """The parameters whose value is only known when the run begins."""
    own = own_values(definition)
    return tuple(
        name
        for name, value in values.items()
        if has_reference(value)
        or (definition.templates and own.get(name) == value and _holds_template(value))
    )


def _wrong(faults: Iterator[Fault] | tuple[Fault, ...] | list[Fault]) -> Invalid:
    found = tuple(faults)
    detail = "; ".join(f"{fault.field}: {fault.message}" for fault in found[:5])
    return Invalid(detail, code="INVALID_PARAMS", faults=found)


# --- steps of a run


def _suitable(definition: JobDefinition, params: dict[str, Any]) -> dict[str, Any]:
    """The params, if they are still what the kind takes."""
    if params is not definition.params and (faults := tuple(_unsuitable(definition, params))):
        raise _wrong(faults)
    return params


def _settled(
    definition: JobDefinition, changed: Mapping[str, Any], occasion: Occasion | None
) -> dict[str, Any]:
    own = own_values(definition)
    open_names = [name for name in own if name not in changed and _holds_template(own[name])]
    if occasion is None or not open_names:
        return {**own, **changed}
    plain = {name: value for name, value in {**own, **changed}.items() if name not in open_names}
    hidden = {**dict.fromkeys(open_names, "is a template itself"), **_hidden(plain)}
    names = names_for(occasion, plain, hidden)
    made = {name: _rendered_value(definition, name, own[name], names) for name in open_names}
    return {name: made.get(name, value) for name, value in {**own, **changed}.items()}


def _rendered_value(definition: JobDefinition, name: str, value: Any, names: Mapping[str, Any]) -> Any:
    field = f"{FIELD}.{name}"
    text = _rendered(value, names, field)
    if not isinstance(value, str):
        return text
    try:
        return converted(property_of(definition.parameters or {}, name), text)
    except ValueError as error:
        raise _wrong([Fault(field, str(error))]) from None


def _rendered_params(
    definition: JobDefinition, values: Mapping[str, Any], occasion: Occasion
) -> dict[str, Any]:
    names = names_for(occasion, values, _hidden(values))
    made = _rendered(_renderable(definition, without=tuple(values)), names, FIELD)
    return {**definition.params, **made}


def _rendered(value: Any, names: Mapping[str, Any], field: str) -> Any:
    if isinstance(value, str):
        return rendered(value, names, field) if is_template(value) else value
    if isinstance(value, Mapping):
        return {name: _rendered(item, names, f"{field}.{name}") for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rendered(item, names, f"{field}.{place}") for place, item in enumerate(value)]
    return value


def _renderable(definition: JobDefinition, *, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """The `params` that may hold templates, and the defaults that do where they would be put."""
    never, place = _NEVER_RENDERED.get(definition.kind), PLACES[definition.kind]
    params = {name: value for name, value in definition.params.items() if name != never}
    held = params.get(place)
    if isinstance(held, Mapping) and without:
        params[place] = {name: value for name, value in held.items() if name not in without}
    if not without and definition.parameters:
        params["defaults"] = defaults_of(definition.parameters)
    return params


def _hidden(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: "is a secret" for name, value in values.items() if has_reference(value)}


def _placed(
    definition: JobDefinition, params: Mapping[str, Any], values: Mapping[str, Any]
) -> dict[str, Any]:
    """The named values where the kind takes them; an HTTP job takes them if it has a JSON object to put them in."""
    place = PLACES[definition.kind]
    held = params.get(place)
    if definition.kind is Kind.HTTP and not isinstance(held, Mapping):
        return dict(params)
    if definition.kind is Kind.SHELL:
        values = {name: _as_variable(value) for name, value in values.items() if value is not None}
    return {**params, place: {**(held if isinstance(held, Mapping) else {}), **values}}


def _as_typed(definition: JobDefinition, name: str, value: Any) -> Any:
    """A variable of a command is a text; its schema may call it a number."""
    if definition.kind is not Kind.SHELL or not isinstance(value, str) or _holds_template(value):
        return value
    try:
        return converted(property_of(definition.parameters or {}, name), value)
    except ValueError:
        return value


def _as_variable(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _holds_template(value: Any) -> bool:
    return any(is_template(text) for text in texts_in(value))
