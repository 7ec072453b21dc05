"""Where people are told, whether that works, and what was sent."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cronzimus.common.db import Database
from cronzimus.house import House
from cronzimus.services.channel import NotDelivered
from tests.alerting import raised
from tests.services.alerts.support import Wire
from tests.web.pages import Element, press, read
from tests.web.test_web import CLOSED

HERE = "/alerts/channels"
HOOK = {
    "name": "hook",
    "type": "webhook",
    "url": "https://hooks.example.org/secret-path?key=hunter22",
    "secret": "whsec_" + "QUFB" * 12,
}
CHANNELS: dict[str, Any] = {"channels": ({"name": "ops", "type": "log"}, HOOK)}


@pytest.fixture
def app(site: Callable[..., Flask]) -> Flask:
    """A house with two channels."""
    return site(alerts=CHANNELS)


def messages(web: FlaskClient, path: str = HERE) -> list[Element]:
    """The rows of the outbox."""
    return read(web, path).one("section", id="outbox").all("tr", **{"data-row": ""})


def test_channels_are_listed_without_their_secrets(web: FlaskClient) -> None:
    page = web.get(HERE).text
    assert "hunter22" not in page and "secret-path" not in page and "QUFB" not in page
    row = read(web, HERE).one("tr", id="channel-hook")
    assert row.one("td", **{"data-name": "Type"}).text == "webhook"
    assert "hooks.example.org" in row.one("td", **{"data-name": "Target"}).text
    log = read(web, HERE).one("tr", id="channel-ops")
    assert log.one("td", **{"data-name": "Target"}).text == "the log of this service"


def test_a_test_message_is_really_sent(web: FlaskClient, house: House) -> None:
    wire = Wire("ops")
    house.operating.telling.courier.channels["ops"] = wire
    answer = press(web, HERE, f"{HERE}/ops/test")
    assert (answer.status_code, answer.headers["Location"]) == (303, HERE)
    assert [message.kind for message in wire.sent] == ["test"]
    page = read(web, HERE)
    assert page.one("div", id="toasts").text == "ops took the test message"
    (row,) = page.one("section", id="outbox").all("tr", **{"data-row": ""})
    assert row.one("th").text == "ops" and "Test of channel ops" in row.text and "delivered" in row.text
    (event,) = house.operating.audit.list(target="channel/ops").items
    assert (event.action, event.actor, event.door) == ("channel.test", "api", "web")


def test_a_test_message_that_does_not_arrive_says_why(web: FlaskClient, house: House) -> None:
    broken = NotDelivered("connection refused by smtp://u:hunter22@mail")
    house.operating.telling.courier.channels["ops"] = Wire("ops", broken)
    press(web, HERE, f"{HERE}/ops/test")
    page = read(web, HERE)
    said = "connection refused by smtp://u:***@mail"
    assert page.one("div", id="toasts").text == f"ops did not deliver the test message: {said}"
    (row,) = page.one("section", id="outbox").all("tr", **{"data-row": ""})
    assert row.all("span")[0].text == "failed" and row.one("td", **{"data-name": "Last error"}).text == said


def test_the_outbox_of_all_leads_to_alerts_and_is_filtered(web: FlaskClient, database: Database) -> None:
    alert_id = raised(database)
    database.execute(
        "INSERT INTO cronzimus.notifications (alert_id, channel, kind, others, message, attempts, failed_at, error)"
        " VALUES (%(id)s, 'ops', 'raised', 3, '{\"title\": \"<i>a</i> failed\"}', 2, NULL, NULL),"
        " (%(id)s, 'hook', 'resolved', 0, NULL, 9, clock_timestamp(), 'gone')",
        {"id": alert_id},
    )
    hook, ops = messages(web)
    assert hook.one("a").attributes["href"] == ops.one("a").attributes["href"] == f"/alerts/{alert_id}"
    assert (ops.one("a").text, hook.one("a").text) == ("<i>a</i> failed", "an alert")
    assert ops.one("td", **{"data-name": "Tells"}).text == "raised and 3 more"
    assert [row.one("th").text for row in messages(web, f"{HERE}?state=failed")] == ["hook"]
    assert [row.one("th").text for row in messages(web, f"{HERE}?channel=ops")] == ["ops"]
    assert [row.one("th").text for row in messages(web, f"{HERE}?limit=1&offset=1")] == ["ops"]
    assert "No message matches." in read(web, f"{HERE}?channel=none").text


def test_without_channels_it_says_so(site: Callable[..., Flask]) -> None:
    page = read(site().test_client(), HERE).text
    assert "No channel is configured: alerts are listed, and nobody is told." in page
    assert "No message was sent." in page


def test_a_channel_that_is_not_there_is_not_found(web: FlaskClient) -> None:
    form = read(web, HERE).one("form", action=f"{HERE}/ops/test")
    token = form.one("input", name="csrf_token").attributes["value"]
    for name in ("none", "No%20Slug"):
        assert web.post(f"{HERE}/{name}/test", data={"csrf_token": token}).status_code == 404


def test_who_reads_sends_nothing(site: Callable[..., Flask]) -> None:
    web = site(**CLOSED, alerts=CHANNELS).test_client()
    key = {"Authorization": "Bearer read-key"}
    assert read(web, HERE, headers=key).one("main").all("form", method="post") == []
    assert web.post(f"{HERE}/ops/test", headers=key).status_code == 403
    offered = read(web, HERE, headers={"Authorization": "Bearer operate-key"}).one("main")
    assert len(offered.all("form", method="post")) == 2


def test_forged_forms_are_refused(web: FlaskClient, house: House) -> None:
    assert web.post(f"{HERE}/ops/test").status_code == 403
    assert house.operating.telling.courier.list().total == 0
