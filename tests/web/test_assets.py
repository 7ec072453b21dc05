"""The pages' own files: kept for ever under their hash, and nothing else is served."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cronzimus.web.assets import asset, assets


def test_a_file_is_kept_for_ever_under_its_hash(web: FlaskClient) -> None:
    answer = web.get(asset("app.css"))
    assert (answer.status_code, answer.mimetype) == (200, "text/css")
    assert "immutable" in answer.headers["Cache-Control"] and answer.headers["ETag"]


@pytest.mark.parametrize(("name", "mimetype"), [("app.js", "text/javascript"), ("icon.svg", "image/svg+xml")])
def test_a_file_says_what_it_is(web: FlaskClient, name: str, mimetype: str) -> None:
    assert web.get(asset(name)).mimetype == mimetype


def test_another_release_s_address_is_not_kept(web: FlaskClient) -> None:
    answer = web.get("/static/0123456789abcdef/app.css")
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "name",
    [
        "../web/site.py",
        "..%2fweb%2fsite.py",
        "vendor/../app.css",
        "/etc/passwd",
        "%00app.css",
        "vendor/vendor.toml",
        "",
    ],
)
def test_nothing_else_is_served(web: FlaskClient, name: str) -> None:
    assert web.get(f"/static/{assets().digest}/{name}").status_code == 404


def test_a_misspelt_file_is_found_at_once() -> None:
    with pytest.raises(LookupError, match="static/ap.css"):
        asset("ap.css")


def test_strangers_get_the_files(site: Callable[..., Flask]) -> None:
    web = site(environment="production").test_client()
    assert web.get(asset("vendor/uplot/uPlot.iife.min.js")).status_code == 200
    assert web.get("/jobs").status_code == 401
