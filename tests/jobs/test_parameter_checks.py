"""What is asked of parameters and secrets before a job reaches the timetable, through the factory."""

from typing import Any

import pytest

from cronzimus.errors import Invalid
from cronzimus.jobs.job_factory import JobFactory, definition_of
from cronzimus.jobs.parameter_checks import arguments_to_check
from cronzimus.services.secrets import Secrets

SCHEMA = {
    "properties": {"region": {"type": "string"}, "size": {"type": "integer", "default": 2}},
    "required": ["region"],
}


def wants(region: str, size: int = 1) -> str:
    """A function with a parameter that must be given."""
    return f"{region}{size}"


def factory(**secrets: Any) -> JobFactory:
    """A factory that knows one secret."""
    known = Secrets("S_", environ={"S_DB": "the-password"}, **secrets)
    return JobFactory(allowed_functions=["tests.jobs"], allowed_commands=["*"], secrets=known)


def document(**changes: Any) -> dict[str, Any]:
    """A job by hand whose function wants a region."""
    params = {"func": f"{__name__}:wants", "kwargs": changes.pop("kwargs", {})}
    return {"id": "a", "params": params, "trigger": {"type": "manual"}, "parameters": SCHEMA, **changes}


def refused(known: JobFactory, **changes: Any) -> Invalid:
    """Why it is not taken."""
    with pytest.raises(Invalid) as caught:
        known.from_document(document(**changes))
    return caught.value


def test_a_required_parameter_may_be_given_when_the_run_is_started() -> None:
    definition = definition_of(factory().from_document(document()))
    assert arguments_to_check(definition) == ([], {"region": None, "size": 2})


def test_without_the_schema_the_call_is_checked_as_before() -> None:
    assert refused(factory(), parameters=None).code == "INVALID_PARAMS"


def test_a_parameter_the_function_does_not_take_is_refused() -> None:
    schema = {"properties": {"colour": {"default": "red"}, **SCHEMA["properties"]}, "required": ["region"]}
    assert "colour" in refused(factory(), parameters=schema).message


def test_a_schema_that_is_none_is_refused_by_its_field() -> None:
    error = refused(factory(), parameters={"properties": {"a": {"$ref": "https://example.org/"}}})
    assert error.faults[0].field == "parameters" and "must be local" in error.faults[0].message


def test_values_of_a_job_that_fires_are_checked() -> None:
    error = refused(factory(), trigger={"type": "interval", "hours": 1})
    assert error.code == "INVALID_PARAMS" and error.faults[0].field == "params.region"


def test_an_open_secret_is_refused_with_what_to_write_instead() -> None:
    error = refused(factory(), kwargs={"db_password": "hunter22"}, parameters=None)
    assert error.code in ("PLAIN_SECRET", "INVALID_PARAMS")
    shell = {
        "kind": "shell",
        "params": {"command": ["x"], "env": {"DB_PASSWORD": "hunter22"}},
        "parameters": None,
    }
    error = refused(factory(), **shell)
    assert error.code == "PLAIN_SECRET" and error.faults[0].field == "params.env.DB_PASSWORD"
    assert "${secret:DB_PASSWORD}" in error.message and "hunter22" not in error.message
    factory(allow_plain=True).from_document(document(**shell))


def test_a_parameter_that_is_called_a_secret_holds_a_reference() -> None:
    schema = {"properties": {"region": {"type": "string", "writeOnly": True}}}
    assert refused(factory(), kwargs={"region": "eu"}, parameters=schema).code == "PLAIN_SECRET"
    factory().from_document(document(kwargs={"region": "${secret:DB}"}, parameters=schema))


def test_a_secret_nobody_knows_is_refused_where_the_job_would_run() -> None:
    assert refused(factory(), kwargs={"region": "${secret:DBB}"}).code == "UNKNOWN_SECRET"
    elsewhere = document(kwargs={"region": "${secret:DBB}"}, runs_on="workers")
    factory().from_document(elsewhere)
    factory().from_document(document(kwargs={"region": "${secret:DBB}"}), may_be_over=True)


def test_a_secret_of_others_is_refused_everywhere() -> None:
    known = factory(grants={"DB": ["other"]})
    assert refused(known, kwargs={"region": "${secret:DB}"}).code == "SECRET_NOT_GRANTED"
    with pytest.raises(Invalid):
        known.from_document(document(kwargs={"region": "${secret:DB}"}), may_be_over=True)


def test_a_name_no_secret_can_have_is_refused() -> None:
    error = refused(factory(), kwargs={"region": "${secret:../etc}"})
    assert error.code == "INVALID_PARAMS" and error.faults[0].field == "params.kwargs.region"
