"""What is asked of a job's parameters, templates and secrets before the job reaches the timetable."""

from collections.abc import Iterator
from typing import Any

from cronzimus.errors import Fault, Invalid
from cronzimus.models.job import JobDefinition, RunsOn
from cronzimus.models.kinds import PLACES
from cronzimus.models.parameters import FIELD, is_secret, names_of
from cronzimus.models.references import has_reference, misnamed, plain_secrets
from cronzimus.models.values import check_values, own_values, secrets_of
from cronzimus.services.secrets import Secrets


def check_parameters(definition: JobDefinition, secrets: Secrets, *, present: bool = True) -> None:
    """Refuse what could not run; raises Invalid INVALID_PARAMS, PLAIN_SECRET, UNKNOWN_SECRET or SECRET_NOT_GRANTED.

    Unless `present`, secrets may still be missing here: a file declares a job before anybody mounts its secret.
    """
    check_values(definition)
    if faults := tuple(misnamed(definition.params)):
        raise _refusal(faults, "INVALID_PARAMS")
    if not secrets.allow_plain and (faults := tuple(_open_secrets(definition))):
        raise _refusal(faults, "PLAIN_SECRET")
    for name in sorted(secrets_of(definition)):
        _check_secret(definition, name, secrets, present=present)


def arguments_to_check(definition: JobDefinition) -> tuple[list[Any], dict[str, Any]]:
    """The call as its function will get it: a parameter without a value stands there with None."""
    args, kwargs = definition.call
    if definition.parameters and PLACES[definition.kind] == "kwargs":
        required = dict.fromkeys(definition.parameters.get("required", ()))
        kwargs = {**required, **own_values(definition), **kwargs}
    return args, kwargs


def _open_secrets(definition: JobDefinition) -> Iterator[Fault]:
    yield from plain_secrets(definition.params, FIELD, templates=definition.templates)
    schema, own = definition.parameters or {}, own_values(definition)
    for name in names_of(schema):
        if is_secret(schema, name) and own.get(name) not in (None, "") and not has_reference(own[name]):
            yield Fault(f"{FIELD}.{name}", "is a secret: give a reference such as ${secret:NAME}")


def _check_secret(definition: JobDefinition, name: str, secrets: Secrets, *, present: bool) -> None:
    try:
        secrets.check(name, definition.id)
    except Invalid as error:
        # Other machines may have what this one has not; what was not granted is granted nowhere.
        elsewhere = not present or definition.runs_on is RunsOn.WORKERS
        if error.code != "UNKNOWN_SECRET" or not elsewhere:
            raise Invalid(error.message, code=error.code, faults=[Fault(FIELD, error.message)]) from None


def _refusal(faults: tuple[Fault, ...], code: str) -> Invalid:
    return Invalid(
        "; ".join(f"{fault.field}: {fault.message}" for fault in faults[:3]), code=code, faults=faults
    )
