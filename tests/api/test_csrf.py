"""Requests that a browser was tricked into change nothing."""

from collections.abc import Iterator

import pytest
from flask import Flask

from cronzimus.api import build_flask
from cronzimus.api.csrf import csrf_token, is_page
from cronzimus.api.security import anyone, needs
from cronzimus.house import House
from cronzimus.settings import Settings
from tests.api.people import V1, client_of, closed_house, signed_in


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    house = closed_house(database_url)
    yield house
    house.stop()


@pytest.fixture
def pages() -> Flask:
    """An open developer's app with a form and what it sends to."""
    app = build_flask(Settings())

    @app.get("/form")
    @needs("read")
    def form() -> str:
        return csrf_token()

    @app.post("/form")
    @needs("operate")
    def sent() -> str:
        return "done"

    @app.post("/enter")
    @anyone
    def enter() -> str:
        return "entered"

    return app


def code(answer: object) -> str:
    return str((getattr(answer, "json", None) or {}).get("code"))


@pytest.mark.parametrize("route", ["/form", "/enter"])
def test_forms_want_their_token_even_on_an_open_loopback(pages: Flask, route: str) -> None:
    web = pages.test_client()
    assert (web.post(route).status_code, code(web.post(route))) == (403, "CSRF")
    token = web.get("/form").text
    assert web.post(route, data={"csrf_token": token}).status_code == 200
    assert web.post(route, headers={"X-CSRF-Token": token}).status_code == 200
    assert web.post(route, data={"csrf_token": token[:-1]}).status_code == 403
    assert web.post(route, data={"csrf_token": "größe"}).status_code == 403
    assert web.post(route, json={"csrf_token": token}).status_code == 403


def test_where_no_route_is_nothing_can_be_forged(pages: Flask) -> None:
    web = pages.test_client()
    assert web.delete("/form").status_code == 405 and web.post("/nowhere").status_code == 404


def test_a_token_is_of_one_browser(pages: Flask) -> None:
    mine, other = pages.test_client(), pages.test_client()
    token = mine.get("/form").text
    other.get("/form")
    assert other.post("/form", data={"csrf_token": token}).status_code == 403


def test_the_token_stays_while_the_browser_does(pages: Flask) -> None:
    web = pages.test_client()
    first = web.get("/form")
    assert "HttpOnly" in first.headers["Set-Cookie"] and "SameSite=Lax" in first.headers["Set-Cookie"]
    again = web.get("/form")
    assert again.text == first.text and "Set-Cookie" not in again.headers
    assert first.text not in first.headers["Set-Cookie"]


def test_a_program_on_an_open_loopback_needs_none(pages: Flask) -> None:
    assert pages.test_client().post(f"{V1}/jobs/none/pause").status_code != 403


def test_a_form_that_never_ends_is_cut_off(pages: Flask) -> None:
    pages.config["CRONZIMUS_MAX_BODY_BYTES"] = 1000
    answer = pages.test_client().post("/form", data={"csrf_token": "x" * 2000})
    assert answer.status_code == 413


def test_a_session_changes_nothing_without_its_token(house: House) -> None:
    web = client_of(house)
    headers = signed_in(web, house)
    route, body = f"{V1}/tokens", {"name": "ci", "scopes": ["read"]}
    assert code(web.post(route, json=body)) == "CSRF"
    assert code(web.post(route, json=body, headers={"X-CSRF-Token": "0" * 64})) == "CSRF"
    assert web.post(route, json=body, headers=headers).status_code == 201


def test_the_token_of_another_session_is_none(house: House) -> None:
    web, other = client_of(house), client_of(house)
    mine = signed_in(web, house)
    signed_in(other, house, "bob")
    assert code(other.delete(f"{V1}/session", headers=mine)) == "CSRF"


@pytest.mark.parametrize(
    ("path", "page"),
    [("/", True), ("/jobs", True), ("/login", True), ("/api/v1/jobs", False), ("/scheduler", False)],
)
def test_pages_are_what_people_look_at(path: str, page: bool) -> None:
    assert is_page(path) is page
