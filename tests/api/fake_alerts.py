"""Rules, alerts and an outbox in memory, for the front's tests."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from cronzimus.errors import Conflict, Invalid, NotFound
from cronzimus.models.alert import Alert, Notification, NotificationKind, RuleRow
from cronzimus.models.alert_rule import Condition, Rule, Severity
from cronzimus.models.page import Page
from cronzimus.services.channels.log import Log

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@dataclass
class FakeRules:
    """Rules in a dictionary."""

    rows: dict[str, RuleRow] = field(default_factory=dict)

    def get(self, rule_id: str) -> RuleRow:
        if rule_id not in self.rows:
            raise NotFound(f"there is no alert rule {rule_id!r}", code="RULE_NOT_FOUND")
        return self.rows[rule_id]

    def list(self, *, limit: int = 50, offset: int = 0, **filters: Any) -> Page[RuleRow]:
        rows = [row for _, row in sorted(self.rows.items()) if filters.get("source") in (None, row.source)]
        return Page(tuple(rows[offset : offset + limit]), len(rows), limit, offset)

    def add(self, rule: Rule, *, by: str) -> RuleRow:
        self._check(rule)
        if rule.id in self.rows:
            raise Conflict(f"a rule {rule.id!r} exists already", code="RULE_EXISTS")
        self.rows[rule.id] = RuleRow(rule.id, 1, "api", None, rule.document(), None, by, NOW, NOW, 0)
        return self.rows[rule.id]

    def replace(self, rule: Rule, *, by: str, expected_version: int | None = None) -> RuleRow:
        self._check(rule)
        row = self.get(rule.id)
        if expected_version not in (None, row.version):
            raise Conflict("another version", code="VERSION_CONFLICT")
        self.rows[rule.id] = replace(row, version=row.version + 1, document=rule.document(), changed_by=by)
        return self.rows[rule.id]

    def remove(self, rule_id: str, *, by: str) -> None:
        self.get(rule_id)
        del self.rows[rule_id]

    def silence(self, rule_id: str, until: datetime | None, *, by: str) -> RuleRow:
        self.rows[rule_id] = replace(self.get(rule_id), silenced_until=until)
        return self.rows[rule_id]

    def _check(self, rule: Rule) -> None:
        for name in rule.channels:
            if name != "ops":
                raise Invalid(f"channels: no channel is called {name!r}", code="UNKNOWN_CHANNEL")


@dataclass
class FakeAlerts:
    """Alerts in a dictionary."""

    rows: dict[UUID, Alert] = field(default_factory=dict)
    asked: dict[str, Any] = field(default_factory=dict)

    def get(self, alert_id: UUID) -> Alert:
        if alert_id not in self.rows:
            raise NotFound(f"there is no alert {alert_id}", code="ALERT_NOT_FOUND")
        return self.rows[alert_id]

    def list(self, *, limit: int = 50, offset: int = 0, **filters: Any) -> Page[Alert]:
        self.asked = filters
        rows = tuple(self.rows.values())
        return Page(rows[offset : offset + limit], len(rows), limit, offset)

    def acknowledge(self, alert_id: UUID, *, by: str) -> Alert:
        return self._put(replace(self._open(alert_id), acknowledged_at=NOW, acknowledged_by=by))

    def silence(self, alert_id: UUID, until: datetime | None, *, by: str) -> Alert:
        return self._put(replace(self._open(alert_id), silenced_until=until))

    def _open(self, alert_id: UUID) -> Alert:
        alert = self.get(alert_id)
        if alert.resolved_at is not None:
            raise Conflict(f"alert {alert_id} is over already", code="ALERT_RESOLVED")
        return alert

    def _put(self, alert: Alert) -> Alert:
        self.rows[alert.id] = alert
        return alert


@dataclass
class FakeCourier:
    """An outbox in a list; the channel `ops` works while nothing is broken."""

    channels: dict[str, Log] = field(default_factory=lambda: {"ops": Log("ops")})
    rows: list[Notification] = field(default_factory=list)
    broken: str | None = None

    def list(self, *, limit: int = 50, offset: int = 0, **filters: Any) -> Page[Notification]:
        rows = tuple(row for row in self.rows if filters.get("channel") in (None, row.channel))
        return Page(rows[offset : offset + limit], len(rows), limit, offset)

    def test(self, name: str, *, by: str) -> Notification:
        if name not in self.channels:
            raise NotFound(f"there is no channel {name!r}", code="CHANNEL_NOT_FOUND")
        ended = {"failed_at": NOW, "error": self.broken} if self.broken else {"delivered_at": NOW}
        self.rows.append(a_notification(channel=name, kind=NotificationKind.TEST, alert_id=None, **ended))
        return self.rows[-1]


class FakeTelling(SimpleNamespace):
    """All of it."""

    def __init__(self) -> None:
        super().__init__(rules=FakeRules(), alerts=FakeAlerts(), courier=FakeCourier())


def an_alert(**changes: Any) -> Alert:
    """A job that did not start."""
    alert = Alert(
        id=UUID("01a1f000-0000-7000-8000-000000000001"),
        rule_id="late",
        condition=Condition.NOT_STARTED,
        severity=Severity.CRITICAL,
        subject="job/hourly",
        job_id="hourly",
        run_id=None,
        due_at=NOW,
        summary="hourly did not start within 5 min",
        channels=["ops"],
        remind_every=None,
        occurrences=1,
        opened_at=NOW,
        told_at=NOW,
        acknowledged_at=None,
        acknowledged_by=None,
        silenced_until=None,
        resolved_at=None,
        resolution=None,
    )
    return replace(alert, **changes)


def a_notification(**changes: Any) -> Notification:
    """A message that waits."""
    notification = Notification(
        id=UUID("01a1f000-0000-7000-8000-000000000002"),
        alert_id=UUID("01a1f000-0000-7000-8000-000000000001"),
        channel="ops",
        kind=NotificationKind.RAISED,
        others=0,
        message={"title": "[Cronzimus] hourly did not start"},
        attempts=1,
        created_at=NOW,
        next_at=NOW,
        delivered_at=None,
        failed_at=None,
        error=None,
    )
    return replace(notification, **changes)
