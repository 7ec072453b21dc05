"""Puts a message together: what, which job, when it was due here and in UTC, why, and what one can do."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from cronzimus.common.db import Database
from cronzimus.common.masking import mask
from cronzimus.common.sql import queries
from cronzimus.errors import CronzimusError
from cronzimus.models.alert import Alert, Notification, NotificationKind
from cronzimus.models.alert_message import Message
from cronzimus.services.alerts.words import length
from cronzimus.services.explain import Explain
from cronzimus.settings import AppSettings

_SQL = queries("cronzimus.services.alerts", "alerts.sql")
_PREFIX = {
    NotificationKind.RAISED: "",
    NotificationKind.REMINDER: "Still: ",
    NotificationKind.RESOLVED: "Recovered: ",
}


class Composer:
    """Reads what a message tells; no secret gets in."""

    def __init__(self, database: Database, explain: Explain, app: AppSettings) -> None:
        self._database = database
        self._explain = explain
        self._name = app.name
        self._base = (app.public_url or "").rstrip("/")

    def compose(self, notification: Notification, alert: Alert | None) -> Message:
        """The message of a notification; one without an alert is a test."""
        if alert is None:
            return self._test(notification)
        prefix, others = _PREFIX[NotificationKind(notification.kind)], notification.others
        more = f" (and {others} more of rule {alert.rule_id})" if others else ""
        return Message(
            id=str(notification.id),
            kind=str(notification.kind),
            severity=str(alert.severity),
            at=_iso(notification.created_at),
            title=mask(f"[{self._name}] {prefix}{alert.summary}{more}"),
            facts=[
                [name, mask(value)] for name, value in self._facts(alert, NotificationKind(notification.kind))
            ],
            url=self._link(alert),
            thread=str(alert.id),
            source=self._base or "urn:cronzimus",
            data=_data(alert, notification),
        )

    def _test(self, notification: Notification) -> Message:
        return Message(
            id=str(notification.id),
            kind=str(NotificationKind.TEST),
            severity="info",
            at=_iso(notification.created_at),
            title=f"[{self._name}] Test of channel {notification.channel}",
            facts=[["what", "Somebody pressed the test button. If you read this, the channel works."]],
            url=self._base or None,
            thread=str(notification.id),
            source=self._base or "urn:cronzimus",
            data={"channel": notification.channel},
        )

    def _facts(self, alert: Alert, kind: NotificationKind) -> Iterator[tuple[str, str]]:
        yield "rule", f"{alert.rule_id} ({alert.condition}, {alert.severity})"
        yield "since", _utc(alert.opened_at)
        if kind is NotificationKind.RESOLVED and alert.resolved_at is not None:
            lasted = length((alert.resolved_at - alert.opened_at).total_seconds())
            yield "over", f"{_utc(alert.resolved_at)}, after {lasted}: {alert.resolution}"
        if alert.occurrences > 1:
            yield "times", str(alert.occurrences)
        if alert.job_id is not None:
            yield from self._job_facts(alert.job_id, alert)
        if kind is not NotificationKind.RESOLVED:
            yield "to silence", f"cronzimus alerts silence {alert.id} --for 2h"
            yield "to acknowledge", f"cronzimus alerts ack {alert.id}"

    def _job_facts(self, job_id: str, alert: Alert) -> Iterator[tuple[str, str]]:
        yield "job", job_id
        if alert.due_at is not None:
            yield "due", self._due(job_id, alert.due_at)
            if why := self._why(job_id, alert.due_at):
                yield "why", why
        if alert.run_id is not None:
            yield "run", str(alert.run_id)
        (ended_at,) = self._database.fetch_one(_SQL["last_success"], {"job_id": job_id}) or (None,)
        yield "last success", _utc(ended_at) if ended_at else "none that is still kept"

    def _due(self, job_id: str, due_at: datetime) -> str:
        (definition,) = self._database.fetch_one(_SQL["version_of"], {"job_id": job_id}) or ({},)
        zone = zone_of(definition)
        local = due_at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")
        return _utc(due_at) if zone == "UTC" else f"{local} {zone} ({_utc(due_at)})"

    def _why(self, job_id: str, due_at: datetime) -> str:
        try:
            return self._explain.why(job_id, due_at).sentence
        except CronzimusError:
            return ""  # a message that says less is better than none

    def _link(self, alert: Alert) -> str | None:
        if not self._base:
            return None
        if alert.run_id is not None:
            return f"{self._base}/runs/{alert.run_id}"
        return f"{self._base}/jobs/{alert.job_id}" if alert.job_id else f"{self._base}/"


def zone_of(definition: dict[str, Any]) -> str:
    """The zone in which people think of a job: that of its trigger, else its own."""
    trigger = definition.get("trigger")
    first = trigger[0] if isinstance(trigger, list) and trigger else trigger
    own = first.get("timezone") if isinstance(first, dict) else None
    return str(own or definition.get("timezone") or "UTC")


def _data(alert: Alert, notification: Notification) -> dict[str, Any]:
    return {
        "alert_id": str(alert.id),
        "state": str(alert.state),
        "rule_id": alert.rule_id,
        "condition": str(alert.condition),
        "severity": str(alert.severity),
        "subject": alert.subject,
        "summary": mask(alert.summary),
        "job_id": alert.job_id,
        "run_id": str(alert.run_id) if alert.run_id else None,
        "due_at": _iso(alert.due_at),
        "opened_at": _iso(alert.opened_at),
        "resolved_at": _iso(alert.resolved_at),
        "resolution": alert.resolution,
        "occurrences": alert.occurrences,
        "others": notification.others,
    }


def _iso(instant: datetime | None) -> Any:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z") if instant else None


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
