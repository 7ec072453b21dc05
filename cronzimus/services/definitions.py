"""Definitions by (job, version), loaded once: what was stored is data, what comes out is checked."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from cronzimus.common.arrays import array
from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.errors import CronzimusError, Invalid, NotFound
from cronzimus.models.job import JobDefinition

_SQL = queries("cronzimus.services.sql", "definitions.sql")
_CAPACITY = 20_000
# Asked once of every definition, so that one whose schedule cannot be computed is found when it is loaded.
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)

Key = tuple[str, int]


class Definitions:
    """A bounded cache of definitions; a version never changes, so nothing is ever stale."""

    def __init__(
        self, database: Database, check_function: Callable[[JobDefinition], None] = lambda _: None
    ) -> None:
        self._database = database
        self._check_function = check_function
        self._lock = threading.Lock()
        self._loaded: OrderedDict[Key, JobDefinition | Invalid] = OrderedDict()
        self._troubles: dict[Key, str | None] = {}

    def get(self, job_id: str, version: int) -> JobDefinition:
        """The definition; raises Invalid when what is stored cannot be one, NotFound when nothing is."""
        found = self.get_many([(job_id, version)]).get((job_id, version))
        if found is None:
            raise NotFound(f"job {job_id!r} has no version {version}", code="JOB_NOT_FOUND")
        if isinstance(found, Invalid):
            raise found
        return found

    def get_many(self, keys: Iterable[Key]) -> dict[Key, JobDefinition | Invalid]:
        """All of them in one question to the database; one that cannot be loaded is an Invalid value."""
        wanted = list(keys)
        loaded = self._loaded
        missing = [key for key in wanted if key not in loaded]
        if missing:
            self._load(missing)
        return {key: loaded[key] for key in wanted if key in loaded}

    def trouble_with(self, definition: JobDefinition, version: int) -> str | None:
        """Why the definition's function cannot be loaded in this process; None when it can."""
        key = (definition.id, version)
        if key not in self._troubles:
            self._troubles[key] = self._check(definition)
        return self._troubles[key]

    def _check(self, definition: JobDefinition) -> str | None:
        try:
            self._check_function(definition)
        except CronzimusError as error:
            return error.message
        return None

    def _load(self, keys: list[Key]) -> None:
        params = {
            "ids": array(job_id for job_id, _ in keys),
            "versions": array(version for _, version in keys),
        }
        rows = self._database.fetch_all(_SQL["load"], params)
        with self._lock:
            for job_id, version, document in rows:
                self._loaded[(job_id, version)] = _read(document)
            while len(self._loaded) > _CAPACITY:
                forgotten, _ = self._loaded.popitem(last=False)
                self._troubles.pop(forgotten, None)


def _read(document: dict[str, Any]) -> JobDefinition | Invalid:
    try:
        definition = JobDefinition.model_validate(document)
        definition.schedule.next_after(_ANY_TIME)
    except (ValidationError, CronzimusError) as error:
        return Invalid(f"the stored definition cannot be loaded: {error}", code="JOB_BROKEN")
    return definition
