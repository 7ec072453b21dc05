"""Being told: rules, alerts, channels and the outbox."""

from typing import Any

from flask import request
from pydantic import ValidationError

from cronzimus.api.alert_shapes import (
    AlertDetails,
    AlertPage,
    AlertPath,
    AlertQuery,
    AlertView,
    ChannelPage,
    ChannelPath,
    NotificationPage,
    NotificationQuery,
    NotificationView,
    RuleDocument,
    RulePage,
    RulePatch,
    RulePath,
    RuleQuery,
    RuleView,
    SilenceBody,
    alert_view,
    channel_view,
    notification_view,
    rule_view,
)
from cronzimus.api.documents import merged, named
from cronzimus.api.problems import Refusal
from cronzimus.api.queries import PageQuery
from cronzimus.api.security import caller, needs
from cronzimus.api.support import V1, blueprint, house, page_of
from cronzimus.errors import Conflict
from cronzimus.models.alert import Alert, Notification, RuleRow
from cronzimus.models.alert_rule import Rule
from cronzimus.models.faults import refusal
from cronzimus.models.page import Page

api = blueprint("alerts")

_MOST_SHOWN = 50


@api.get("/alert-rules", responses={200: RulePage})
@needs("read")
def list_alert_rules(query: RuleQuery) -> tuple[Any, ...]:
    """List rules by id: those made here, those of files and those of jobs."""
    return page_of(house().operating.telling.rules.list(**dict(query)), rule_view)


@api.post("/alert-rules", responses={201: RuleView})
@needs("admin")
def create_alert_rule(body: RuleDocument) -> tuple[Any, ...]:
    """Make a new rule; it judges what happens from now on."""
    row = house().operating.telling.rules.add(rule_of(body.root), by=caller())
    return rule_view(row), 201, {"Location": f"{V1}/alert-rules/{row.id}", **_etag(row)}


@api.get("/alert-rules/<rule_id>", responses={200: RuleView})
@needs("read")
def get_alert_rule(path: RulePath) -> tuple[Any, ...]:
    """One rule."""
    row = house().operating.telling.rules.get(path.rule_id)
    return rule_view(row), 200, _etag(row)


@api.put("/alert-rules/<rule_id>", responses={200: RuleView})
@needs("admin")
def replace_alert_rule(path: RulePath, body: RuleDocument) -> tuple[Any, ...]:
    """Give a rule another document; with If-Match only when nobody else changed it meanwhile."""
    rule = rule_of(named(body.root, path.rule_id))
    return _replaced(rule, _expected(house().operating.telling.rules.get(path.rule_id)))


@api.patch("/alert-rules/<rule_id>", responses={200: RuleView})
@needs("admin")
def patch_alert_rule(path: RulePath, body: RulePatch) -> tuple[Any, ...]:
    """Change some fields of a rule (RFC 7396); another condition or scope replaces the old one whole."""
    row = house().operating.telling.rules.get(path.rule_id)
    _expected(row)
    kept = {
        name: value for name, value in row.document.items() if name not in {"when", "for"} & body.root.keys()
    }
    return _replaced(rule_of(named(merged(kept, body.root), path.rule_id)), row.version)


@api.delete("/alert-rules/<rule_id>", responses={204: None})
@needs("admin")
def delete_alert_rule(path: RulePath) -> tuple[str, int]:
    """Remove a rule; what it raised is resolved."""
    if request.if_match:
        _expected(house().operating.telling.rules.get(path.rule_id))
    house().operating.telling.rules.remove(path.rule_id, by=caller())
    return "", 204


@api.post("/alert-rules/<rule_id>/silence", responses={200: RuleView})
@needs("operate")
def silence_alert_rule(path: RulePath, body: SilenceBody) -> dict[str, Any]:
    """Tell nobody of what a rule finds before a time."""
    return rule_view(house().operating.telling.rules.silence(path.rule_id, body.until, by=caller()))


@api.get("/alerts", responses={200: AlertPage})
@needs("read")
def list_alerts(query: AlertQuery) -> tuple[Any, ...]:
    """List what is and was wrong, latest first."""
    return page_of(house().operating.telling.alerts.list(**dict(query)), alert_view)


@api.get("/alerts/<alert_id>", responses={200: AlertDetails})
@needs("read")
def get_alert(path: AlertPath) -> dict[str, Any]:
    """One alert and the last messages about it."""
    alert = house().operating.telling.alerts.get(path.alert_id)
    return {**alert_view(alert), "notifications": [notification_view(one) for one in sent_about(alert)]}


@api.post("/alerts/<alert_id>/acknowledge", responses={200: AlertView})
@needs("operate")
def acknowledge_alert(path: AlertPath) -> dict[str, Any]:
    """Say that somebody takes care: no more reminders."""
    return alert_view(house().operating.telling.alerts.acknowledge(path.alert_id, by=caller()))


@api.post("/alerts/<alert_id>/silence", responses={200: AlertView})
@needs("operate")
def silence_alert(path: AlertPath, body: SilenceBody) -> dict[str, Any]:
    """Hear nothing more of an alert before a time; its end is told all the same."""
    return alert_view(house().operating.telling.alerts.silence(path.alert_id, body.until, by=caller()))


@api.get("/channels", responses={200: ChannelPage})
@needs("read")
def list_channels(query: PageQuery) -> tuple[Any, ...]:
    """List the channels of the configuration, without their secrets."""
    every = tuple(house().operating.telling.courier.channels.values())
    items = every[query.offset : query.offset + query.limit]
    return page_of(Page(items, len(every), query.limit, query.offset), channel_view)


@api.post("/channels/<name>/test", responses={200: NotificationView})
@needs("operate")
def test_channel(path: ChannelPath) -> dict[str, Any]:
    """Send a test message now; the answer says whether it was delivered."""
    return notification_view(house().operating.telling.courier.test(path.name, by=caller()))


@api.get("/notifications", responses={200: NotificationPage})
@needs("read")
def list_notifications(query: NotificationQuery) -> tuple[Any, ...]:
    """List the outbox: what waits, what was delivered, what was given up; latest first."""
    return page_of(house().operating.telling.courier.list(**dict(query)), notification_view)


def sent_about(alert: Alert) -> tuple[Notification, ...]:
    """The last messages about an alert, latest first."""
    return house().operating.telling.courier.list(alert_id=alert.id, limit=_MOST_SHOWN).items


def rule_of(document: Any) -> Rule:
    """The rule a document holds; raises Invalid."""
    try:
        return Rule.model_validate(document)
    except ValidationError as error:
        raise refusal(error, known=Rule.model_json_schema()["properties"]) from None


def _etag(row: RuleRow) -> dict[str, str]:
    return {"ETag": f'"{row.version}"'}


def _expected(row: RuleRow) -> int | None:
    """The version the client insists on; refused at once when the rule is at another."""
    if not request.if_match:
        return None
    if not request.if_match.contains_weak(str(row.version)):
        raise _stale(f"rule {row.id!r} is at version {row.version}; read it again before you change it")
    return row.version


def _replaced(rule: Rule, expected: int | None) -> tuple[Any, ...]:
    try:
        row = house().operating.telling.rules.replace(rule, by=caller(), expected_version=expected)
    except Conflict as conflict:
        if conflict.code == "VERSION_CONFLICT" and request.if_match:
            raise _stale(conflict.message) from conflict
        raise
    return rule_view(row), 200, _etag(row)


def _stale(message: str) -> Refusal:
    return Refusal(412, message, code="PRECONDITION_FAILED")
