"""From a job's definition to what one attempt is called with: values, templates, secrets, in this order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cronzimus.common.arrays import array
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
    """The `params` of one attempt with nothing left open, the secrets they hold now, and what other jobs came to."""

    params: Mapping[str, Any]
    secrets: tuple[str, ...] = ()
    inputs: Mapping[str, Any] = field(default_factory=dict)


class Preparation:
    """Prepares attempts; raises Invalid naming the field, DatabaseUnavailable when history must be asked."""

    def __init__(self, database: Database, secrets: Secrets) -> None:
        self._database = database
        self._secrets = secrets

    def of(self, definition: JobDefinition, claim: Claim) -> Prepared:
        """Secrets come last: no template ever sees one, and nothing a secret holds is rendered."""
        inputs = self._results(claim.inputs) if claim.inputs else {}
        occasion = self._occasion(definition, claim, inputs) if definition.templates else None
        params = prepared(definition, claim.params, occasion)
        return Prepared(*self._secrets.resolved(params, definition.id), inputs)

    def _results(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The result of each job's run: a list of those of its parts, None of one that was skipped."""
        named = {job_id: run if isinstance(run, list) else [run] for job_id, run in inputs.items()}
        ids = array(run for runs in named.values() for run in runs if run is not None)
        found = {
            str(run_id): result for run_id, result in self._database.fetch_all(_SQL["results"], {"ids": ids})
        }
        return {
            job_id: (
                [found.get(run) for run in named[job_id]] if isinstance(run, list) else found.get(str(run))
            )
            for job_id, run in inputs.items()
        }

    def _occasion(self, definition: JobDefinition, claim: Claim, inputs: Mapping[str, Any]) -> Occasion:
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
            inputs=inputs,
        )

    def _previous_success(self, claim: Claim, moment: datetime) -> datetime | None:
        params = {"job_id": claim.job_id, "run_id": claim.run_id, "moment": moment}
        found = self._database.fetch_one(_SQL["previous_success"], params)
        return found[0] if found else None
