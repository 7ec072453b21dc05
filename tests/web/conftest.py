"""The pages over the real house on a real database, in which nothing moves by itself."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cronzimus.app import create_app
from cronzimus.house import House
from cronzimus.settings import Settings
from tests.api.fakes import document

TOKENS = tuple({"name": scope, "token": f"{scope}-key", "scopes": (scope,)} for scope in ("read", "operate"))
SECTIONS: dict[str, Any] = {"scheduler": {"sample_job": False}, "database": {"min_connections": 1}}


@pytest.fixture
def site(database_url: str) -> Iterator[Callable[..., Flask]]:
    """Makes an app with its pages from settings given as sections."""
    houses: list[House] = []

    def build(**sections: Any) -> Flask:
        settings = Settings.model_validate({**SECTIONS, **sections})
        app = create_app(settings=settings, start=False)
        house = House(settings, url=database_url)
        houses.append(house)
        app.extensions["cronzimus"] = house
        return app

    yield build
    for house in houses:
        house.stop()


@pytest.fixture
def app(site: Callable[..., Flask]) -> Flask:
    """The app a developer gets on this machine: no token asked."""
    return site()


@pytest.fixture
def house(app: Flask) -> House:
    """The services behind the app."""
    found: House = app.extensions["cronzimus"]
    return found


@pytest.fixture
def web(app: Flask) -> FlaskClient:
    """A browser, as far as cookies go."""
    return app.test_client()


@pytest.fixture
def hourly(web: FlaskClient) -> str:
    """A job that exists."""
    assert web.post("/api/v1/jobs", json=document("hourly")).status_code == 201
    return "hourly"
