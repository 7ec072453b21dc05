"""The record of changes over REST."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cronzimus.models.actor import HOUSE, Actor, Door, current_actor
from tests.api.fakes import NOW, FakeHouse, an_event, document

AUDIT = "/api/v1/audit"


def test_list_tells_all_of_an_event(web: FlaskClient, fake: FakeHouse) -> None:
    fake.operating.audit.events.append(an_event())
    assert web.get(AUDIT).json == {
        "items": [
            {
                "id": 1,
                "at": "2026-03-01T12:00:00Z",
                "actor": "ann",
                "door": "api",
                "address": "192.0.2.7",
                "request_id": "req-1",
                "action": "job.pause",
                "target": "job/hourly",
                "before": {"status": "active"},
                "after": {"status": "paused"},
            }
        ],
        "total": 1,
        "limit": 50,
        "offset": 0,
    }


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("actor=ann", {"actor": "ann"}),
        ("action=job", {"action": "job"}),
        ("target=job/hourly", {"target": "job/hourly"}),
        ("since=2026-03-01T12:00:00Z&until=2026-03-01T12:00:00", {"since": NOW, "until": NOW}),
    ],
)
def test_list_asks_for_what_was_filtered(
    web: FlaskClient, fake: FakeHouse, query: str, asked: dict[str, Any]
) -> None:
    assert web.get(f"{AUDIT}?{query}").status_code == 200
    assert {name: value for name, value in fake.operating.audit.asked.items() if value is not None} == asked


@pytest.mark.parametrize("query", ["who=ann", "since=x", "actor=", "limit=500"])
def test_list_refuses(web: FlaskClient, query: str) -> None:
    assert web.get(f"{AUDIT}?{query}").status_code == 422


@pytest.mark.parametrize(
    ("headers", "door"),
    [
        ({}, Door.API),
        ({"User-Agent": "curl/8"}, Door.API),
        ({"User-Agent": "cronzimus/0.1.0"}, Door.CLI),
    ],
)
def test_the_door_is_known_while_a_request_lasts(
    app: Flask, fake: FakeHouse, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], door: Door
) -> None:
    seen: list[Actor] = []
    add = fake.timetable.add
    monkeypatch.setattr(
        fake.timetable, "add", lambda *args, **more: (seen.append(current_actor.get()), add(*args, **more))[1]
    )
    headers = {"X-Request-ID": "req-7", **headers}
    assert app.test_client().post("/api/v1/jobs", json=document(), headers=headers).status_code == 201
    assert seen == [Actor("api", door, "127.0.0.1", "req-7")]
    assert current_actor.get() == HOUSE
