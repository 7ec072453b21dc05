"""Workflows on a fresh database: jobs that depend on each other, and a judge that the test calls."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from cronzimus.models.run import Offer, Run, RunState
from cronzimus.workers.cycles import Judge
from cronzimus.workers.releasing import Releasing
from tests.heart import Heart, definition

BY_HAND = {"type": "manual"}


class House:
    """The services of one replica, with its judge; nothing happens between two lines of a test."""

    def __init__(self, heart: Heart) -> None:
        self.heart = heart
        self.released: list[Offer] = []
        self.releasing = Releasing(
            heart.database, heart.definitions, self.released.extend, lambda: Judge(heart.name, 1)
        )

    def add(self, job_id: str, *depends_on: Any, **more: Any) -> None:
        """A job that starts by hand, or after others."""
        more = {"trigger": BY_HAND, **more}
        self.heart.timetable.add(definition(job_id, depends_on=depends_on, **more), by="test")

    def chain(self, *job_ids: str) -> None:
        """Jobs of which each follows the one before."""
        for before, job_id in zip((None, *job_ids), job_ids, strict=False):
            self.add(job_id, *([before] if before else []))

    def begin(self, job_id: str) -> Run:
        """Start a job by hand."""
        return self.heart.runs.trigger(job_id, by="test")

    def end(self, run_id: UUID, state: RunState = RunState.SUCCESS, result: Any = None) -> None:
        """Claim a run and let it end."""
        (claim,) = self.heart.claim([Offer(run_id, None)])
        error = None if state is RunState.SUCCESS else {"type": "Boom", "message": "boom"}
        self.heart.end(claim, state, result=result, error=error)

    def judge(self) -> None:
        """Let the judge look until there is nothing to look at."""
        while self.releasing.step() == 0.0:
            continue

    def passes(self, run_id: UUID, state: RunState = RunState.SUCCESS, result: Any = None) -> None:
        """Let a run end, and what follows be judged."""
        self.end(run_id, state, result)
        self.judge()

    def runs(self, job_id: str) -> Sequence[Run]:
        """The runs of a job, first to last."""
        return self.heart.history.runs(job_id=job_id, limit=200).items[::-1]

    def run(self, job_id: str) -> Run:
        """The one run of a job."""
        (run,) = self.runs(job_id)
        return run

    def skipped(self, job_id: str) -> str | None:
        """What the ledger says of the job that was skipped."""
        items = self.heart.history.firings(job_id=job_id, decision="skipped").items
        return items[0].note if items else None
