"""What claims give, and what is asked of a provider."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cronzimus.errors import ConfigError, Unavailable
from cronzimus.services import provider as provider_module
from cronzimus.services.provider import Provider, role_of, state_of
from cronzimus.settings import OidcSettings
from tests.fixtures.provider import CLIENT, FakeProvider

SEED = "s" * 43


def settings(**values: Any) -> OidcSettings:
    return OidcSettings.model_validate({"client_id": CLIENT, **values})


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"groups": ["cron-admins", "staff"]}, "admin"),
        ({"groups": ["staff"]}, "viewer"),
        ({"groups": "ops"}, "operator"),
        ({"groups": ["others"]}, None),
        ({"groups": {"ops": True}}, None),
        ({"groups": 7}, None),
        ({}, None),
    ],
)
def test_the_highest_role_of_the_map_counts(claims: dict[str, Any], role: str | None) -> None:
    given = settings(role_claim="groups", role_map=("staff=viewer", "ops=operator", "cron-admins=admin"))
    assert role_of(given, claims) == role


def test_dots_lead_into_objects_and_the_rest_gets_the_default() -> None:
    given = settings(role_claim="realm.roles", role_map=("a=b=admin",), default_role="viewer")
    assert role_of(given, {"realm": {"roles": ["a=b"]}}) == "admin"
    assert role_of(given, {"realm": ["a=b"]}) == "viewer"
    assert role_of(settings(default_role="operator"), {}) == "operator"


def test_each_sign_in_is_asked_for_with_its_own_secrets() -> None:
    with FakeProvider() as fake:
        provider = Provider(settings(issuer=fake.url))
        first, second = (
            parse_qs(urlsplit(provider.address(seed, "http://here/back")).query) for seed in (SEED, "t" * 43)
        )
        assert fake.asked == ["/.well-known/openid-configuration"]
    assert first["state"] == [state_of(SEED)] and first["redirect_uri"] == ["http://here/back"]
    for name in ("state", "nonce", "code_challenge"):
        assert first[name] != second[name] and SEED not in first[name][0]


def test_a_provider_that_is_away_or_another_one_is_told() -> None:
    with FakeProvider() as fake:
        other = Provider(settings(issuer=f"{fake.url}/"))
        with pytest.raises(Unavailable, match="calls itself"):
            other.address(SEED, "http://here/back")
        url = fake.url
    with pytest.raises(Unavailable) as caught:
        Provider(settings(issuer=url)).address(SEED, "http://here/back")
    assert caught.value.code == "PROVIDER_UNAVAILABLE"


@pytest.mark.parametrize("lacking", ["authlib", "joserfc"])
def test_lacking_extra_is_told_before_anybody_signs_in(monkeypatch: pytest.MonkeyPatch, lacking: str) -> None:
    monkeypatch.setattr(provider_module, "find_spec", lambda library: library != lacking)
    with pytest.raises(ConfigError, match=r"pip install 'cronzimus\[oidc\]'"):
        Provider(settings(issuer="https://id.example.org"))
