"""Pools of slots that runs take while they execute."""

from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.errors import Conflict, Fault, Invalid, NotFound
from cronzimus.models.job import JobDefinition
from cronzimus.models.page import Page
from cronzimus.models.queue import StoredPool
from cronzimus.services.audit import Audit
from cronzimus.utils.env import did_you_mean

_SQL = queries("cronzimus.services.sql", "pools.sql")


class SlotPools:
    """Look, define, resize, remove. `by` names who did it. All may raise DatabaseUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._audit = Audit(database)

    def get(self, name: str) -> StoredPool:
        """One pool; raises NotFound POOL_NOT_FOUND."""
        params = {"name": name, "limit": 1, "offset": 0}
        found = self._database.fetch_one(_SQL["page"], params, row=StoredPool)
        if found is None:
            hint = did_you_mean(name, sizes_of(self._database))
            raise NotFound(f"there is no pool {name!r}{hint}", code="POOL_NOT_FOUND")
        return found

    def list(self, *, limit: int = 50, offset: int = 0) -> Page[StoredPool]:
        """One page of pools by name."""
        params = {"name": None, "limit": limit, "offset": offset}
        rows = self._database.fetch_all(_SQL["page"], params, row=StoredPool)
        (total,) = self._database.fetch_one(_SQL["count"]) or (0,)
        return Page(tuple(rows), total, limit, offset)

    def define(self, name: str, slots: int, *, by: str, description: str | None = None) -> StoredPool:
        """A new pool, or another size for one; without a description it keeps its own.

        One that shrinks takes nothing back: nothing of it starts until enough has ended.
        """
        with self._database.transaction():
            before = self._database.fetch_one(_SQL["lock"], {"name": name})
            params = {"name": name, "slots": slots, "description": description, "by": by}
            self._database.execute(_SQL["put"], params)
            after = self.get(name)
            if before != (after.slots, after.description):
                self._audit.record(
                    "pool.create" if before is None else "pool.replace",
                    f"pool/{name}",
                    before=None if before is None else _document(*before),
                    after=_document(after.slots, after.description),
                )
            self._database.execute(_SQL["notify"])
        return after

    def remove(self, name: str, *, by: str) -> None:
        """Raises NotFound, and Conflict POOL_IN_USE while a job needs it; what runs of it goes on."""
        with self._database.transaction():
            before = self._database.fetch_one(_SQL["lock"], {"name": name})
            if before is None:
                self.get(name)
                return
            users = [job_id for (job_id,) in self._database.fetch_all(_SQL["users"], {"name": name})]
            if users:
                raise Conflict(f"pool {name!r} is used by job {', '.join(users)}", code="POOL_IN_USE")
            self._database.execute(_SQL["remove"], {"name": name})
            self._audit.record("pool.delete", f"pool/{name}", before=_document(*before))


def sizes_of(database: Database) -> dict[str, int]:
    """The slots of every pool."""
    return dict(database.fetch_all(_SQL["sizes"]))


def check_pool(database: Database, definition: JobDefinition) -> None:
    """Refuse a job whose runs could never start; raises Invalid UNKNOWN_POOL or POOL_TOO_SMALL.

    Belongs inside the transaction that writes the job: nobody deletes the pool before it has ended. A pool without any
    slot is closed for a time, which is no reason to refuse a job.
    """
    limits = definition.limits
    if limits.pool is None:
        return
    found = database.fetch_one(_SQL["kept"], {"name": limits.pool})
    if found is None:
        hint = did_you_mean(limits.pool, sizes_of(database))
        raise _refusal("limits.pool", f"there is no pool {limits.pool!r}{hint}", "UNKNOWN_POOL")
    (slots,) = found
    if 0 < slots < limits.slots:
        message = f"the pool {limits.pool!r} has {slots} slots; {limits.slots} are more than it ever has"
        raise _refusal("limits.slots", message, "POOL_TOO_SMALL")


def _refusal(field: str, message: str, code: str) -> Invalid:
    return Invalid(f"{field}: {message}", code=code, faults=[Fault(field, message)])


def _document(slots: int, description: str) -> dict[str, object]:
    return {"slots": slots, "description": description}
