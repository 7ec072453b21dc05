"""How alerts and notifications stand."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from cronzimus.models.alert import Alert, AlertState, Notification, NotificationKind, Progress
from cronzimus.models.alert_rule import Condition, Severity

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NOTIFICATION = Notification(
    UUID(int=1),
    None,
    "ops",
    NotificationKind.TEST,
    0,
    None,
    1,
    NOW,
    NOW,
    delivered_at=None,
    failed_at=None,
    error=None,
)
ALERT = Alert(
    id=UUID(int=2),
    rule_id="r",
    condition=Condition.FAILURE,
    severity=Severity.INFO,
    subject="job/a",
    job_id="a",
    run_id=None,
    due_at=None,
    summary="a failed",
    channels=[],
    remind_every=None,
    occurrences=1,
    opened_at=NOW,
    told_at=None,
    acknowledged_at=None,
    acknowledged_by=None,
    silenced_until=None,
    resolved_at=None,
    resolution=None,
)


def test_an_alert_is_open_until_it_is_resolved() -> None:
    assert ALERT.state is AlertState.OPEN
    assert replace(ALERT, resolved_at=NOW).state is AlertState.RESOLVED


def test_a_notification_waits_until_it_ends_one_way() -> None:
    assert NOTIFICATION.progress is Progress.WAITING
    assert replace(NOTIFICATION, delivered_at=NOW).progress is Progress.DELIVERED
    assert replace(NOTIFICATION, failed_at=NOW).progress is Progress.FAILED
