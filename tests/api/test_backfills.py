"""Backfills over HTTP."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.fakes import FakeHouse

ROUTE = "/api/v1/backfills"
RANGE = {"job_id": "hourly", "from": "2026-03-01T00:00Z", "to": "2026-03-02T00:00Z"}


def test_backfill_is_started_and_followed(web: FlaskClient, fake: FakeHouse) -> None:
    answer = web.post(ROUTE, json={**RANGE, "outcomes": ["failed"], "max_running": 2, "reverse": True})
    assert answer.status_code == 201 and answer.headers["Location"] == f"{ROUTE}/{answer.json['id']}"
    (asked,) = fake.operating.backfills.asked
    assert (asked.outcomes, asked.max_running, asked.reverse) == (("failed",), 2, True)
    one = web.get(f"{ROUTE}/{answer.json['id']}").json
    assert (one["total"], one["done"], one["failed"], one["running"], one["left"]) == (4, 1, 1, 1, 1)
    assert one["eta_seconds"] == 3.0 and one["from"].startswith("2026-03-01")
    items = web.get(f"{ROUTE}/{answer.json['id']}/items").json["items"]
    assert [item["state"] for item in items] == ["success", None]


def test_dry_run_starts_nothing(web: FlaskClient, fake: FakeHouse) -> None:
    answer = web.post(ROUTE, json={**RANGE, "dry_run": True})
    assert answer.status_code == 200
    assert (answer.json["count"], answer.json["seconds"]) == (2, 12.5)
    assert [item["was"] for item in answer.json["items"]] == ["missed", "failed"]
    assert fake.operating.backfills.stored == {}


def test_pause_resume_and_cancel(web: FlaskClient, fake: FakeHouse) -> None:
    route = f"{ROUTE}/{fake.operating.backfills.put().id}"
    states = [web.post(f"{route}/{verb}").json["state"] for verb in ("pause", "resume", "cancel")]
    assert states == ["paused", "running", "cancelled"]
    ended = web.post(f"{route}/resume")
    assert (ended.status_code, ended.json["code"]) == (409, "BACKFILL_ENDED")
    assert web.get(f"{ROUTE}?state=cancelled").json["total"] == 1
    assert web.get(f"{ROUTE}?job_id=other").json["total"] == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"outcomes": ["bad"]}, "outcomes.0"),
        ({"max_running": 0}, "max_running"),
        ({"from": "yesterday"}, "from"),
        ({"dry_run": "maybe"}, "dry_run"),
        ({"job": "hourly"}, "job"),
    ],
)
def test_faults_are_told_by_field(web: FlaskClient, changes: dict[str, Any], field: str) -> None:
    answer = web.post(ROUTE, json={**RANGE, **changes})
    assert answer.status_code == 422 and answer.json["errors"][0]["field"] == field


@pytest.mark.parametrize("backfill_id", ["7", "01a1fd02-9521-72e2-9b52-c3d573379412"])
def test_backfill_nobody_started_is_not_found(web: FlaskClient, backfill_id: str) -> None:
    assert web.get(f"{ROUTE}/{backfill_id}").json["code"] == "BACKFILL_NOT_FOUND"
