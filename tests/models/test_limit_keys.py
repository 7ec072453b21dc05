from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronzimus.errors import Invalid
from cronzimus.models.job import JobDefinition
from cronzimus.models.limit_keys import LONGEST_KEY, check_keys, key_of, values_for_keys

SCHEMA = {
    "type": "object",
    "properties": {
        "tenant": {"type": "string", "default": "a"},
        "size": {"type": "integer"},
        "token": {"type": "string", "format": "password"},
    },
}


def job(**fields: Any) -> JobDefinition:
    return JobDefinition.model_validate(
        {"id": "load", "params": {"func": "os:getcwd"}, "trigger": {"type": "manual"}, **fields}
    )


def faults(**fields: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refused:
        check_keys(job(**fields))
    return [(fault.field, fault.message) for fault in refused.value.faults]


@pytest.mark.parametrize(
    ("text", "values", "key"),
    [
        ("db", {}, "db"),
        ("tenant-{tenant}", {"tenant": "7"}, "tenant-7"),
        ("{a}/{b}", {"a": 1, "b": True}, "1/true"),
        ("{a}", {"a": {"y": 1, "x": [2]}}, '{"x":[2],"y":1}'),
        ("t-{a}", {"a": None}, "t-"),
        ("t-{a}", {}, "t-"),
        ("{{a}}-{a}", {"a": "x"}, "{a}-x"),
        ("{a}", {"a": "{b}", "b": "never"}, "{b}"),
    ],
)
def test_key_is_made_of_values(text: str, values: dict[str, Any], key: str) -> None:
    assert key_of(text, values) == key


@given(st.text(max_size=600), st.text(max_size=600))
def test_key_is_bounded_and_differs_as_its_values_do(one: str, other: str) -> None:
    keys = [key_of("k-{v}", {"v": value}) for value in (one, other)]
    assert all(len(key) <= LONGEST_KEY for key in keys)
    assert (keys[0] == keys[1]) == (one == other)


def test_values_are_the_jobs_own_and_those_given() -> None:
    with_schema = job(parameters=SCHEMA)
    assert values_for_keys(with_schema, {"size": 3}) == {"tenant": "a", "size": 3}
    plain = job(params={"func": "os:getcwd", "kwargs": {"tenant": "a"}})
    assert values_for_keys(plain, {"tenant": "b"}) == {"tenant": "b"}
    assert values_for_keys(plain, None) == {"tenant": "a"}


def test_values_of_other_kinds_lie_where_they_take_them() -> None:
    shell = job(kind="shell", params={"command": ["true"], "env": {"TENANT": "a"}})
    assert values_for_keys(shell, None) == {"TENANT": "a"}
    http = job(kind="http", params={"url": "http://host/", "json": [1]})
    assert values_for_keys(http, None) == {}


def test_known_names_and_braces_pass() -> None:
    rate = {"limit": 1, "seconds": 1.0, "key": "{size}"}
    check_keys(job(parameters=SCHEMA, limits={"mutex": "{{x}}-{tenant}", "rate": rate}))
    check_keys(job())


def test_unknown_name_is_refused_with_its_field() -> None:
    ((field, message),) = faults(parameters=SCHEMA, limits={"mutex": "t-{tenat}"})
    assert field == "limits.mutex"
    assert message == "'tenat' is not a parameter of this job; did you mean 'tenant'?"
    rate = {"limit": 1, "seconds": 1.0, "key": "{nobody}"}
    assert [field for field, _ in faults(limits={"rate": rate})] == ["limits.rate.key"]


@pytest.mark.parametrize("text", ["{", "a}", "{a{b}}", "{}"])
def test_loose_braces_and_empty_names_are_refused(text: str) -> None:
    assert faults(limits={"mutex": text})


def test_what_is_not_known_or_not_to_be_seen_is_refused() -> None:
    assert faults(parameters=SCHEMA, limits={"mutex": "{token}"}) == [("limits.mutex", "'token' is a secret")]
    kwargs = {"who": "${secret:WHO}", "day": "{{ ds }}"}
    params = {"func": "os:getcwd", "kwargs": kwargs}
    assert faults(params=params, limits={"mutex": "{who}"}) == [("limits.mutex", "'who' is a secret")]
    ((_, message),) = faults(params=params, templates=True, limits={"mutex": "{day}"})
    assert message == "'day' is a template: its value is not known before the run begins"
