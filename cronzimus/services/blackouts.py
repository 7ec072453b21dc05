"""The blackouts of the house: kept in the database, and at hand where firings are decided."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cronzimus.common.db import Database, as_json
from cronzimus.common.sql import queries
from cronzimus.errors import Conflict, NotFound
from cronzimus.models.blackout import Blackout, HouseBlackout
from cronzimus.models.job import JobDefinition
from cronzimus.models.page import Page
from cronzimus.services.audit import Audit

_SQL = queries("cronzimus.services.sql", "blackouts.sql")


@dataclass(frozen=True, slots=True)
class StoredBlackout:
    """One row of `blackouts`; `revision` grows with every change of any of them."""

    document: dict[str, Any]
    revision: int
    created_by: str
    created_at: datetime
    updated_at: datetime


class BlackoutBoard:
    """What the leader knows of the blackouts. Each wake-up brings the last revision; only a new one is read."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._revision: int | None = None
        self._known: tuple[HouseBlackout, ...] = ()

    def keep_up(self, revision: int | None) -> None:
        """Read the blackouts again if `revision` is another one than before; may raise DatabaseUnavailable."""
        if revision != self._revision:
            self._known = self.read()
            self._revision = revision

    def read(self) -> tuple[HouseBlackout, ...]:
        """Every blackout that is in force or will be."""
        rows = self._database.fetch_all(_SQL["in_force"])
        return tuple(HouseBlackout.model_validate(document) for (document,) in rows)

    def concerning(self, job_id: str, tags: Iterable[str]) -> tuple[Blackout, ...]:
        """Those that hold for a job."""
        if not self._known:
            return ()
        return tuple(blackout for blackout in self._known if blackout.concerns(job_id, tags))


class Blackouts:
    """What people do to the blackouts of the house. All may raise DatabaseUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._audit = Audit(database)

    def get(self, blackout_id: str) -> StoredBlackout:
        """One blackout; raises NotFound BLACKOUT_NOT_FOUND."""
        found = self._database.fetch_one(_SQL["get"], {"id": blackout_id}, row=StoredBlackout)
        if found is None:
            raise _unknown(blackout_id)
        return found

    def list(self, *, limit: int = 50, offset: int = 0) -> Page[StoredBlackout]:
        """One page of blackouts by id."""
        params = {"limit": limit, "offset": offset}
        rows = self._database.fetch_all(_SQL["page"], params, row=StoredBlackout)
        (total,) = self._database.fetch_one(_SQL["count"]) or (0,)
        return Page(tuple(rows), total, limit, offset)

    def concerning(self, definition: JobDefinition) -> tuple[Blackout, ...]:
        """Those that hold for a job."""
        known = BlackoutBoard(self._database).read()
        return tuple(one for one in known if one.concerns(definition.id, definition.tags))

    def add(self, blackout: HouseBlackout, *, by: str) -> StoredBlackout:
        """A new blackout; raises Conflict BLACKOUT_EXISTS."""
        with self._database.transaction():
            self._database.execute(_SQL["alone"])
            if self._database.fetch_one(_SQL["get"], {"id": blackout.id}) is not None:
                raise Conflict(f"a blackout {blackout.id!r} exists already", code="BLACKOUT_EXISTS")
            self._audit.record("blackout.create", f"blackout/{blackout.id}", after=blackout.document())
            return self._put(blackout, by)

    def replace(
        self, blackout: HouseBlackout, *, by: str, expected_revision: int | None = None
    ) -> StoredBlackout:
        """Another document under the same id; raises NotFound, Conflict VERSION_CONFLICT."""
        with self._database.transaction():
            self._database.execute(_SQL["alone"])
            stored = self.get(blackout.id)
            if expected_revision is not None and stored.revision != expected_revision:
                message = (
                    f"blackout {blackout.id!r} is at revision {stored.revision}, not {expected_revision}"
                )
                raise Conflict(message, code="VERSION_CONFLICT")
            before, after = stored.document, blackout.document()
            self._audit.record("blackout.replace", f"blackout/{blackout.id}", before=before, after=after)
            return self._put(blackout, by)

    def remove(self, blackout_id: str, *, by: str) -> None:
        """From now on it skips and holds nothing more; what it held starts when it was to end. Raises NotFound."""
        with self._database.transaction():
            self._database.execute(_SQL["alone"])
            before = self.get(blackout_id).document
            self._database.execute(_SQL["remove"], {"id": blackout_id})
            self._audit.record("blackout.delete", f"blackout/{blackout_id}", before=before)
            self._database.execute(_SQL["notify"])

    def _put(self, blackout: HouseBlackout, by: str) -> StoredBlackout:
        params = {"id": blackout.id, "document": as_json(blackout.document()), "by": by}
        self._database.execute(_SQL["put"], params)
        self._database.execute(_SQL["notify"])
        return self.get(blackout.id)


def _unknown(blackout_id: str) -> NotFound:
    return NotFound(f"there is no blackout {blackout_id!r}", code="BLACKOUT_NOT_FOUND")
