"""The record of who changed what: written with the change or not at all, and never rewritten."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cronzimus.common.db import Database, as_json
from cronzimus.common.masking import mask_all
from cronzimus.common.sql import queries
from cronzimus.models.actor import current_actor
from cronzimus.models.audit import AuditEvent
from cronzimus.models.page import Page

_SQL = queries("cronzimus.services.sql", "audit.sql")
_LARGEST: Final = 64 * 1024
_PRUNED_AT_ONCE: Final = 1000


class Audit:
    """`record` belongs inside the transaction of the change. All may raise DatabaseUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, action: str, target: str, *, before: Any = None, after: Any = None) -> None:
        """Keep that the current actor did `action` (`job.pause`) to `target` (`job/nightly`); secrets masked.

        `before` and `after` are plain data. A transaction this thread is in, on the same database, is joined.
        """
        actor = current_actor.get()
        params = {
            "actor": actor.name,
            "door": actor.door,
            "address": actor.address,
            "request_id": actor.request_id,
            "action": action,
            "target": target,
            "before": as_json(_kept(before)),
            "after": as_json(_kept(after)),
        }
        self._database.execute(_SQL["record"], params)

    def list(
        self,
        *,
        actor: str | None = None,
        action: str | None = None,
        target: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> Page[AuditEvent]:
        """Events, latest first; `job` as action finds `job.pause` as well, as target `job/nightly`."""
        filters = {"actor": actor, "action": action, "target": target, "since": since, "until": until}
        items = self._database.fetch_all(
            _SQL["page"], {**filters, "limit": limit, "offset": offset}, row=AuditEvent
        )
        if offset == 0 and len(items) < limit:
            return Page(tuple(items), len(items), limit, offset)
        (total,) = self._database.fetch_one(_SQL["count"], filters) or (0,)
        return Page(tuple(items), total, limit, offset)

    def prune(self, older_than: timedelta) -> int:
        """Remove what is older, which the database allows from thirty days on; how many."""
        params = {"before": datetime.now(UTC) - older_than, "most": _PRUNED_AT_ONCE}
        removed = 0
        while batch := (self._database.fetch_one(_SQL["prune"], params) or (0,))[0]:
            removed += int(batch)
        return removed


def _kept(value: Any) -> Any:
    """What may be kept of a value: no secret, and no more of it than anybody would read."""
    masked = mask_all(value)
    text = json.dumps(masked, ensure_ascii=False).encode()
    if len(text) <= _LARGEST:
        return masked
    return {
        "left_out": "too large to be kept",
        "bytes": len(text),
        "sha256": hashlib.sha256(text).hexdigest(),
    }
