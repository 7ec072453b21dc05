"""An app of the front over a house in memory."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cronzimus.api import build_flask
from cronzimus.settings import Settings
from tests.api.fakes import FakeHouse, document


@pytest.fixture
def fake() -> FakeHouse:
    """The services behind the app."""
    return FakeHouse()


@pytest.fixture
def build(fake: FakeHouse) -> Callable[..., Flask]:
    """Makes an app from settings given as sections."""

    def build_app(**sections: Any) -> Flask:
        app = build_flask(Settings.model_validate(sections))
        app.extensions["cronzimus"] = fake
        return app

    return build_app


@pytest.fixture
def app(build: Callable[..., Flask]) -> Flask:
    """The app a developer gets on this machine: no token asked."""
    return build()


@pytest.fixture
def web(app: Flask) -> FlaskClient:
    """A client of that app."""
    return app.test_client()


@pytest.fixture
def hourly(web: FlaskClient) -> dict[str, Any]:
    """A job that exists."""
    answer = web.post("/api/v1/jobs", json=document())
    assert answer.status_code == 201, answer.text
    return dict(answer.json or {})
