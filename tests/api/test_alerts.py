"""Rules, alerts, channels and the outbox over HTTP."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.fake_alerts import NOW, FakeTelling, a_notification, an_alert
from tests.api.fakes import FakeHouse

RULES = "/api/v1/alert-rules"
LATE: dict[str, Any] = {
    "id": "late",
    "when": {"not_started": {"within": "5m"}},
    "for": {"tag": "etl"},
    "channels": ["ops"],
}


@pytest.fixture
def telling(fake: FakeHouse) -> FakeTelling:
    """What stands behind the routes."""
    return fake.operating.telling


@pytest.fixture
def late(web: FlaskClient) -> dict[str, Any]:
    """A rule that exists."""
    answer = web.post(RULES, json=LATE)
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"{RULES}/late" and answer.headers["ETag"] == '"1"'
    return dict(answer.json or {})


def test_a_rule_is_shown_as_it_was_written(web: FlaskClient, late: dict[str, Any]) -> None:
    assert late["rule"]["when"] == {"not_started": {"within": 300.0, "except": []}}
    assert late["rule"]["for"] == {"tag": "etl"} and late["changed_by"] == "api"
    assert web.get(f"{RULES}/late").json == late
    assert [row["id"] for row in web.get(RULES).json["items"]] == ["late"]
    assert web.get(f"{RULES}?source=file").json["total"] == 0


def test_a_rule_is_replaced_only_as_it_was_seen(web: FlaskClient, late: dict[str, Any]) -> None:
    changed = {**LATE, "severity": "critical"}
    assert web.put(f"{RULES}/late", json=changed, headers={"If-Match": '"1"'}).json["version"] == 2
    stale = web.put(f"{RULES}/late", json=changed, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json["code"]) == (412, "PRECONDITION_FAILED")
    assert web.delete(f"{RULES}/late", headers={"If-Match": '"1"'}).status_code == 412
    assert web.delete(f"{RULES}/late").status_code == 204
    assert web.get(f"{RULES}/late").status_code == 404


def test_a_patch_changes_what_it_names(web: FlaskClient, late: dict[str, Any]) -> None:
    patch = {"when": {"too_long": {"seconds": 60}}, "severity": "info", "for": "everything", "channels": None}
    rule = web.patch(f"{RULES}/late", json=patch).json["rule"]
    assert rule["when"] == {"too_long": {"seconds": 60.0, "over": 50, "at_least": 10.0}}
    assert (rule["severity"], rule["for"], rule["channels"]) == ("info", {"everything": True}, [])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"when": "failur"}, "when"),
        ({"when": {"not_started": {}}}, "when.not_started.within"),
        ({"chanels": ["ops"]}, "chanels"),
        ({"for": {"job": "Not A Slug"}}, "for.job"),
        ({"id": "no such name"}, "id"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_field(web: FlaskClient, change: Any, field: str) -> None:
    answer = web.post(RULES, json={**LATE, **change})
    assert answer.status_code == 422 and answer.json["errors"][0]["field"] == field


def test_a_rule_needs_a_channel_that_exists(web: FlaskClient) -> None:
    assert web.post(RULES, json={**LATE, "channels": ["telegraph"]}).json["code"] == "UNKNOWN_CHANNEL"


def test_a_name_is_taken_once_and_kept(web: FlaskClient, late: dict[str, Any]) -> None:
    assert web.post(RULES, json=LATE).json["code"] == "RULE_EXISTS"
    assert web.put(f"{RULES}/late", json={**LATE, "id": "other"}).json["errors"][0]["field"] == "id"


def test_alerts_are_listed_and_shown_with_their_messages(web: FlaskClient, telling: FakeTelling) -> None:
    alert = an_alert()
    telling.alerts.rows[alert.id] = alert
    telling.courier.rows.append(a_notification())
    (item,) = web.get("/api/v1/alerts?state=open&severity=critical").json["items"]
    assert (item["id"], item["state"], item["summary"]) == (str(alert.id), "open", alert.summary)
    assert telling.alerts.asked["state"] == "open" and telling.alerts.asked["severity"] == "critical"
    (message,) = web.get(f"/api/v1/alerts/{alert.id}").json["notifications"]
    assert (message["state"], message["title"]) == ("waiting", "[Cronzimus] hourly did not start")


def test_alerts_are_acknowledged_and_silenced_while_they_last(web: FlaskClient, telling: FakeTelling) -> None:
    alert = an_alert()
    telling.alerts.rows[alert.id] = alert
    at = f"/api/v1/alerts/{alert.id}"
    assert web.post(f"{at}/acknowledge").json["acknowledged_by"] == "api"
    assert (
        web.post(f"{at}/silence", json={"until": "2026-03-01T14:00"}).json["silenced_until"]
        == "2026-03-01T14:00:00Z"
    )
    assert web.post(f"{at}/silence", json={"until": None}).json["silenced_until"] is None
    assert web.post(f"{at}/silence", json={}).json["errors"][0]["field"] == "until"
    telling.alerts.rows[alert.id] = an_alert(resolved_at=NOW, resolution="over")
    assert web.post(f"{at}/acknowledge").json["code"] == "ALERT_RESOLVED"


def test_rules_are_silenced(web: FlaskClient, late: dict[str, Any]) -> None:
    answer = web.post(f"{RULES}/late/silence", json={"until": "2026-03-01T14:00:00Z"})
    assert answer.json["silenced_until"] == "2026-03-01T14:00:00Z"


def test_channels_are_listed_and_tried(web: FlaskClient, telling: FakeTelling) -> None:
    assert web.get("/api/v1/channels").json["items"] == [
        {"name": "ops", "type": "log", "target": "the log of this service"}
    ]
    assert web.post("/api/v1/channels/ops/test").json["state"] == "delivered"
    telling.courier.broken = "550 no such user"
    failed = web.post("/api/v1/channels/ops/test")
    assert (failed.status_code, failed.json["state"], failed.json["error"]) == (
        200,
        "failed",
        "550 no such user",
    )
    assert web.get("/api/v1/notifications?channel=ops").json["total"] == 2


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("alert-rules/Not-A-Name", "RULE_NOT_FOUND"),
        ("alerts/7", "ALERT_NOT_FOUND"),
        ("alerts/01a1f000-0000-7000-8000-00000000000f", "ALERT_NOT_FOUND"),
    ],
)
def test_what_is_not_there_is_not_found(web: FlaskClient, path: str, code: str) -> None:
    answer = web.get(f"/api/v1/{path}")
    assert (answer.status_code, answer.json["code"]) == (404, code)


def test_a_channel_that_is_not_there_is_not_found(web: FlaskClient) -> None:
    assert web.post("/api/v1/channels/Opps/test").json["code"] == "CHANNEL_NOT_FOUND"
