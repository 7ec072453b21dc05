"""From a job's definition to what one attempt is called with: values, templates, secrets, in this order."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.models.job import JobDefinition
from cronzimus.models.occasion import Occasion, asked_at, occasion_of
from cronzimus.models.run import Claim
from cronzimus.models.values import prepared, speaks_of
from cronzimus.services.secrets import Secrets

_SQL = queries("cronzimus.workers", "queries.sql")


@dataclass(frozen=True, slots=True)
class Prepared:
    """The `params` of one attempt with nothing left open, and the secrets they hold now."""

    params: Mapping[str, Any]
    secrets: tuple[str, ...] = ()


class Preparation:
    """Prepares attempts; raises Invalid naming the field, DatabaseUnavailable when history must be asked."""

    def __init__(self, database: Database, secrets: Secrets) -> None:
        self._database = database
        self._secrets = secrets

    def of(self, definition: JobDefinition, claim: Claim) -> Prepared:
        """Secrets come last: no template ever sees one, and nothing a secret holds is rendered."""
        occasion = self._occasion(definition, claim) if definition.templates else None
        params = prepared(definition, claim.params, occasion)
        return Prepared(*self._secrets.resolved(params, definition.id))

    def _occasion(self, definition: JobDefinition, claim: Claim) -> Occasion:
        moment = claim.due_at or asked_at(claim.run_id)
        previous = (
            self._previous_success(claim, moment) if speaks_of(definition, "previous_success_at") else None
        )
        return occasion_of(
            definition.schedule,
            moment,
            run_id=str(claim.run_id),
            job_id=claim.job_id,
            previous_success_at=previous,
        )

    def _previous_success(self, claim: Claim, moment: datetime) -> datetime | None:
        params = {"job_id": claim.job_id, "run_id": claim.run_id, "moment": moment}
        found = self._database.fetch_one(_SQL["previous_success"], params)
        return found[0] if found else None
