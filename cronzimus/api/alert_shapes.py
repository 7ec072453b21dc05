"""What the routes about alerts accept and answer."""

import re
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field, RootModel, WithJsonSchema

from cronzimus.api.answers import Answer, AnswerPage
from cronzimus.api.queries import Instant, PageQuery, Text
from cronzimus.api.support import Body, required_body
from cronzimus.errors import NotFound
from cronzimus.models.alert import Alert, AlertState, Notification, NotificationKind, Progress, RuleRow
from cronzimus.models.alert_rule import RULE_ID, Condition, Rule, Severity
from cronzimus.models.faults import shown
from cronzimus.models.slug import SLUG
from cronzimus.services.channel import Channel

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _rule_id(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch(RULE_ID, value):
        raise NotFound(f"no alert rule is called {shown(value)}", code="RULE_NOT_FOUND")
    return value


def _alert_id(value: object) -> object:
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise NotFound(f"no alert has the id {shown(value)}; their ids are UUIDs", code="ALERT_NOT_FOUND")
    return value


def _channel(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch(SLUG, value):
        raise NotFound(f"no channel is called {shown(value)}", code="CHANNEL_NOT_FOUND")
    return value


class RulePath(BaseModel):
    """A rule in the path."""

    rule_id: Annotated[str, BeforeValidator(_rule_id), WithJsonSchema({"type": "string", "pattern": RULE_ID})]


class AlertPath(BaseModel):
    """An alert in the path."""

    alert_id: Annotated[UUID, BeforeValidator(_alert_id)]


class ChannelPath(BaseModel):
    """A channel in the path."""

    name: Annotated[str, BeforeValidator(_channel), WithJsonSchema({"type": "string", "pattern": SLUG})]


class RuleQuery(PageQuery):
    """Which rules."""

    source: Annotated[str, Field(pattern="^(api|file|job)$")] | None = None
    condition: Condition | None = None
    job_id: Text | None = Field(default=None, description="rules that name this job")


class AlertQuery(PageQuery):
    """Which alerts."""

    state: AlertState | None = None
    job_id: Text | None = None
    rule_id: Text | None = None
    severity: Severity | None = None


class NotificationQuery(PageQuery):
    """Which notifications."""

    channel: Text | None = None
    alert_id: UUID | None = None
    state: Progress | None = None


class SilenceBody(Body):
    """How long nothing is told."""

    until: Instant | None = Field(description="nothing is told before this instant; null ends the silence")


class RuleDocument(RootModel[dict[str, Any]]):
    """A rule, handed on unread: the model validates it, as for every other door."""

    @classmethod
    def model_json_schema(cls, *args: Any, **options: Any) -> dict[str, Any]:
        """The schema of a rule."""
        return Rule.model_json_schema(*args, **options)

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> "RuleDocument":
        """Take any object."""
        return cls.model_construct(root=required_body(obj))


class RulePatch(RuleDocument):
    """Changes to a rule, as a JSON merge patch (RFC 7396)."""

    @classmethod
    def model_json_schema(cls, *args: Any, **options: Any) -> dict[str, Any]:
        """Any field of a rule."""
        about = {"title": cls.__name__, "description": "Changes to a rule (RFC 7396); null removes."}
        return {**about, "type": "object"}


class RuleView(Answer):
    """A rule, and where it stands."""

    id: str
    version: int
    source: str
    owner_id: str | None = Field(description="the job whose document holds the rule")
    rule: dict[str, Any] = Field(description="the document, as PUT takes it")
    silenced_until: datetime | None
    changed_by: str
    created_at: datetime
    updated_at: datetime
    open_alerts: int


class AlertView(Answer):
    """One thing that is or was wrong."""

    id: UUID
    state: AlertState
    rule_id: str
    condition: Condition
    severity: Severity
    subject: str
    job_id: str | None
    run_id: UUID | None
    due_at: datetime | None
    summary: str
    channels: list[str] = Field(description="where it is told; everywhere when empty")
    occurrences: int
    opened_at: datetime
    told_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    silenced_until: datetime | None
    resolved_at: datetime | None
    resolution: str | None


class NotificationView(Answer):
    """One message to one channel."""

    id: UUID
    state: Progress
    alert_id: UUID | None
    channel: str
    kind: NotificationKind
    others: int = Field(description="how many further alerts of the rule this message speaks for")
    title: str | None
    attempts: int
    created_at: datetime
    next_at: datetime | None = Field(description="when it is tried again, while it waits")
    delivered_at: datetime | None
    failed_at: datetime | None
    error: str | None


class AlertDetails(AlertView):
    """One alert with what was sent because of it."""

    notifications: list[NotificationView]


class ChannelView(Answer):
    """One way to tell somebody, without its secrets."""

    name: str
    type: str
    target: str


class RulePage(AnswerPage):
    """Rules by id."""

    items: list[RuleView]


class AlertPage(AnswerPage):
    """Alerts, latest first."""

    items: list[AlertView]


class NotificationPage(AnswerPage):
    """The outbox, latest first."""

    items: list[NotificationView]


class ChannelPage(AnswerPage):
    """Channels as they are configured in this process."""

    items: list[ChannelView]


def rule_view(row: RuleRow) -> dict[str, Any]:
    """A rule as it is answered."""
    names = (
        "id",
        "version",
        "source",
        "owner_id",
        "silenced_until",
        "changed_by",
        "created_at",
        "updated_at",
    )
    fields = {name: getattr(row, name) for name in names}
    return {**fields, "rule": row.document, "open_alerts": row.open_alerts}


def alert_view(alert: Alert) -> dict[str, Any]:
    """An alert as it is answered."""
    return {name: getattr(alert, name) for name in AlertView.model_fields}


def notification_view(one: Notification) -> dict[str, Any]:
    """A notification as it is answered."""
    names = NotificationView.model_fields.keys() - {"state", "title", "next_at"}
    waits = one.progress is Progress.WAITING
    return {
        **{name: getattr(one, name) for name in names},
        "state": one.progress,
        "title": one.message["title"] if one.message else None,
        "next_at": one.next_at if waits else None,
    }


def channel_view(channel: Channel) -> dict[str, Any]:
    """A channel as it is answered."""
    return {"name": channel.name, "type": channel.type, "target": channel.target}
