"""Sessions over REST, on a real database."""

from collections.abc import Iterator
from http.cookies import SimpleCookie

import pytest
from flask.testing import FlaskClient

from cronzimus.house import House
from cronzimus.models.access import Role
from cronzimus.services.attempts import MOST_FOR_A_NAME
from tests.api.people import PASSWORD, V1, client_of, closed_house, signed_in

SESSION = f"{V1}/session"


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    house = closed_house(database_url, server={"trusted_proxies": 1})
    yield house
    house.stop()


@pytest.fixture
def web(house: House) -> FlaskClient:
    return client_of(house)


def cookie(header: str) -> tuple[str, dict[str, str]]:
    ((name, morsel),) = SimpleCookie(header).items()
    return name, {key: str(value) for key, value in morsel.items() if value}


def test_who_signs_in_is_known_and_told_their_token(web: FlaskClient, house: House) -> None:
    headers = signed_in(web, house, role=Role.OPERATOR)
    assert web.get(SESSION).json == {
        "name": "ann",
        "role": "operator",
        "scope": "operate",
        "means": "session",
        "csrf_token": headers["X-CSRF-Token"],
    }


def test_a_token_is_told_who_it_is(web: FlaskClient, house: House) -> None:
    made = house.operating.access.tokens.make("ci", ["read"], by="t")
    answer = web.get(SESSION, headers={"Authorization": f"Bearer {made.secret}"}).json
    assert answer == {"name": "ci", "role": None, "scope": "read", "means": "token", "csrf_token": None}


def test_the_cookie_is_out_of_reach(web: FlaskClient, house: House) -> None:
    house.operating.access.people.add("ann", Role.VIEWER, password=PASSWORD, by="t")
    body = {"name": "ann", "password": PASSWORD}
    name, told = cookie(web.post(SESSION, json=body).headers["Set-Cookie"])
    assert name == "cronzimus_session" and "secure" not in told
    assert told["httponly"] and (told["samesite"], told["path"]) == ("Lax", "/")
    https = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.7"}
    name, told = cookie(web.post(SESSION, json=body, headers=https).headers["Set-Cookie"])
    assert name == "__Host-cronzimus_session" and told["secure"] and "domain" not in told


def test_the_address_a_trusted_proxy_tells_is_recorded(web: FlaskClient, house: House) -> None:
    headers = {"X-Forwarded-For": "203.0.113.1, 198.51.100.7"}
    assert web.post(SESSION, json={"name": "x", "password": "y"}, headers=headers).status_code == 401
    (event,) = house.operating.audit.list().items
    assert (event.address, event.door) == ("198.51.100.7", "api")


def test_refusals_tell_nobody_apart(web: FlaskClient, house: House) -> None:
    house.operating.access.people.add("ann", Role.VIEWER, password=PASSWORD, by="t")
    wrong = web.post(SESSION, json={"name": "ann", "password": "wrong"})
    unknown = web.post(SESSION, json={"name": "bob", "password": PASSWORD})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json is not None and unknown.json is not None
    assert {**wrong.json, "request_id": ""} == {**unknown.json, "request_id": ""}
    assert "Set-Cookie" not in wrong.headers


def test_too_many_guesses_are_told_when_to_come_again(web: FlaskClient) -> None:
    for _ in range(MOST_FOR_A_NAME):
        assert web.post(SESSION, json={"name": "ann", "password": "wrong"}).status_code == 401
    answer = web.post(SESSION, json={"name": "ann", "password": "wrong"})
    assert answer.status_code == 429 and 0 < int(answer.headers["Retry-After"]) <= 900
    assert answer.json is not None and answer.json["code"] == "TOO_MANY_ATTEMPTS"


@pytest.mark.parametrize(
    "body", [{}, {"name": "ann"}, {"name": "ann", "password": 7}, {"name": "", "password": "x"}]
)
def test_sign_in_refuses_without_echo(web: FlaskClient, body: dict[str, object]) -> None:
    assert web.post(SESSION, json=body).status_code == 422
    answer = web.post(SESSION, json={"name": "ann", "password": ["hunter2xyz"]})
    assert answer.status_code == 422 and "hunter2" not in answer.text


def test_signing_out_takes_the_cookie_back(web: FlaskClient, house: House) -> None:
    headers = signed_in(web, house)
    answer = web.delete(SESSION, headers=headers)
    assert answer.status_code == 204 and "Max-Age=0" in answer.headers["Set-Cookie"]
    assert web.get(SESSION).status_code == 401


def test_signing_out_everywhere(web: FlaskClient, house: House) -> None:
    headers = signed_in(web, house)
    other = client_of(house)
    other.post(SESSION, json={"name": "ann", "password": PASSWORD})
    assert other.get(SESSION).status_code == 200
    assert web.delete(f"{SESSION}?everywhere=true", headers=headers).status_code == 204
    assert other.get(SESSION).status_code == 401


def test_a_token_cannot_sign_out(web: FlaskClient, house: House) -> None:
    made = house.operating.access.tokens.make("ci", ["admin"], by="t")
    answer = web.delete(SESSION, headers={"Authorization": f"Bearer {made.secret}"})
    assert answer.status_code == 409 and answer.json is not None and answer.json["code"] == "NO_SESSION"


def test_a_person_gives_themselves_another_password(web: FlaskClient, house: House) -> None:
    headers = signed_in(web, house, role=Role.VIEWER)
    route = f"{SESSION}/password"
    wrong = web.put(route, json={"current": "wrong", "password": "another long one"}, headers=headers)
    short = web.put(route, json={"current": PASSWORD, "password": "short"}, headers=headers)
    assert (wrong.status_code, short.status_code) == (403, 422) and "short" not in short.text.replace(
        "short at", ""
    )
    body = {"current": PASSWORD, "password": "another long one"}
    assert web.put(route, json=body, headers=headers).status_code == 204
    assert web.get(SESSION).status_code == 200


def test_changes_in_a_session_are_recorded_under_the_persons_name(web: FlaskClient, house: House) -> None:
    headers = signed_in(web, house)
    web.post(f"{V1}/tokens", json={"name": "ci", "scopes": ["read"]}, headers=headers)
    event = house.operating.audit.list().items[0]
    assert (event.actor, event.door, event.action) == ("ann", "web", "token.make")


def test_a_database_that_is_away_is_no_refusal(web: FlaskClient, house: House) -> None:
    signed_in(web, house)
    house.operating.access.credentials.forget()
    house.pools.close()
    assert web.get(SESSION).status_code == 503
    made = "czt_"
    assert web.get(SESSION, headers={"Authorization": f"Bearer {made}"}).status_code == 401
