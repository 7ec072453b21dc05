"""The glue: bodies, parameters, answers and pages."""

from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_openapi3 import APIBlueprint
from pydantic import BaseModel

from cronzimus.api.security import anyone
from cronzimus.api.support import Body, Query, blueprint, house, page_of
from cronzimus.errors import Unavailable
from cronzimus.models.page import Page
from tests.api.fakes import FakeHouse


class Sizes(Query):
    """Parameters of the test's route."""

    size: int = 1


class Note(Body):
    """The body of the test's route."""

    text: str
    size: int = 1


@dataclass(frozen=True, slots=True)
class Plain:
    """A thing a view may return."""

    size: int


class Model(BaseModel):
    """Another thing a view may return."""

    size: int


class KindPath(BaseModel):
    """Which of them."""

    kind: str


@pytest.fixture
def routes(app: Flask) -> FlaskClient:
    """The app with routes that show the glue."""
    api: APIBlueprint = blueprint("trial", prefix="/api/trial")

    @api.get("/sizes")
    @anyone
    def get_sizes(query: Sizes) -> dict[str, int]:
        return {"size": query.size}

    @api.post("/notes")
    @anyone
    def add_note(body: Note) -> tuple[Any, ...]:
        return body, 201, {"X-Own": "kept"}

    @api.get("/<kind>")
    @anyone
    def get_kind(path: KindPath) -> Any:
        kinds = {
            "dataclass": Plain(3),
            "model": Model(size=3),
            "list": [1, 2],
            "text": "plain",
            "none": ("", 204),
        }
        return kinds[path.kind]

    app.register_api(api)  # type: ignore[attr-defined]
    return app.test_client()


@pytest.mark.parametrize(
    ("kind", "data", "mimetype"),
    [
        ("dataclass", b'{"size":3}', "application/json"),
        ("model", b'{"size":3}', "application/json"),
        ("list", b"[1,2]", "application/json"),
        ("text", b"plain", "text/html"),
        ("none", b"", "text/html"),
    ],
)
def test_views_return_what_they_have(routes: FlaskClient, kind: str, data: bytes, mimetype: str) -> None:
    answer = routes.get(f"/api/trial/{kind}")
    assert (answer.data, answer.mimetype) == (data, mimetype)


def test_status_and_headers_of_a_view_are_kept(routes: FlaskClient) -> None:
    answer = routes.post("/api/trial/notes", json={"text": "x"})
    assert (answer.status_code, answer.headers["X-Own"]) == (201, "kept")
    assert answer.json == {"text": "x", "size": 1}


@pytest.mark.parametrize(
    ("data", "kind", "status", "code"),
    [
        (b"", "application/json", 400, "BODY_MISSING"),
        (b"", "text/plain", 400, "BODY_MISSING"),
        (b"{", "application/json", 400, "MALFORMED_JSON"),
        (b"[]", "application/json", 400, "BODY_NOT_OBJECT"),
        (b'{"text":"x"}', "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b'{"text":"x"}', "", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b'{"text":"x"}', "application/json; charset=utf-16", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"{}", "application/json", 422, "VALIDATION_ERROR"),
        (b'{"text":1}', "application/json", 422, "VALIDATION_ERROR"),
        (b'{"text":"x","txet":"y"}', "application/json", 422, "VALIDATION_ERROR"),
    ],
)
def test_bodies_are_refused_for_what_they_are(
    routes: FlaskClient, data: bytes, kind: str, status: int, code: str
) -> None:
    answer = routes.post("/api/trial/notes", data=data, headers={"Content-Type": kind})
    assert answer.json is not None
    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_unknown_fields_have_neighbours(routes: FlaskClient) -> None:
    answer = routes.post("/api/trial/notes", json={"text": "x", "sise": 2})
    assert answer.json is not None
    assert answer.json["errors"] == [{"field": "sise", "message": "is not known here; did you mean 'size'?"}]


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("sise=1", "sise: is not known here; did you mean 'size'?"),
        ("size=1&size=1", "size: is given more than once"),
        ("size=x", "size: must be a whole number, got 'x'"),
        ("size=" + "x" * 500, "size: must be a whole number, got '" + "x" * 58 + "…"),
    ],
)
def test_parameters_are_refused_in_our_words(routes: FlaskClient, query: str, detail: str) -> None:
    answer = routes.get(f"/api/trial/sizes?{query}")
    assert answer.json is not None
    assert (answer.status_code, answer.json["detail"]) == (422, detail)


def test_parameters_without_end_are_refused(routes: FlaskClient) -> None:
    answer = routes.get("/api/trial/sizes?" + "&".join(f"p{number}=1" for number in range(51)))
    assert answer.json is not None
    assert (answer.status_code, answer.json["detail"]) == (422, "the query has more than 50 parameters")


def test_parameters_are_accepted(routes: FlaskClient) -> None:
    assert routes.get("/api/trial/sizes?size=7").json == {"size": 7}


def test_the_schema_of_parameters_is_made_once() -> None:
    assert Sizes.model_json_schema() is Sizes.model_json_schema()
    assert Sizes.model_json_schema() is not Query.model_json_schema()


def test_there_is_no_house_before_it_is_built(app: Flask) -> None:
    del app.extensions["cronzimus"]
    with app.app_context(), pytest.raises(Unavailable, match="starting"):
        house()


def test_the_house_is_the_apps(app: Flask, fake: FakeHouse) -> None:
    with app.app_context():
        assert house() is fake


@pytest.mark.parametrize(
    ("page", "links"),
    [
        (Page((), 0, 10, 0), None),
        (Page((1,), 1, 10, 0), None),
        (Page((1,), 11, 10, 0), '</x?q=a+b%26c&limit=10&offset=10>; rel="next"'),
        (
            Page((), 5, 10, 90),
            '</x?q=a+b%26c&limit=10&offset=0>; rel="first", </x?q=a+b%26c&limit=10&offset=80>; rel="prev"',
        ),
    ],
)
def test_pages_link_to_their_neighbours(app: Flask, page: Page[int], links: str | None) -> None:
    with app.test_request_context("/x?q=a%20b%26c&limit=10&offset=3"):
        body, status, headers = page_of(page, lambda item: {"item": item})
    assert (status, headers.get("Link")) == (200, links)
    assert body == {
        "items": [{"item": item} for item in page.items],
        "total": page.total,
        "limit": page.limit,
        "offset": page.offset,
    }
