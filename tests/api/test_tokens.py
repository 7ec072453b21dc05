"""Tokens over REST, on a real database."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from cronzimus.house import House
from cronzimus.utils.tokens import is_token
from tests.api.people import V1, client_of, closed_house, signed_in

TOKENS = f"{V1}/tokens"


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    house = closed_house(database_url)
    yield house
    house.stop()


@pytest.fixture
def web(house: House) -> FlaskClient:
    return client_of(house)


@pytest.fixture
def admin(web: FlaskClient, house: House) -> dict[str, str]:
    return signed_in(web, house)


def made(web: FlaskClient, admin: dict[str, str], **body: Any) -> dict[str, Any]:
    answer = web.post(TOKENS, json={"name": "ci", "scopes": ["read"], **body}, headers=admin)
    assert answer.status_code == 201 and answer.json is not None, answer.text
    assert answer.headers["Location"] == f"{TOKENS}/{answer.json['id']}"
    return dict(answer.json)


def test_a_token_opens_what_it_was_made_for_until_it_is_revoked(
    web: FlaskClient, house: House, admin: dict[str, str]
) -> None:
    token = made(web, admin, scopes=["operate"])
    assert is_token(token["token"]) and token["token"].startswith(token["prefix"])
    program = client_of(house)
    bearer = {"Authorization": f"Bearer {token['token']}"}
    codes = [
        program.get(f"{V1}/jobs", headers=bearer).status_code,
        program.post(f"{V1}/jobs/none/pause", headers=bearer).status_code,
        program.delete(f"{V1}/jobs/none", headers=bearer).status_code,
    ]
    assert codes == [200, 404, 403]
    assert web.delete(f"{TOKENS}/{token['id']}", headers=admin).status_code == 204
    assert program.get(f"{V1}/jobs", headers=bearer).status_code == 401


def test_the_secret_is_told_once(web: FlaskClient, admin: dict[str, str]) -> None:
    token = made(web, admin)
    shown = web.get(f"{TOKENS}/{token['id']}").json
    assert shown is not None and "token" not in shown
    assert token["token"] not in web.get(TOKENS).text and token["token"] not in web.get(f"{V1}/audit").text


def test_list_tells_state_and_use(web: FlaskClient, admin: dict[str, str], house: House) -> None:
    live = made(web, admin, expires_at=(datetime.now(UTC) + timedelta(days=1)).isoformat())
    gone = made(web, admin, name="gone")
    web.delete(f"{TOKENS}/{gone['id']}", headers=admin)
    (only,) = (web.get(TOKENS).json or {})["items"]
    assert (only["id"], only["state"], only["created_by"], only["last_used_at"]) == (
        live["id"],
        "live",
        "ann",
        None,
    )
    every = (web.get(f"{TOKENS}?all=true").json or {})["items"]
    assert [(token["name"], token["state"], token["revoked_by"]) for token in every] == [
        ("ci", "live", None),
        ("gone", "revoked", "ann"),
    ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["root"]}, "scopes.0"),
        ({"name": ""}, "name"),
        ({"name": "a/b"}, "name"),
        ({"expires_at": "2020-01-01"}, "expires_at"),
        ({"secret": "x"}, "secret"),
    ],
)
def test_wrong_bodies_are_refused(
    web: FlaskClient, admin: dict[str, str], change: dict[str, Any], field: str
) -> None:
    answer = web.post(TOKENS, json={"name": "ci", "scopes": ["read"], **change}, headers=admin)
    assert answer.status_code == 422 and answer.json is not None
    assert [fault["field"] for fault in answer.json["errors"]] == [field]


def test_a_name_is_given_once(web: FlaskClient, admin: dict[str, str]) -> None:
    made(web, admin)
    answer = web.post(TOKENS, json={"name": "ci", "scopes": ["read"]}, headers=admin)
    assert answer.status_code == 409 and answer.json is not None and answer.json["code"] == "TOKEN_EXISTS"


@pytest.mark.parametrize("token_id", ["none", "7", "01a1fcfd-57f7-7aeb-a1fd-349923571a06"])
def test_unknown_tokens_are_not_found(web: FlaskClient, admin: dict[str, str], token_id: str) -> None:
    assert web.get(f"{TOKENS}/{token_id}").status_code == 404
    assert web.delete(f"{TOKENS}/{token_id}", headers=admin).status_code == 404
