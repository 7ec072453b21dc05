"""Pools over HTTP."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.fakes import FakeHouse

ROUTE = "/api/v1/pools"


def test_pools_are_listed_and_read(web: FlaskClient) -> None:
    answer = web.get(ROUTE).json
    assert [(one["name"], one["slots"], one["taken"]) for one in answer["items"]] == [
        ("db", 5, 2),
        ("used", 5, 2),
    ]
    assert web.get(f"{ROUTE}/db").json == answer["items"][0]
    assert web.get(f"{ROUTE}/none").json["code"] == "POOL_NOT_FOUND"


def test_pool_is_made_resized_and_removed(web: FlaskClient, fake: FakeHouse) -> None:
    made = web.put(f"{ROUTE}/api", json={"slots": 3, "description": "their limit"})
    assert (made.status_code, made.json["slots"], made.json["description"]) == (200, 3, "their limit")
    closed = web.put(f"{ROUTE}/api", json={"slots": 0})
    assert (closed.json["slots"], closed.json["description"]) == (0, "their limit")
    assert web.delete(f"{ROUTE}/api").status_code == 204 and "api" not in fake.operating.slot_pools.stored


def test_pool_that_jobs_need_stays(web: FlaskClient) -> None:
    answer = web.delete(f"{ROUTE}/used")
    assert (answer.status_code, answer.json["code"]) == (409, "POOL_IN_USE")


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "slots"), ({"slots": -1}, "slots"), ({"slots": "3"}, "slots"), ({"slots": 1, "size": 2}, "size")],
)
def test_mistakes_name_their_field(web: FlaskClient, body: dict[str, Any], field: str) -> None:
    answer = web.put(f"{ROUTE}/db", json=body)
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, field)
