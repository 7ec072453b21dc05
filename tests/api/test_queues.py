"""Queues over HTTP."""

import pytest
from flask.testing import FlaskClient

from tests.api.fakes import FakeHouse

ROUTE = "/api/v1/queues"


def test_queues_are_listed_and_read(web: FlaskClient) -> None:
    answer = web.get(ROUTE).json
    assert [(one["name"], one["status"], one["held"]) for one in answer["items"]] == [
        ("etl", "active", 0),
        ("web", "paused", 2),
    ]
    assert answer["total"] == 2 and web.get(f"{ROUTE}?limit=1&offset=1").json["items"][0]["name"] == "web"
    assert web.get(f"{ROUTE}/etl").json == answer["items"][0]


@pytest.mark.parametrize(
    ("verb", "status"), [("pause", "paused"), ("drain", "draining"), ("resume", "active")]
)
def test_queue_is_turned(web: FlaskClient, fake: FakeHouse, verb: str, status: str) -> None:
    answer = web.post(f"{ROUTE}/etl/{verb}")
    assert (answer.status_code, answer.json["status"]) == (200, status)
    assert fake.operating.queues.stored["etl"].changed_by == answer.json["changed_by"] is not None


@pytest.mark.parametrize("name", ["none", "NO", "a%20b"])
def test_queue_that_is_not_there_is_not_found(web: FlaskClient, name: str) -> None:
    for answer in (web.get(f"{ROUTE}/{name}"), web.post(f"{ROUTE}/{name}/pause")):
        assert (answer.status_code, answer.json["code"]) == (404, "QUEUE_NOT_FOUND")
