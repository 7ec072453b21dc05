"""A worker's dealings with the ledger: claim, report, keep, give back."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from cronzimus.common.arrays import array
from cronzimus.common.db import Database, Refused
from cronzimus.common.sql import queries
from cronzimus.errors import DatabaseUnavailable
from cronzimus.models.run import Claim, Ended, Exchange, Held, Offer, Renewal

_SQL = queries("cronzimus.services.sql", "claims.sql")
_RACES = 3


class _Claimed(NamedTuple):
    """What one transaction claimed; it is known by its id once its answer is lost."""

    transaction: str
    claims: tuple[Claim, ...]


_NOTHING = _Claimed("", ())


class Claims:
    """Compare-and-set on `runs`; every call is safe to repeat and may raise DatabaseUnavailable.

    A claim whose commit was applied while its answer got lost would be held by nobody until its lease ran
    out. So the next exchange asks the database first what became of that transaction, and takes up its claims.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._in_doubt: _Claimed | None = None
        self._taken_up: tuple[Claim, ...] = ()

    def exchange(
        self, ended: Sequence[Ended], wanted: Sequence[UUID], *, worker_id: str, lease_seconds: float
    ) -> Exchange:
        """Report the attempts that ended and claim wanted runs; what cannot be had yet is left out.

        For one thread of one worker: what a lost answer left in doubt is taken up by the next call.
        """
        self._take_up(worker_id, lease_seconds)
        exchange = self._exchange(ended, wanted, worker_id, lease_seconds)
        claimed, self._taken_up = (*self._taken_up, *exchange.claimed), ()
        return Exchange(claimed, exchange.retries)

    def renew(self, held: Sequence[Held], *, worker_id: str, lease_seconds: float) -> Renewal:
        """Prolong the lease of everything held; what was lost, and what somebody wants cancelled."""
        params = {**_held(held), "worker_id": worker_id, "lease": timedelta(seconds=lease_seconds)}
        answers: dict[UUID, bool] = dict(self._database.fetch_all(_SQL["renew"], params))
        lost = frozenset(h.run_id for h in held if h.run_id not in answers)
        return Renewal(lost, frozenset(run_id for run_id, cancelled in answers.items() if cancelled))

    def release(self, held: Sequence[Held], *, worker_id: str) -> None:
        """Give back what was claimed and never started; the attempt is not spent."""
        self._database.execute(_SQL["release"], {**_held(held), "worker_id": worker_id})

    def hand_back(self, *, worker_id: str) -> Sequence[UUID]:
        """Give back what was dispatched to a worker and it has not claimed; which runs that were."""
        rows = self._database.fetch_all(_SQL["hand_back"], {"worker_id": worker_id})
        return [run_id for (run_id,) in rows]

    def _exchange(
        self, ended: Sequence[Ended], wanted: Sequence[UUID], worker_id: str, lease_seconds: float
    ) -> Exchange:
        """Two claimers may reach for two runs of a job that must not overlap itself. The database refuses the
        second; asked again, it answers without that run.
        """
        for _ in range(_RACES):
            claimed = _NOTHING
            try:
                with self._database.transaction():
                    retries = self._finish(ended, worker_id) if ended else ()
                    claimed = self._claim(wanted, worker_id, lease_seconds) if wanted else _NOTHING
                return Exchange(claimed.claims, retries)
            except Refused:
                if not wanted:
                    raise
            except DatabaseUnavailable:
                self._in_doubt = claimed if claimed.claims else None
                raise
        return self._exchange(ended, (), worker_id, lease_seconds)

    def _take_up(self, worker_id: str, lease_seconds: float) -> None:
        """Take up the claims in doubt, if their transaction was committed and they are still this worker's."""
        if self._in_doubt is None:
            return
        fate = self._database.fetch_one(_SQL["fate"], {"transaction": self._in_doubt.transaction})
        if fate == ("in progress",):
            raise DatabaseUnavailable("the commit of the last claim is still under way")
        claims = self._in_doubt.claims if fate == ("committed",) else ()
        held = [Held(claim.run_id, claim.attempt) for claim in claims]
        lost = (
            self.renew(held, worker_id=worker_id, lease_seconds=lease_seconds).lost if held else frozenset()
        )
        self._taken_up += tuple(claim for claim in claims if claim.run_id not in lost)
        self._in_doubt = None

    def _finish(self, ended: Sequence[Ended], worker_id: str) -> tuple[Offer, ...]:
        rows = self._database.fetch_all(_SQL["finish"], {**_columns(ended), "worker_id": worker_id})
        again = [Offer(run_id, moment, *rest) for run_id, moment, pending, _, *rest in rows if pending]
        exclusive = {job_id for _, _, pending, job_id, *_ in rows if job_id is not None and not pending}
        if exclusive:
            behind = self._database.fetch_all(_SQL["waiting_behind"], {"job_ids": array(exclusive)})
            again += [Offer(*row) for row in behind]
        return tuple(again)

    def _claim(self, wanted: Sequence[UUID], worker_id: str, lease_seconds: float) -> _Claimed:
        params = {"ids": array(wanted), "worker_id": worker_id, "lease": timedelta(seconds=lease_seconds)}
        rows = self._database.fetch_all(_SQL["claim"], params)
        return _Claimed(rows[0][0], tuple(Claim(*row[1:]) for row in rows)) if rows else _NOTHING


def _held(held: Sequence[Held]) -> dict[str, str]:
    return {"ids": array([h.run_id for h in held]), "attempts": array([h.attempt for h in held])}


def _columns(ended: Sequence[Ended]) -> dict[str, str]:
    return {
        "ids": array([e.run_id for e in ended]),
        "attempts": array([e.attempt for e in ended]),
        "states": array([str(e.state) for e in ended]),
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
