"""Where the timetable is not what code and files declare."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.models.job import JobDefinition, JobStatus, Source
from cronzimus.models.plan import Drifted, DriftKind, FieldChange, differences
from cronzimus.services.definitions import Definitions

_SQL = queries("cronzimus.services.sql", "drift.sql")
_HALTED = {JobStatus.PAUSED: DriftKind.PAUSED, JobStatus.BROKEN: DriftKind.BROKEN}


class _Standing(NamedTuple):
    """A job as it stands, and who wrote it so."""

    id: str
    version: int
    status: JobStatus
    source: str
    changed_by: str
    changed_at: datetime
    updated_at: datetime


class Drift:
    """Compares; changes nothing. May raise DatabaseUnavailable."""

    def __init__(self, database: Database, definitions: Definitions) -> None:
        self._database = database
        self._definitions = definitions

    def find(self, declared: Sequence[tuple[JobDefinition, Source]]) -> tuple[Drifted, ...]:
        """Every job that is missing, different, undeclared, paused or broken, in order of their ids."""
        standing = {row[0]: _Standing(*row) for row in self._database.fetch_all(_SQL["standing"])}
        found = [
            *(one for definition, source in declared for one in self._of(definition, source, standing)),
            *_undeclared(standing, {definition.id for definition, _ in declared}),
        ]
        return tuple(sorted(found, key=lambda one: (one.id, one.kind)))

    def _of(
        self, declared: JobDefinition, source: Source, standing: dict[str, _Standing]
    ) -> Iterator[Drifted]:
        row = standing.get(declared.id)
        if row is None:
            yield Drifted(declared.id, DriftKind.MISSING, source, (), None, None)
            return
        fields = self._fields(declared, row)
        if fields:
            yield Drifted(row.id, DriftKind.CHANGED, source, fields, row.changed_by, row.changed_at)
        halted = _HALTED.get(JobStatus(row.status))
        if halted is not None:
            yield Drifted(row.id, halted, source, (), None, row.updated_at)

    def _fields(self, declared: JobDefinition, row: _Standing) -> tuple[FieldChange, ...]:
        """From what is declared to what stands."""
        stored = self._definitions.get_many([(row.id, row.version)]).get((row.id, row.version))
        if not isinstance(stored, JobDefinition):
            return ()
        return tuple(differences(declared.document(), stored.document()))


def _undeclared(standing: dict[str, _Standing], declared: set[str]) -> Iterator[Drifted]:
    for row in standing.values():
        if row.id not in declared:
            yield Drifted(row.id, DriftKind.UNDECLARED, row.source, (), row.changed_by, row.changed_at)
