"""What is wrong now, what was, and what people do about it."""

from datetime import datetime
from uuid import UUID

from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.errors import Conflict, NotFound
from cronzimus.models.alert import Alert, AlertState
from cronzimus.models.event import Event, Topic
from cronzimus.models.page import Page
from cronzimus.services.audit import Audit
from cronzimus.services.events import Announce, unannounced

_SQL = queries("cronzimus.services.alerts", "alerts.sql")


class Alerts:
    """Read alerts, acknowledge and silence them. `by` names who did it. All may raise DatabaseUnavailable."""

    def __init__(self, database: Database, announce: Announce = unannounced) -> None:
        self._database = database
        self._announce = announce
        self._audit = Audit(database)

    def get(self, alert_id: UUID) -> Alert:
        """One alert; raises NotFound."""
        alert = self._database.fetch_one(_SQL["alert"], {"id": alert_id}, row=Alert)
        if alert is None:
            raise NotFound(f"there is no alert {alert_id}", code="ALERT_NOT_FOUND")
        return alert

    def list(
        self,
        *,
        state: str | None = None,
        job_id: str | None = None,
        rule_id: str | None = None,
        severity: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> Page[Alert]:
        """One page of alerts, the latest first."""
        filters = {"state": state, "job_id": job_id, "rule_id": rule_id, "severity": severity}
        rows = self._database.fetch_all(
            _SQL["page"], {**filters, "limit": limit, "offset": offset}, row=Alert
        )
        (total,) = self._database.fetch_one(_SQL["count"], filters) or (0,)
        return Page(tuple(rows), total, limit, offset)

    def acknowledge(self, alert_id: UUID, *, by: str) -> Alert:
        """Somebody takes care: no more reminders. Raises NotFound, Conflict ALERT_RESOLVED."""
        return self._change(alert_id, "acknowledge", {"by": by})

    def silence(self, alert_id: UUID, until: datetime | None, *, by: str) -> Alert:
        """Nothing more is told of it before `until`, None ends that; its end is told all the same.

        Raises NotFound, Conflict ALERT_RESOLVED.
        """
        return self._change(alert_id, "silence", {"until": until})

    def _change(self, alert_id: UUID, verb: str, given: dict[str, object]) -> Alert:
        with self._database.transaction():
            changed = self._database.execute(_SQL[verb], {**given, "id": alert_id})
            alert = self.get(alert_id)
            if not changed:
                raise Conflict(f"alert {alert_id} is over already", code="ALERT_RESOLVED")
            after = {"rule_id": alert.rule_id, "subject": alert.subject, **_said(alert)}
            self._audit.record(f"alert.{verb}", f"alert/{alert_id}", after=after)
        self._announce(Event(Topic.ALERT, str(alert_id), alert.job_id, AlertState.OPEN))
        return alert


def _said(alert: Alert) -> dict[str, str | None]:
    until = alert.silenced_until.isoformat() if alert.silenced_until else None
    return {"acknowledged_by": alert.acknowledged_by, "silenced_until": until}
