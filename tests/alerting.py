"""Alerts as the watch would have raised them, without anything going wrong."""

from typing import Any
from uuid import UUID

from cronzimus.common.db import Database
from cronzimus.utils.ids import new_id

_INSERT = (
    "INSERT INTO cronzimus.alerts (id, rule_id, condition, severity, subject, job_id, run_id, summary, channels,"
    " tell_recovery, occurrences, resolved_at, resolution) VALUES (%(id)s, %(rule_id)s, 'failure', %(severity)s,"
    " %(subject)s, %(job_id)s, %(run_id)s, %(summary)s, '{}', true, %(occurrences)s,"
    " CASE WHEN %(resolution)s::text IS NOT NULL THEN clock_timestamp() END, %(resolution)s)"
)


def raised(database: Database, subject: str = "job/hourly", **more: Any) -> UUID:
    """One alert; over when it has a `resolution`."""
    alert_id = UUID(str(more.pop("id", None) or new_id()))
    about = {"job_id": subject.removeprefix("job/") if subject.startswith("job/") else None, "run_id": None}
    said = {
        "rule_id": "jobs-fail",
        "severity": "warning",
        "summary": f"{subject} failed",
        "occurrences": 1,
        "resolution": None,
    }
    database.execute(_INSERT, {**about, **said, "id": alert_id, "subject": subject, **more})
    return alert_id
