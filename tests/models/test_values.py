"""What a run is called with: own values, what was given, templates, and where each kind takes it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cronzimus.errors import Invalid
from cronzimus.models.job import JobDefinition
from cronzimus.models.occasion import Occasion
from cronzimus.models.values import (
    changed_by,
    check_given,
    check_values,
    effective_values,
    own_values,
    prepared,
    secrets_of,
    speaks_of,
)

MANUAL = {"type": "manual"}
HOURLY = {"type": "interval", "hours": 1}
SCHEMA: dict[str, Any] = {
    "properties": {
        "region": {"type": "string", "enum": ["eu", "us"], "default": "eu"},
        "size": {"type": "integer", "maximum": 9},
    },
    "required": ["size"],
}
OCCASION = Occasion(
    run_id="0199",
    job_id="a",
    due_at=datetime(2026, 3, 1, 2, tzinfo=UTC),
    data_interval_start=datetime(2026, 2, 28, 2, tzinfo=UTC),
    data_interval_end=datetime(2026, 3, 1, 2, tzinfo=UTC),
)


def job(kind: str = "function", params: dict[str, Any] | None = None, **more: Any) -> JobDefinition:
    """A definition; a function job unless told otherwise."""
    whole = {"func": "m:f", **(params or {})} if kind == "function" else params
    return JobDefinition.model_validate({"id": "a", "kind": kind, "params": whole, "trigger": MANUAL, **more})


def fields(caught: pytest.ExceptionInfo[Invalid]) -> dict[str, str]:
    """What was refused, by field."""
    assert caught.value.code == "INVALID_PARAMS"
    return {fault.field: fault.message for fault in caught.value.faults}


def test_own_values_are_defaults_and_what_the_document_says() -> None:
    definition = job(params={"kwargs": {"size": 3, "fixed": 1}}, parameters=SCHEMA)
    assert own_values(definition) == {"region": "eu", "size": 3}
    assert effective_values(definition, {"region": "us"}) == {"region": "us", "size": 3}
    assert effective_values(job(), {"x": 1}) is None and own_values(job()) == {}


@pytest.mark.parametrize(
    ("kind", "params", "called"),
    [
        (
            "function",
            {"func": "m:f", "kwargs": {"size": 3, "fixed": 1}},
            {"kwargs": {"region": "us", "size": 3, "fixed": 1}},
        ),
        ("sql", {"statement": "SELECT %(size)s", "args": {"size": 3}}, {"args": {"region": "us", "size": 3}}),
        (
            "shell",
            {"command": ["x"], "env": {"size": "3", "PATH": "/bin"}},
            {"env": {"region": "us", "size": "3", "PATH": "/bin"}},
        ),
        ("http", {"url": "https://x/", "json": {"size": 3}}, {"json": {"region": "us", "size": 3}}),
    ],
)
def test_each_kind_takes_the_values_in_its_place(
    kind: str, params: dict[str, Any], called: dict[str, Any]
) -> None:
    definition = job(kind, params, parameters=SCHEMA)
    check_values(definition)
    check_given(definition, {"region": "us"})
    assert prepared(definition, {"region": "us"}, None) == {**params, **called}


def test_an_http_job_without_a_json_object_only_shows_them_to_templates() -> None:
    params = {"url": "https://x/{{ params.region }}/{{ params.size }}"}
    definition = job("http", params, parameters=SCHEMA, templates=True)
    assert prepared(definition, {"size": 4}, OCCASION) == {"url": "https://x/eu/4"}


def test_variables_of_a_command_are_texts() -> None:
    schema = {
        "properties": {"flag": {"type": "boolean"}, "conf": {"type": "object"}, "none": {"type": "null"}}
    }
    definition = job("shell", {"command": ["x"]}, parameters=schema)
    made = prepared(definition, {"flag": True, "conf": {"a": 1}, "none": None}, None)
    assert made["env"] == {"flag": "true", "conf": '{"a": 1}'}


def test_a_job_without_a_schema_is_overridden_as_before() -> None:
    assert prepared(job(params={"kwargs": {"a": 1}}), {"b": 2}, None)["kwargs"] == {"a": 1, "b": 2}
    shell = job("shell", {"command": ["x"]})
    assert prepared(shell, {"command": ["y"]}, None) == {"command": ["y"]}
    with pytest.raises(Invalid) as caught:
        check_given(shell, {"command": []})
    assert "params.command" in fields(caught)


# --- checked when saved


def test_a_job_that_fires_by_itself_needs_every_required_value() -> None:
    with pytest.raises(Invalid) as caught:
        check_values(job(parameters=SCHEMA, trigger=HOURLY))
    assert fields(caught) == {"params.size": "is required"}
    check_values(job(parameters=SCHEMA, trigger=MANUAL))
    check_values(job(params={"kwargs": {"size": 1}}, parameters=SCHEMA, trigger=HOURLY))


def test_own_values_must_suit_the_schema() -> None:
    with pytest.raises(Invalid) as caught:
        check_values(job(params={"kwargs": {"size": 12, "region": "x"}}, parameters=SCHEMA))
    assert set(fields(caught)) == {"params.size", "params.region"}


@pytest.mark.parametrize(
    ("kind", "params", "field", "words"),
    [
        ("function", {"kwargs": {"day": "{{ due }}"}}, "params.kwargs.day", "did you mean 'due_at'"),
        ("function", {"kwargs": {"deep": [{"x": "{{ 'a' * 9 }}"}]}}, "params.kwargs.deep.0.x", "cannot hold"),
        ("function", {"args": ["{{ params.other }}"]}, "params.args.0", "there is no params.other"),
        ("sql", {"statement": "SELECT '{{ params.region }}'"}, "params.statement", "never rendered"),
        ("http", {"url": "https://x/{{ due_at|dat }}"}, "params.url", "no filter"),
    ],
)
def test_templates_are_checked_where_they_stand(
    kind: str, params: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(Invalid) as caught:
        check_values(job(kind, params, templates=True))
    assert words in fields(caught)[field]


def test_braces_in_a_job_without_templates_are_braces() -> None:
    definition = job(params={"kwargs": {"text": "{{ due }} {% raw"}})
    check_values(definition)
    assert prepared(definition, None, OCCASION)["kwargs"] == {"text": "{{ due }} {% raw"}


def test_templates_and_references_are_judged_when_they_are_known() -> None:
    own = {"size": "{{ due_at.day }}", "region": "${secret:REGION}"}
    definition = job(params={"kwargs": own}, parameters=SCHEMA, trigger=HOURLY, templates=True)
    check_values(definition)
    with pytest.raises(Invalid) as caught:
        check_values(definition.model_copy(update={"templates": False}))
    assert set(fields(caught)) == {"params.size"}


# --- checked when given


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"size": 12}, "params.size", "must be at most 9, got 12"),
        ({"size": "3"}, "params.size", "must be a whole number, got '3'"),
        ({"size": 1, "reigon": "eu"}, "params.reigon", "did you mean 'region'"),
        ({}, "params.size", "is required"),
        ({"size": 1, "region": "${secret:DB}"}, "params.region", "not one the job refers to"),
        ({"size": 1, "fixed": 2}, "params.fixed", "is not a parameter of this job"),
    ],
)
def test_what_is_given_is_checked_by_name(given: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_given(job(params={"kwargs": {"fixed": 1}}, parameters=SCHEMA), given)
    assert words in fields(caught)[field]


def test_a_secret_of_the_job_may_be_given_where_it_has_one() -> None:
    definition = job(params={"kwargs": {"key": "${secret:DB}"}})
    assert secrets_of(definition) == {"DB"}
    check_given(definition, {"other": "${secret:DB}"})
    with pytest.raises(Invalid) as caught:
        check_given(definition, {"other": "${secret:ELSE}"})
    assert "not one the job refers to" in fields(caught)["params.other"]


def test_an_open_secret_is_not_taken() -> None:
    with pytest.raises(Invalid) as caught:
        check_given(job(), {"db_password": "hunter22"})
    assert "hunter22" not in caught.value.message and "params.db_password" in fields(caught)
    check_given(job(), {"db_password": "hunter22"}, allow_plain=True)
    schema = {"properties": {"pin": {"type": "string", "format": "password"}}}
    with pytest.raises(Invalid) as caught:
        check_given(job(parameters=schema), {"pin": "1234"})
    assert "is a secret" in fields(caught)["params.pin"]


def test_what_a_form_sends_back_unchanged_was_not_given() -> None:
    own = {"size": 3, "region": "${secret:R}"}
    definition = job(params={"kwargs": own}, parameters=SCHEMA)
    assert changed_by(definition, {**own, "size": 4}) == {"size": 4}
    check_given(definition, own)


# --- made for a run


def test_own_templates_are_rendered_and_given_ones_are_data() -> None:
    schema = {
        "properties": {
            "day": {"type": "string"},
            "count": {"type": "integer"},
            "from": {"default": "{{ due_at | date }}"},
        }
    }
    own = {"day": "{{ data_interval_start | date }}", "count": "{{ due_at.day }}"}
    definition = job(params={"kwargs": own}, parameters=schema, templates=True)
    made = prepared(definition, None, OCCASION)["kwargs"]
    assert made == {"day": "2026-02-28", "count": 1, "from": "2026-03-01"}
    given = prepared(definition, {"day": "{{ run.id }}"}, OCCASION)["kwargs"]
    assert given["day"] == "{{ run.id }}"


def test_other_texts_see_every_named_value() -> None:
    schema = {"properties": {"day": {"default": "{{ due_at | date }}"}, "region": {"default": "eu"}}}
    params = {"command": ["load", "--day={{ params.day }}", "{{ params.region }}-{{ job.id }}"]}
    definition = job("shell", params, parameters=schema, templates=True)
    made = prepared(definition, {"region": "{{ x }}"}, OCCASION)
    assert made["command"] == ["load", "--day=2026-03-01", "{{ x }}-a"]
    assert made["env"] == {"day": "2026-03-01", "region": "{{ x }}"}


def test_a_named_template_sees_only_values_that_hold_none() -> None:
    schema = {
        "properties": {
            "a": {"default": "{{ params.b }}/{{ params.c }}"},
            "b": {"default": "x"},
            "c": {"default": "{{ job.id }}"},
        }
    }
    definition = job(parameters=schema, templates=True)
    check_values(definition)
    with pytest.raises(Invalid, match="params.c is a template itself"):
        prepared(definition, None, OCCASION)
    assert prepared(definition, {"c": "y"}, OCCASION)["kwargs"] == {"a": "x/y", "b": "x", "c": "y"}


def test_a_template_never_sees_a_secret() -> None:
    schema = {"properties": {"key": {"type": "string", "default": "${secret:KEY}"}}}
    definition = job("shell", {"command": ["x", "{{ params.key }}"]}, parameters=schema, templates=True)
    with pytest.raises(Invalid, match="params.command.1: params.key is a secret") as caught:
        prepared(definition, None, OCCASION)
    assert caught.value.code == "TEMPLATE_FAILED"


def test_what_a_template_makes_must_suit_too() -> None:
    schema = {"properties": {"size": {"type": "integer", "maximum": 9, "default": "{{ due_at.year }}"}}}
    with pytest.raises(Invalid) as caught:
        prepared(job(parameters=schema, templates=True), None, OCCASION)
    assert fields(caught) == {"params.size": "must be at most 9, got 2026"}
    words = {"properties": {"size": {"type": "integer", "default": "{{ job.id }}"}}}
    with pytest.raises(Invalid) as caught:
        prepared(job(parameters=words, templates=True), None, OCCASION)
    assert "must be a whole number" in fields(caught)["params.size"]
    with pytest.raises(Invalid) as caught:
        prepared(job("http", {"url": "https://x/{{ ' ' }}"}, templates=True), None, OCCASION)
    assert "params.url" in fields(caught)


def test_the_definition_is_not_changed() -> None:
    definition = job(params={"kwargs": {"day": "{{ due_at | date }}"}}, templates=True)
    before = definition.document()
    prepared(definition, {"x": 1}, OCCASION)
    assert definition.document() == before


def test_speaks_of_looks_everywhere() -> None:
    schema = {"properties": {"since": {"default": "{{ previous_success_at or data_interval_start }}"}}}
    assert speaks_of(job(parameters=schema, templates=True), "previous_success_at")
    assert not speaks_of(job(parameters=schema), "previous_success_at")
    assert not speaks_of(job(params={"args": ["{{ due_at }}"]}, templates=True), "previous_success_at")
