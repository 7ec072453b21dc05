"""What is wrong now or was, and what is sent because of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from cronzimus.models.alert_rule import Condition, Severity


class NotificationKind(StrEnum):
    """What a notification tells."""

    RAISED = "raised"
    REMINDER = "reminder"
    RESOLVED = "resolved"
    TEST = "test"


class AlertState(StrEnum):
    """An alert is open until what it tells of is over."""

    OPEN = "open"
    RESOLVED = "resolved"


class Progress(StrEnum):
    """How far a notification has come."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule as it is stored; `document` is what people wrote."""

    id: str
    version: int
    source: str
    owner_id: str | None
    document: dict[str, Any]
    silenced_until: datetime | None
    changed_by: str
    created_at: datetime
    updated_at: datetime
    open_alerts: int


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that is or was wrong; `subject` is what it is about, such as `job/nightly`."""

    id: UUID
    rule_id: str
    condition: Condition
    severity: Severity
    subject: str
    job_id: str | None
    run_id: UUID | None
    due_at: datetime | None
    summary: str
    channels: list[str]
    remind_every: timedelta | None
    occurrences: int
    opened_at: datetime
    told_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    silenced_until: datetime | None
    resolved_at: datetime | None
    resolution: str | None

    @property
    def state(self) -> AlertState:
        """Whether it is over."""
        return AlertState.OPEN if self.resolved_at is None else AlertState.RESOLVED


@dataclass(frozen=True, slots=True)
class Notification:
    """One message to one channel; its id stays the same however often it is tried."""

    id: UUID
    alert_id: UUID | None
    channel: str
    kind: NotificationKind
    others: int
    message: dict[str, Any] | None
    attempts: int
    created_at: datetime
    next_at: datetime
    delivered_at: datetime | None
    failed_at: datetime | None
    error: str | None

    @property
    def progress(self) -> Progress:
        """How far it has come."""
        if self.delivered_at is not None:
            return Progress.DELIVERED
        return Progress.WAITING if self.failed_at is None else Progress.FAILED


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look at the ledger found wrong: an alert to be, or news of one that is open already."""

    rule_id: str
    subject: str
    summary: str
    job_id: str | None = None
    run_id: UUID | None = None
    due_at: datetime | None = None
    occurrences: int = 1
