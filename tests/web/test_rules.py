"""When somebody is told: rules are listed, made, silenced and taken away."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cronzimus.common.db import Database
from cronzimus.house import House
from cronzimus.models.alert import RuleRow
from cronzimus.models.alert_rule import Rule
from tests.alerting import raised
from tests.api.fakes import document
from tests.web.pages import Element, Page, press, read
from tests.web.test_web import CLOSED

NEW = "/alerts/rules/new"
CHANNELS = {"channels": ({"name": "ops", "type": "log"}, {"name": "desk", "type": "log"})}


@pytest.fixture
def app(site: Callable[..., Flask]) -> Flask:
    """A house with two channels."""
    return site(alerts=CHANNELS)


def rows(web: FlaskClient, path: str = "/alerts/rules") -> dict[str, dict[str, str]]:
    """What the list says of each rule."""
    found = [row for row in read(web, path).one("main").all("tr") if "data-row" in row.attributes]
    named = {row.attributes["id"].removeprefix("rule-"): row for row in found}
    return {
        name: {one.attributes["data-name"]: one.text for one in row.children if "data-name" in one.attributes}
        for name, row in named.items()
    }


def a_rule(house: House, rule_id: str = "rule", when: Any = "failure", **more: Any) -> RuleRow:
    rule = Rule.model_validate({"id": rule_id, "when": when, **more})
    return house.operating.telling.rules.add(rule, by="test")


def sent(web: FlaskClient, **values: Any) -> TestResponse:
    """The form filled in as a browser would; a checkbox that is not ticked is not sent."""
    token = read(web, NEW).one("form", action=NEW).one("input", name="csrf_token").attributes["value"]
    fields = {
        "id": "late",
        "when": "not_started",
        "value": "10m",
        "scope": "everything",
        "severity": "warning",
    }
    return web.post(NEW, data={**fields, "csrf_token": token, **values}, headers={"Accept": "text/html"})


def refused(answer: TestResponse) -> Element:
    assert answer.status_code in (409, 422), answer.text
    return Page(answer.text).root


def test_rules_say_when_for_whom_and_where(web: FlaskClient, house: House) -> None:
    when = {"not_started": {"within": "10m", "except": ["paused"]}}
    a_rule(house, "late", when, channels=["ops"], severity="critical", remind_every="1h", description="Late!")
    a_rule(house, "off", enabled=False, **{"for": {"tag": "etl"}})
    said = rows(web)
    assert said["late"] == {
        "Rule": "late Late!",
        "When": "no run began within 10 min of an instant that was due, unless paused told again every 1 h",
        "For": "everything",
        "Told through": "ops",
        "Severity": "critical",
        "State": "enabled",
        "From": "api",
        "Open": "0",
    }
    assert [said["off"][name] for name in ("For", "Told through", "State")] == ["etl", "every channel", "off"]


def test_rules_of_jobs_lead_to_them_and_cannot_be_deleted(
    web: FlaskClient, house: House, database: Database
) -> None:
    web.post("/api/v1/jobs", json=document("hourly", alerts=[{"when": "failure"}]))
    raised(database, rule_id="hourly.failure")
    row = read(web, "/alerts/rules").one("tr", id="rule-hourly.failure")
    links = [one.attributes["href"] for one in row.all("a")]
    assert links == ["/alerts?rule_id=hourly.failure&all=true", "/jobs/hourly", "/jobs/hourly"]
    assert row.one("td", **{"data-name": "Open"}).text == "1"
    assert [one.attributes["action"] for one in row.all("form")] == ["/alerts/rules/hourly.failure/silence"]
    token = row.one("input", name="csrf_token").attributes["value"]
    answer = web.post("/alerts/rules/hourly.failure/delete", data={"csrf_token": token})
    assert answer.status_code == 409 and "its job's document" in answer.text


def test_the_address_says_which(web: FlaskClient, house: House) -> None:
    a_rule(house, "one", **{"for": {"job": "a"}})
    a_rule(house, "two", "broken")
    assert [*rows(web, "/alerts/rules?condition=broken")] == ["two"]
    assert [*rows(web, "/alerts/rules?job_id=a")] == ["one"]
    assert [*rows(web, "/alerts/rules?limit=1&offset=1")] == ["two"]
    assert "No rule matches." in read(web, "/alerts/rules?source=file").text


def test_without_rules_it_says_so(web: FlaskClient) -> None:
    assert "There is no rule: nobody is told of anything." in read(web, "/alerts/rules").text


def test_a_rule_is_made(web: FlaskClient, house: House) -> None:
    answer = sent(
        web,
        scope="tag",
        of=" etl ",
        channels=["ops"],
        remind_every="4h",
        description="Late",
        severity="critical",
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/alerts/rules")
    made = house.operating.telling.rules.get("late")
    assert made.changed_by == "api" and made.source == "api"
    assert made.document == {
        "id": "late",
        "description": "Late",
        "when": {"not_started": {"within": 600.0, "except": []}},
        "for": {"tag": "etl"},
        "channels": ["ops"],
        "severity": "critical",
        "remind_every": 14400.0,
        "tell_recovery": False,
        "enabled": True,
    }
    (event,) = house.operating.audit.list(target="alert-rule/late").items
    assert (event.action, event.actor, event.door) == ("alert_rule.create", "api", "web")


def test_the_empty_form_offers_what_there_is(web: FlaskClient) -> None:
    page = read(web, NEW)
    assert [one.attributes["value"] for one in page.all("input", name="channels")] == ["ops", "desk"]
    assert "checked" in page.one("input", name="tell_recovery").attributes
    assert page.one("select", id="severity").one("option", selected="").text == "warning"
    assert len(page.one("select", id="when").all("option")) == 12
    for name in ("when", "value", "scope", "of", "id", "severity", "remind_every"):
        assert page.one("label", **{"for": name}).text


def test_mistakes_stand_beside_their_fields_and_what_was_typed_stays(web: FlaskClient, house: House) -> None:
    typed = {"id": "Late!", "value": "soon", "remind_every": "often", "description": "<b>Late</b>"}
    answer = sent(web, **typed, scope="job", of="", channels=["desk"], tell_recovery="true")
    page = refused(answer)
    assert answer.status_code == 422
    for name, value in {**typed, "of": ""}.items():
        assert page.one("input", id=name).attributes["value"] == value
    for name in ("id", "value", "remind_every", "of"):
        assert page.one("input", id=name).attributes["aria-invalid"] == "true"
        assert page.one("span", id=f"{name}-note").attributes["class"] == "fault"
    assert "aria-invalid" not in page.one("input", id="description").attributes
    assert page.one("select", id="when").one("option", selected="").attributes["value"] == "not_started"
    assert page.one("select", id="scope").one("option", selected="").attributes["value"] == "job"
    ticked = [
        one.attributes["value"] for one in page.all("input", type="checkbox") if "checked" in one.attributes
    ]
    assert ticked == ["desk", "true"]
    assert house.operating.telling.rules.list().total == 0


def test_a_name_that_is_taken_is_said_beside_it(web: FlaskClient, house: House) -> None:
    a_rule(house, "late")
    answer = sent(web)
    assert answer.status_code == 409
    assert "exists already" in refused(answer).one("span", id="id-note", **{"class": "fault"}).text


def test_a_channel_that_is_gone_is_said_beside_the_channels(web: FlaskClient) -> None:
    fault = refused(sent(web, channels=["pager"])).one("span", id="channels-note")
    assert "no channel is called 'pager'" in fault.text and fault.attributes["class"] == "fault"


def test_a_condition_that_does_not_suit_the_jobs_is_said_there(web: FlaskClient) -> None:
    page = refused(sent(web, when="no_leader", value="30s", scope="job", of="a"))
    assert "for must be everything" in page.one("span", id="scope-note").text


def test_a_rule_is_silenced_and_told_again(web: FlaskClient, house: House) -> None:
    a_rule(house)
    action = "/alerts/rules/rule/silence"
    assert press(web, "/alerts/rules", action, length="24h").headers["Location"] == "/alerts/rules"
    until = house.operating.telling.rules.get("rule").silenced_until
    assert until is not None and abs(until - datetime.now(UTC) - timedelta(days=1)) < timedelta(minutes=1)
    assert "silenced, ends" in rows(web)["rule"]["State"]
    press(web, "/alerts/rules", action)
    assert house.operating.telling.rules.get("rule").silenced_until is None
    assert rows(web)["rule"]["State"] == "enabled"


def test_a_rule_is_deleted_after_asking(web: FlaskClient, house: House) -> None:
    a_rule(house)
    form = read(web, "/alerts/rules").one("form", action="/alerts/rules/rule/delete")
    assert form.attributes["data-confirm"] == "Delete the rule rule? What it raised is resolved."
    answer = press(web, "/alerts/rules?source=api", "/alerts/rules/rule/delete")
    assert answer.headers["Location"] == "/alerts/rules?source=api"
    assert house.operating.telling.rules.list().total == 0
    (event,) = house.operating.audit.list(action="alert_rule.delete").items
    assert event.actor == "api"


@pytest.mark.parametrize(("scope", "forms", "link"), [("read", 0, False), ("operate", 1, False)])
def test_only_admins_make_and_delete(
    site: Callable[..., Flask], web: FlaskClient, house: House, scope: str, forms: int, link: bool
) -> None:
    a_rule(house)
    closed = site(**CLOSED).test_client()
    key = {"Authorization": f"Bearer {scope}-key"}
    main = read(closed, "/alerts/rules", headers=key).one("main")
    assert len(main.all("form", method="post")) == forms
    assert bool(main.all("a", href=NEW)) is link
    assert closed.get(NEW, headers=key).status_code == 403
    for path in (NEW, "/alerts/rules/rule/delete"):
        assert closed.post(path, headers=key).status_code == 403
    assert house.operating.telling.rules.get("rule")


def test_forged_forms_are_refused(web: FlaskClient, house: House) -> None:
    a_rule(house)
    for path in (NEW, "/alerts/rules/rule/delete", "/alerts/rules/rule/silence"):
        assert web.post(path, data={"id": "x", "when": "failure"}).status_code == 403
    assert house.operating.telling.rules.list().total == 1


def test_what_is_not_there_is_not_found(web: FlaskClient, house: House) -> None:
    a_rule(house)
    form = read(web, "/alerts/rules").one("form", action="/alerts/rules/rule/silence")
    token = form.one("input", name="csrf_token").attributes["value"]
    for path in ("/alerts/rules/none/silence", "/alerts/rules/No%20Slug/delete"):
        assert web.post(path, data={"csrf_token": token, "length": "1h"}).status_code == 404
