"""People over REST, on a real database."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from cronzimus.house import House
from cronzimus.models.access import Role
from tests.api.people import PASSWORD, V1, client_of, closed_house, signed_in

USERS = f"{V1}/users"


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


def test_a_person_is_added_changed_and_removed(web: FlaskClient, admin: dict[str, str]) -> None:
    body = {"name": "bob", "role": "viewer", "password": PASSWORD}
    answer = web.post(USERS, json=body, headers=admin)
    assert answer.status_code == 201 and answer.headers["Location"] == f"{USERS}/bob"
    assert answer.json is not None and PASSWORD not in answer.text and "hash" not in answer.text
    assert (answer.json["role"], answer.json["has_password"], answer.json["created_by"]) == (
        "viewer",
        True,
        "ann",
    )
    changed = web.patch(f"{USERS}/bob", json={"role": "operator", "disabled": True}, headers=admin).json
    assert changed is not None and (changed["role"], changed["disabled"]) == ("operator", True)
    assert [user["name"] for user in (web.get(USERS).json or {})["items"]] == ["ann", "bob"]
    assert web.delete(f"{USERS}/bob", headers=admin).status_code == 204
    assert web.get(f"{USERS}/bob").status_code == 404


def test_who_is_disabled_is_out_at_once(web: FlaskClient, house: House, admin: dict[str, str]) -> None:
    other = client_of(house)
    signed_in(other, house, "bob", Role.OPERATOR)
    assert other.get(f"{V1}/jobs").status_code == 200
    web.patch(f"{USERS}/bob", json={"disabled": True}, headers=admin)
    assert other.get(f"{V1}/jobs").status_code == 401
    answer = other.post(f"{V1}/session", json={"name": "bob", "password": PASSWORD})
    assert answer.status_code == 401


def test_the_last_admin_stays(web: FlaskClient, admin: dict[str, str]) -> None:
    answers = [
        web.delete(f"{USERS}/ann", headers=admin),
        web.patch(f"{USERS}/ann", json={"disabled": True}, headers=admin),
        web.patch(f"{USERS}/ann", json={"role": "viewer"}, headers=admin),
    ]
    assert [(answer.status_code, (answer.json or {})["code"]) for answer in answers] == [
        (409, "LAST_ADMIN")
    ] * 3


@pytest.mark.parametrize(
    "change",
    [{"role": "king"}, {"name": "Bob"}, {"name": "b b"}, {"password": "hunter2"}, {"password": 77777777777}],
)
def test_wrong_bodies_are_refused_without_echo_of_passwords(
    web: FlaskClient, admin: dict[str, str], change: dict[str, Any]
) -> None:
    answer = web.post(USERS, json={"name": "bob", "role": "viewer", **change}, headers=admin)
    assert answer.status_code == 422
    assert "hunter2" not in answer.text and "7777" not in answer.text


@pytest.mark.parametrize("name", ["nobody", "No%20Body", "..%2F"])
def test_nobody_is_not_found(web: FlaskClient, admin: dict[str, str], name: str) -> None:
    assert web.get(f"{USERS}/{name}").status_code == 404
    assert web.patch(f"{USERS}/{name}", json={}, headers=admin).status_code == 404
