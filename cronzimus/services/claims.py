"""A worker's dealings with the ledger: claim, report, keep, give back."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from cronzimus.common.arrays import array
from cronzimus.common.db import Database, Refused
from cronzimus.common.sql import queries
from cronzimus.models.run import Claim, Ended, Exchange, Held, Offer, Renewal

_SQL = queries("cronzimus.services.sql", "claims.sql")
_RACES = 3


class Claims:
    """Compare-and-set on `runs`; every call is one transaction, safe to repeat, and may raise DatabaseUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def exchange(
        self, ended: Sequence[Ended], wanted: Sequence[UUID], *, worker_id: str, lease_seconds: float
    ) -> Exchange:
        """Report the attempts that ended and claim wanted runs; what cannot be had yet is left out.

        Two claimers may reach for two runs of a job that must not overlap itself. The database refuses
        the second; asked again, it answers without that run.
        """
        for _ in range(_RACES):
            try:
                with self._database.transaction():
                    retries = self._finish(ended, worker_id) if ended else ()
                    claimed = self._claim(wanted, worker_id, lease_seconds) if wanted else ()
                return Exchange(claimed, retries)
            except Refused:
                continue
        return (
            self.exchange(ended, (), worker_id=worker_id, lease_seconds=lease_seconds)
            if wanted
            else Exchange((), ())
        )

    def renew(self, held: Sequence[Held], *, worker_id: str, lease_seconds: float) -> Renewal:
        """Prolong the lease of everything held; what was lost, and what somebody wants cancelled."""
        params = {**_held(held), "worker_id": worker_id, "lease": timedelta(seconds=lease_seconds)}
        answers: dict[UUID, bool] = dict(self._database.fetch_all(_SQL["renew"], params))
        lost = frozenset(h.run_id for h in held if h.run_id not in answers)
        return Renewal(lost, frozenset(run_id for run_id, cancelled in answers.items() if cancelled))

    def release(self, held: Sequence[Held], *, worker_id: str) -> None:
        """Give back what was claimed and never started; the attempt is not spent."""
        self._database.execute(_SQL["release"], {**_held(held), "worker_id": worker_id})

    def _finish(self, ended: Sequence[Ended], worker_id: str) -> tuple[Offer, ...]:
        rows = self._database.fetch_all(_SQL["finish"], {**_columns(ended), "worker_id": worker_id})
        again = [Offer(run_id, not_before) for run_id, not_before, pending, _ in rows if pending]
        exclusive = {job_id for _, _, pending, job_id in rows if job_id is not None and not pending}
        if exclusive:
            behind = self._database.fetch_all(_SQL["waiting_behind"], {"job_ids": array(exclusive)})
            again += [Offer(run_id, not_before) for run_id, not_before in behind]
        return tuple(again)

    def _claim(self, wanted: Sequence[UUID], worker_id: str, lease_seconds: float) -> tuple[Claim, ...]:
        params = {"ids": array(wanted), "worker_id": worker_id, "lease": timedelta(seconds=lease_seconds)}
        return tuple(self._database.fetch_all(_SQL["claim"], params, row=Claim))


def _held(held: Sequence[Held]) -> dict[str, str]:
    return {"ids": array([h.run_id for h in held]), "attempts": array([h.attempt for h in held])}


def _columns(ended: Sequence[Ended]) -> dict[str, str]:
    return {
        "ids": array([e.run_id for e in ended]),
        "attempts": array([e.attempt for e in ended]),
        "states": array([e.state for e in ended]),
        "started": array([e.started_at for e in ended]),
        "ended": array([e.ended_at for e in ended]),
        "results": array([_json(e.result) for e in ended]),
        "errors": array([_json(e.error) for e in ended]),
        "metrics": array([_json(e.metrics) for e in ended]),
        "retry_ins": array([None if e.retry_in is None else f"{e.retry_in} seconds" for e in ended]),
        "free": array([not e.costs_attempt for e in ended]),
    }


def _json(value: Any) -> str | None:
    """JSON that PostgreSQL takes: one poisonous value must not hold up the reports of others."""
    if value is None:
        return None
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError):
        text = json.dumps(repr(value), ensure_ascii=False)
    return text.replace("\\u0000", "\\ufffd").encode("utf-8", "replace").decode()
