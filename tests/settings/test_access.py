"""The settings about who may come in."""

import hashlib
from typing import Any

import pytest
from pydantic import ValidationError

from cronzimus.settings import ApiToken, AuthSettings, OidcSettings


def test_a_token_is_given_in_one_form_and_compared_by_its_digest() -> None:
    sha256 = hashlib.sha256(b"open sesame").hexdigest()
    given = [{"token": "open sesame"}, {"sha256": sha256}]
    assert {ApiToken.model_validate({"name": "a", **one}).digest for one in given} == {sha256}
    for wrong in ({}, {"token": "x", "sha256": sha256}):
        with pytest.raises(ValidationError, match="exactly one of sha256 and token"):
            ApiToken.model_validate({"name": "a", **wrong})


def test_tokens_have_different_names() -> None:
    tokens = tuple({"name": "a", "token": text} for text in ("one", "two"))
    with pytest.raises(ValidationError, match="more than one is called 'a'"):
        AuthSettings.model_validate({"tokens": tokens})


@pytest.mark.parametrize(
    ("values", "fits"),
    [
        ({"issuer": "https://id.example.org/realms/ops"}, True),
        ({"issuer": "http://127.0.0.1:9000"}, True),
        ({"issuer": "http://id.example.org"}, False),
        ({"issuer": "http://localhost.evil.example"}, False),
        ({"role_map": ("cron-admins=admin", "a=b=viewer")}, True),
        ({"role_map": ("cron-admins=king",)}, False),
        ({"role_map": ("cron-admins",)}, False),
        ({"default_role": "viewer"}, True),
        ({"default_role": "root"}, False),
    ],
)
def test_a_provider_is_asked_over_tls_and_gives_known_roles(values: dict[str, Any], fits: bool) -> None:
    if fits:
        OidcSettings.model_validate(values)
    else:
        with pytest.raises(ValidationError):
            OidcSettings.model_validate(values)
