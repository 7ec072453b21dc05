"""Tokens are made, told once, and revoked."""

from flask.testing import FlaskClient

from cronzimus.house import House
from cronzimus.models.access import Role
from tests.web.pages import Element, Page, press, read


def make(web: FlaskClient, **values: str) -> Element:
    answer = press(web, "/tokens", "/tokens", **values)
    assert answer.status_code == 200
    return Page(answer.text).root


def test_a_token_is_told_once(web: FlaskClient, house: House) -> None:
    secret = make(web, name="ci", scope="operate").one("pre", id="secret").text
    holder = house.operating.access.credentials.token(secret)
    assert holder is not None and (holder.name, holder.scope) == ("ci", "operate")
    again = read(web, "/tokens")
    assert again.all("pre", id="secret") == [] and secret not in again.text
    assert secret[:4] in again.one("tbody").text


def test_a_token_is_revoked(web: FlaskClient, house: House) -> None:
    secret = make(web, name="ci", scope="read").one("pre", id="secret").text
    token = house.operating.access.tokens.named("ci")
    answer = press(web, "/tokens", f"/tokens/{token.id}/revoke")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/tokens")
    assert house.operating.access.credentials.token(secret) is None
    assert "No token was made here" in read(web, "/tokens").text
    assert "revoked by" in read(web, "/tokens?all=true").one("tbody").text


def test_mistakes_are_said_and_what_was_typed_stays(web: FlaskClient, house: House) -> None:
    for values, status in (
        ({"name": "", "scope": "read"}, 422),
        ({"name": "ci", "scope": "root"}, 422),
        ({"name": "ci", "scope": "read", "expires_at": "2001-01-01T00:00Z"}, 422),
        ({"name": "ci", "scope": "read", "expires_at": "soon"}, 422),
    ):
        answer = press(web, "/tokens", "/tokens", **values)
        page = Page(answer.text).root
        assert answer.status_code == status and page.one("p", **{"class": "lead notice bad"}).text
        assert page.one("input", name="name").attributes["value"] == values["name"]
    assert house.operating.access.tokens.list().total == 0


def test_a_name_is_given_once(web: FlaskClient) -> None:
    make(web, name="ci", scope="read")
    assert press(web, "/tokens", "/tokens", name="ci", scope="read").status_code == 409


def test_people_are_listed(web: FlaskClient, house: House) -> None:
    house.operating.access.people.add("eva", role=Role.OPERATOR, password="long enough it is", by="test")
    people = read(web, "/tokens").one("section", **{"aria-labelledby": "people-title"})
    assert "eva operator" in people.text


def test_forged_forms_are_refused(web: FlaskClient, house: House) -> None:
    assert web.post("/tokens", data={"name": "ci", "scope": "admin"}).status_code == 403
    assert house.operating.access.tokens.list().total == 0


def test_what_is_not_there_is_not_found(web: FlaskClient) -> None:
    form = read(web, "/tokens").one("form", action="/tokens", method="post")
    token = form.one("input", name="csrf_token").attributes["value"]
    missing = "00000000-0000-7000-8000-000000000000"
    assert web.post(f"/tokens/{missing}/revoke", data={"csrf_token": token}).status_code == 404
