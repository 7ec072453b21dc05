"""Cookies are for this host alone, and of TLS where there is any."""

import pytest
from flask import Flask, Response

from cronzimus.api import cookies


@pytest.fixture
def app() -> Flask:
    return Flask("jar")


def given(app: Flask, url: str) -> str:
    with app.test_request_context(base_url=url):
        response = Response()
        cookies.give(response, "crumb", "value")
        return response.headers["Set-Cookie"]


def test_over_tls_nobody_else_can_set_it(app: Flask) -> None:
    assert given(app, "https://cron.example.org") == (
        "__Host-crumb=value; Secure; HttpOnly; Path=/; SameSite=Lax"
    )
    assert given(app, "http://localhost") == "crumb=value; HttpOnly; Path=/; SameSite=Lax"


@pytest.mark.parametrize(
    ("url", "sent", "read"),
    [
        ("http://localhost", "crumb=a", "a"),
        ("https://localhost", "crumb=a", None),
        ("https://localhost", "__Host-crumb=a", "a"),
        ("http://localhost", "other=a", None),
        ("http://localhost", f"crumb={'a' * 201}", None),
    ],
)
def test_only_its_own_is_read(app: Flask, url: str, sent: str, read: str | None) -> None:
    with app.test_request_context(base_url=url, headers={"Cookie": sent}):
        assert cookies.read("crumb") == read


def test_taken_back_is_the_one_that_was_given(app: Flask) -> None:
    with app.test_request_context(base_url="https://localhost"):
        response = Response()
        cookies.take_session(response)
    assert response.headers["Set-Cookie"].startswith("__Host-cronzimus_session=; Expires=Thu, 01 Jan 1970")
