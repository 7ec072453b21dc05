"""What people do about alerts."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from cronzimus.errors import Conflict, NotFound
from cronzimus.models.run import RunState
from tests.heart import Heart
from tests.services.alerts.support import Desk, by_hand, ended

LATER = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def alert_id(heart: Heart, desk: Desk) -> UUID:
    """A job has failed."""
    by_hand(heart)
    desk.rule("failure", severity="critical")
    ended(heart, RunState.FAILED)
    desk.look()
    return desk.alert_id()


def test_lists_by_what_is_asked(desk: Desk, alert_id: UUID) -> None:
    matching = ({"state": "open"}, {"job_id": "a"}, {"rule_id": "rule"}, {"severity": "critical"})
    assert [desk.alerts.list(**filters).items[0].id for filters in matching] == [alert_id] * 4
    other = ({"state": "resolved"}, {"job_id": "b"}, {"rule_id": "q"}, {"severity": "info"})
    assert [desk.alerts.list(**filters).total for filters in other] == [0] * 4


def test_the_first_to_acknowledge_is_remembered(desk: Desk, alert_id: UUID) -> None:
    desk.alerts.acknowledge(alert_id, by="ana")
    assert desk.alerts.acknowledge(alert_id, by="ben").acknowledged_by == "ana"
    assert desk.heard[-1].document() == {
        "topic": "alert",
        "id": str(alert_id),
        "job_id": "a",
        "state": "open",
    }


def test_silence_and_its_end_are_recorded(desk: Desk, alert_id: UUID) -> None:
    assert desk.alerts.silence(alert_id, LATER, by="ana").silenced_until == LATER
    assert desk.alerts.silence(alert_id, None, by="ana").silenced_until is None
    rows = desk.database.fetch_all(
        "SELECT action, target, after FROM cronzimus.audit_events WHERE action = 'alert.silence'"
    )
    assert [(action, target, after["silenced_until"]) for action, target, after in rows] == [
        ("alert.silence", f"alert/{alert_id}", LATER.isoformat()),
        ("alert.silence", f"alert/{alert_id}", None),
    ]


def test_what_is_over_is_left_alone(heart: Heart, desk: Desk, alert_id: UUID) -> None:
    ended(heart)
    desk.look()
    with pytest.raises(Conflict, match="is over already"):
        desk.alerts.acknowledge(alert_id, by="ana")
    with pytest.raises(Conflict, match="is over already"):
        desk.alerts.silence(alert_id, LATER, by="ana")
    with pytest.raises(NotFound, match="there is no alert"):
        desk.alerts.silence(UUID(int=7), LATER, by="ana")
