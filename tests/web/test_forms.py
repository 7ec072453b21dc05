"""Forms: their token, the way back, and the word about what was done."""

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

from cronzimus.errors import Conflict, Fault, Invalid, Unavailable
from cronzimus.web.forms import Said, faults_of, local_path, said_in
from tests.web.pages import press, read

PAUSE = "/jobs/hourly/pause"


def status_of(web: FlaskClient) -> str:
    return str((web.get("/api/v1/jobs/hourly").json or {})["status"])


def test_a_form_needs_its_token(web: FlaskClient, hourly: str) -> None:
    read(web, "/jobs")
    refused = [web.post(PAUSE, data=data) for data in ({}, {"csrf_token": ""}, {"csrf_token": "x" * 43})]
    assert [(answer.status_code, (answer.json or {})["code"]) for answer in refused] == [(403, "CSRF")] * 3
    assert status_of(web) == "active"


def test_a_token_of_another_browser_is_refused(app: object, web: FlaskClient, hourly: str) -> None:
    token = read(web, "/jobs").one("form", action=PAUSE).one("input", name="csrf_token").attributes["value"]
    stranger = web.application.test_client()
    assert stranger.post(PAUSE, data={"csrf_token": token}).status_code == 403
    read(stranger, "/jobs")
    assert stranger.post(PAUSE, data={"csrf_token": token}).status_code == 403
    assert status_of(web) == "active"


def test_a_form_of_another_site_is_refused_even_with_its_token(web: FlaskClient, hourly: str) -> None:
    token = read(web, "/jobs").one("form", action=PAUSE).one("input", name="csrf_token").attributes["value"]
    answer = web.post(PAUSE, data={"csrf_token": token}, headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, (answer.json or {})["code"]) == (403, "CROSS_SITE")


def test_every_form_of_a_page_has_the_browser_s_token(web: FlaskClient, hourly: str) -> None:
    forms = [form for form in read(web, "/jobs").all("form", method="post")]
    (token,) = {form.one("input", name="csrf_token").attributes["value"] for form in forms}
    cookie = web.get_cookie("cronzimus_form")
    assert cookie is not None and len(token) == 64 and cookie.value != token
    assert cookie.http_only and cookie.same_site == "Lax"


def test_a_poor_cookie_leaves_no_trace_in_a_page(web: FlaskClient, hourly: str) -> None:
    web.set_cookie("cronzimus_form", '"><script>')
    forms = [form for form in read(web, "/jobs").all("form", method="post")]
    assert all(form.one("input", name="csrf_token").attributes["value"].isalnum() for form in forms)


def test_what_was_done_is_said_once(web: FlaskClient, hourly: str) -> None:
    answer = press(web, "/jobs", PAUSE)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/jobs")
    assert read(web, "/jobs").one("div", id="toasts").text == "hourly is paused"
    assert read(web, "/jobs").one("div", id="toasts").text == ""


@pytest.mark.parametrize("path", ["/", "/jobs?status=paused&q=a%20b", "/jobs/a#versions"])
def test_a_path_here_is_kept(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        "jobs",
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "/a\nb",
        "\\/evil.example",
    ],
)
def test_a_path_elsewhere_is_not(path: str | None) -> None:
    assert local_path(path) is None


def test_faults_are_told_by_field_the_first_of_each() -> None:
    faults = [Fault("days.0.on", "one"), Fault("days.1.on", "two"), Fault("id", "three")]
    assert faults_of(Invalid("all", faults=faults)) == ({"": "all", "days": "one", "id": "three"}, 422)
    assert faults_of(Conflict("taken")) == ({"": "taken"}, 409)
    assert faults_of(Unavailable("away")) == ({"": "away"}, 503)


def test_what_was_said_is_read_by_name() -> None:
    sent = MultiDict([("name", " a "), ("days", "sat"), ("days", "sun"), ("odd", "x")])
    assert said_in(sent, ("name", "more"), "days") == Said({"name": "a", "more": ""}, ("sat", "sun"))
