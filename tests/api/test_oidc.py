"""Signing in through a real provider on this machine, and every lie it could tell."""

import http.client
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from joserfc.jwk import RSAKey

from cronzimus.api.oidc import local_path
from cronzimus.house import House
from cronzimus.models.access import Role
from tests.api.people import V1, client_of, closed_house
from tests.fixtures.provider import CLIENT, SECRET, FakeProvider


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider(claims={"groups": ["ops"]}) as provider:
        yield provider


@pytest.fixture
def house(database_url: str, provider: FakeProvider) -> Iterator[House]:
    oidc = {
        "issuer": provider.url,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "role_claim": "groups",
        "role_map": ("ops=operator", "boss=admin"),
    }
    house = closed_house(database_url, api={"auth": {"hashing_memory_mb": 1, "oidc": oidc}})
    yield house
    house.stop()


@pytest.fixture
def web(house: House) -> FlaskClient:
    return client_of(house)


def followed(url: str) -> str:
    """Where the provider sends the browser back to."""
    parts = urlsplit(url)
    line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    line.request("GET", f"{parts.path}?{parts.query}")
    location = line.getresponse().headers["Location"]
    line.close()
    back = urlsplit(location)
    return f"{back.path}?{back.query}"


def back_from(web: FlaskClient, query: str = "") -> str:
    answer = web.get(f"/login/oidc{query}")
    assert answer.status_code == 302, answer.text
    return followed(answer.headers["Location"])


def test_a_person_comes_in_and_follows_the_provider(
    web: FlaskClient, house: House, provider: FakeProvider
) -> None:
    answer = web.get(back_from(web, "?next=/jobs?tag=x"))
    assert (answer.status_code, answer.headers["Location"]) == (302, "/jobs?tag=x")
    told = web.get(f"{V1}/session").json or {}
    assert (told["name"], told["role"], told["means"]) == ("ann", "operator", "session")
    provider.claims = {"groups": ["ops", "boss"], "preferred_username": "Renamed"}
    web.get(back_from(web))
    told = web.get(f"{V1}/session").json or {}
    assert (told["name"], told["role"]) == ("ann", "admin")
    events = [event.action for event in reversed(house.operating.audit.list().items)]
    assert events == ["user.add", "session.open", "user.role", "session.open"]


@pytest.mark.parametrize(
    "lie",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "somebody-else"},
        {"aud": ["somebody-else", "others"]},
        {"iss": "https://evil.example"},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"sub": None},
        {"iat": None},
        {"groups": ["nobody"]},
        {"preferred_username": "not a name!"},
    ],
    ids=str,
)
def test_lies_are_refused(
    web: FlaskClient, house: House, provider: FakeProvider, lie: dict[str, Any]
) -> None:
    provider.claims |= lie
    answer = web.get(back_from(web))
    assert answer.status_code in (401, 422)
    assert web.get(f"{V1}/session").status_code == 401 and house.operating.access.people.list().total == 0


@pytest.mark.parametrize("alg", ["none", "HS256"])
def test_signatures_that_prove_nothing_are_refused(
    web: FlaskClient, provider: FakeProvider, alg: str
) -> None:
    provider.alg = alg
    assert web.get(back_from(web)).status_code == 401


def test_a_key_that_is_not_the_provider_s_is_refused(web: FlaskClient, provider: FakeProvider) -> None:
    provider.key = RSAKey.generate_key(2048, {"kid": "k1"})
    assert web.get(back_from(web)).status_code == 401


def test_a_sign_in_ends_where_it_began(web: FlaskClient, house: House) -> None:
    back = back_from(web)
    assert client_of(house).get(back).status_code == 401
    stolen = back.replace("state=", "state=x")
    assert web.get(stolen).status_code == 401
    assert web.get("/login/oidc/callback?code=code-0").status_code == 401
    assert web.get("/login/oidc/callback?error=access_denied").status_code == 401
    assert web.get(back).status_code == 302
    assert web.get(back).status_code == 401


def test_nobody_takes_over_an_account_by_its_name(web: FlaskClient, house: House) -> None:
    house.operating.access.people.add("ann", Role.ADMIN, password="correct horse battery", by="t")
    assert web.get(back_from(web)).status_code == 409
    assert web.get(f"{V1}/session").status_code == 401


def test_who_was_disabled_stays_outside(web: FlaskClient, house: House) -> None:
    web.get(back_from(web))
    house.operating.access.people.set_disabled("ann", True)
    assert web.get(back_from(web)).status_code == 401


def test_without_a_provider_there_is_nowhere_to_go(database_url: str) -> None:
    house = closed_house(database_url)
    answer = client_of(house).get("/login/oidc")
    assert answer.status_code == 404 and (answer.json or {})["code"] == "NO_PROVIDER"
    house.stop()


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/jobs?a=b", "/jobs?a=b"),
        ("", "/"),
        ("jobs", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("/a\nb", "/"),
        ("/" + "a" * 200, "/"),
    ],
)
def test_the_way_back_stays_on_this_host(text: str, path: str) -> None:
    assert local_path(text) == path
