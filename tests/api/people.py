"""A front over a real database, and people who come in."""

from typing import Any

from flask.testing import FlaskClient

from cronzimus.api import build_flask
from cronzimus.house import House
from cronzimus.models.access import Role
from cronzimus.settings import Settings

PASSWORD = "correct horse battery"
V1 = "/api/v1"


def closed_house(url: str, **more: Any) -> House:
    """A house as production runs it; nothing moves by itself."""
    sections: dict[str, Any] = {
        "environment": "production",
        "database": {"min_connections": 0},
        "api": {"auth": {"hashing_memory_mb": 1}},
        **more,
    }
    return House(Settings.model_validate(sections), url=url)


def client_of(house: House) -> FlaskClient:
    """A browser that shows nothing."""
    app = build_flask(house.settings)
    app.extensions["cronzimus"] = house
    return app.test_client()


def signed_in(web: FlaskClient, house: House, name: str = "ann", role: Role = Role.ADMIN) -> dict[str, str]:
    """Sign a new person in; what their unsafe requests send along."""
    house.operating.access.people.add(name, role, password=PASSWORD, by="t")
    answer = web.post(f"{V1}/session", json={"name": name, "password": PASSWORD})
    assert answer.status_code == 200 and answer.json is not None, answer.text
    return {"X-CSRF-Token": str(answer.json["csrf_token"])}
