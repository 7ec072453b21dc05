"""`${secret:NAME}` in texts, and what looks like a secret without being one by reference."""

from typing import Any

import pytest

from cronzimus.errors import Invalid
from cronzimus.models.references import (
    fields_of,
    has_reference,
    is_secret_key,
    misnamed,
    names_in,
    plain_secrets,
    replaced,
    texts_in,
)

PARAMS = {
    "headers": {"Authorization": "Bearer ${secret:KEY}"},
    "args": ["${secret:A}${secret:B}", 5],
    "n": None,
}


def test_names_are_found_at_any_depth() -> None:
    assert names_in(PARAMS) == {"KEY", "A", "B"}
    assert has_reference(PARAMS) and not has_reference({"a": ["$secret", "${NAME}", 5]})


def test_references_are_replaced_and_the_rest_is_left() -> None:
    found = replaced(PARAMS, lambda name: f"<{name}>")
    assert found == {"headers": {"Authorization": "Bearer <KEY>"}, "args": ["<A><B>", 5], "n": None}


def test_what_a_secret_holds_is_not_looked_at_again() -> None:
    assert replaced("${secret:A}", lambda name: "${secret:B}") == "${secret:B}"


def test_a_dollar_more_makes_it_plain() -> None:
    assert replaced("$${secret:A}", lambda name: "never") == "${secret:A}" and not has_reference(
        "$${secret:A}"
    )


def test_a_secret_that_is_missing_names_the_field_and_no_value() -> None:
    def missing(name: str) -> str:
        raise Invalid(f"there is no secret {name!r}", code="UNKNOWN_SECRET")

    with pytest.raises(Invalid) as caught:
        replaced(PARAMS, missing)
    assert caught.value.code == "UNKNOWN_SECRET"
    assert caught.value.faults[0].field == "params.headers.Authorization"


@pytest.mark.parametrize("text", ["${secret:}", "${secret:../etc/passwd}", "${secret:a b}", "${secret:1a}"])
def test_names_no_secret_can_have_are_told(text: str) -> None:
    assert [fault.field for fault in misnamed({"a": [text]})] == ["params.a.0"]


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "db_password",
        "DB_PASSWORD",
        "apiKey",
        "api-key",
        "X-Auth-Token",
        "client_secret",
        "Authorization",
    ]
    + ["access_key", "aws_secret_access_key", "pwd", "credentials"],
)
def test_names_of_secrets(key: str) -> None:
    assert is_secret_key(key)


@pytest.mark.parametrize(
    "key",
    ["password_file", "token_url", "max_tokens", "tokens", "secretary", "monkey", "key", "author", "passed"],
)
def test_names_of_other_things(key: str) -> None:
    assert not is_secret_key(key)


@pytest.mark.parametrize(
    ("params", "fields"),
    [
        ({"password": "hunter22"}, ["params.password"]),
        ({"kwargs": {"conf": [{"apiKey": "x"}]}}, ["params.kwargs.conf.0.apiKey"]),
        ({"headers": {"Authorization": "Bearer abc"}}, ["params.headers.Authorization"]),
        ({"headers": {"Authorization": "Bearer ${secret:KEY}"}}, []),
        ({"password": "${secret:DB}"}, []),
        ({"password": "pre-${secret:DB}"}, ["params.password"]),
        ({"password": ""}, []),
        ({"password": None, "token": 5}, []),
        ({"password_file": "/run/secrets/db"}, []),
    ],
)
def test_plain_secrets_are_found(params: dict[str, Any], fields: list[str]) -> None:
    found = list(plain_secrets(params))
    assert [fault.field for fault in found] == fields
    assert all("hunter22" not in fault.message and "${secret:" in fault.message for fault in found)


def test_a_template_is_no_plain_secret() -> None:
    assert not list(plain_secrets({"token": "{{ run.id }}"}, templates=True))
    assert list(plain_secrets({"token": "{{ run.id }}"}))


def test_fields_and_texts_agree() -> None:
    value = {"a": ["x", {"b": "y"}], "c": 5}
    assert list(fields_of(value, "params")) == [("params.a.0", "x"), ("params.a.1.b", "y")]
    assert list(texts_in(value)) == ["x", "y"]
