"""Coming in and going out by a form."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cronzimus.house import House
from cronzimus.models.access import Role
from tests.heart import definition
from tests.web.conftest import TOKENS
from tests.web.pages import Page, read

HTML = {"Accept": "text/html"}
PASSWORD = "correct horse battery"
CLOSED = {"environment": "production", "api": {"auth": {"tokens": TOKENS}}}


@pytest.fixture
def web(site: Callable[..., Flask]) -> FlaskClient:
    """A browser before a closed house where ada may look and operate."""
    app = site(**CLOSED)
    house: House = app.extensions["cronzimus"]
    house.operating.access.people.add("ada", Role.OPERATOR, password=PASSWORD, by="test")
    return app.test_client()


def sign_in(web: FlaskClient, path: str = "/login", **values: str) -> tuple[int, str, str]:
    form = read(web, path).one("form", action="/login")
    fields = {one.attributes["name"]: one.attributes.get("value", "") for one in form.all("input")}
    answer = web.post("/login", data={**fields, "name": "ada", "password": PASSWORD, **values}, headers=HTML)
    return answer.status_code, answer.headers.get("Location", ""), answer.text


def test_strangers_are_led_to_the_form_and_back(web: FlaskClient) -> None:
    answer = web.get("/jobs?q=a%20b", headers=HTML)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?next=%2Fjobs%3Fq%3Da%2520b")
    assert sign_in(web, answer.headers["Location"])[:2] == (303, "/jobs?q=a%20b")
    page = read(web, "/jobs?q=a%20b")
    assert page.one("header").one("form", action="/logout") and "ada" in page.one("header").text


@pytest.mark.parametrize("following", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_the_form_leads_nowhere_else(web: FlaskClient, following: str) -> None:
    assert sign_in(web, **{"next": following})[:2] == (303, "/")


def test_a_wrong_password_is_refused_without_saying_what_was_wrong(web: FlaskClient) -> None:
    wrong = [sign_in(web, password="no"), sign_in(web, name="bob")]
    assert [status for status, _, _ in wrong] == [401, 401]
    told = {Page(text).root.one("p", role="alert").text for _, _, text in wrong}
    assert told == {"name or password is wrong"}
    assert web.get("/jobs", headers=HTML).status_code == 303
    for _, _, text in wrong:
        assert "value" not in Page(text).root.one("input", name="password").attributes


def test_who_may_operate_is_offered_that_and_no_more(web: FlaskClient) -> None:
    house: House = web.application.extensions["cronzimus"]
    house.timetable.add(definition("a"), by="test")
    sign_in(web)
    main = read(web, "/jobs/a").one("main")
    actions = {form.attributes["action"] for form in main.all("form", method="post")}
    assert actions == {"/jobs/a/run", "/jobs/a/pause"}
    token = main.all("input", name="csrf_token")[0].attributes["value"]
    refused = web.post("/jobs/a/delete", data={"csrf_token": token}, headers=HTML)
    assert refused.status_code == 403 and house.timetable.get("a").id == "a"


def test_leaving_ends_the_session(web: FlaskClient) -> None:
    sign_in(web)
    cookie = web.get_cookie("cronzimus_session")
    assert cookie is not None and cookie.http_only
    form = read(web, "/").one("form", action="/logout")
    token = form.one("input", name="csrf_token").attributes["value"]
    answer = web.post("/logout", data={"csrf_token": token}, headers=HTML)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    web.set_cookie("cronzimus_session", cookie.value)
    assert web.get("/", headers=HTML).status_code == 303


def test_an_open_page_is_told_that_the_session_is_over(web: FlaskClient) -> None:
    assert web.get("/jobs", headers={**HTML, "X-Part": "1"}).status_code == 401


def test_a_form_without_its_token_signs_nobody_in(web: FlaskClient) -> None:
    answer = web.post("/login", data={"name": "ada", "password": PASSWORD}, headers=HTML)
    assert answer.status_code == 403 and web.get_cookie("cronzimus_session") is None
