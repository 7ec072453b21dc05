"""The leader's wake-up, as APScheduler sees it: look, decide, commit. Nothing here ever raises."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from cronzimus.common.logger import get_logger
from cronzimus.errors import DatabaseUnavailable
from cronzimus.models.leader import Term
from cronzimus.models.run import Offer
from cronzimus.services.decide import Plan
from cronzimus.services.firing import DueJob, FiringService

_LOG = get_logger(__name__)
_RETRY_SECONDS = 0.25
_BREATHER_SECONDS = 0.25


class DueEntry:
    """A due job in the shape APScheduler's loop expects of a job; it is its own trigger.

    What follows this instant was decided together with it, so the loop may ask for the next one at once.
    """

    __slots__ = ("due", "id", "next_run_time", "plan")

    executor = "default"
    coalesce = False
    max_instances = 1

    def __init__(self, due: DueJob) -> None:
        self.due = due
        self.id = due.definition.id
        self.next_run_time: datetime | None = due.due_at
        self.plan: Plan | None = None

    @property
    def trigger(self) -> "DueEntry":
        """The entry itself."""
        return self

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:
        """What the plan says comes next."""
        return self.plan.next_due_at if self.plan else None

    def _get_run_times(self, now: datetime) -> list[datetime]:
        """The first due instant only: how many have come is for the plan to say."""
        return [self.due.due_at]

    def _modify(self, **changes: Any) -> None:
        self.next_run_time = changes["next_run_time"]


class WakeUp:
    """One wake-up after another; `look`, then `decide` for each entry, then `commit`.

    1. `look` reads what is due, if this replica may trust its term.
    2. `decide` only collects.
    3. `commit` writes everything in one statement that checks the term again, and only then
       are the runs offered. A crash before it loses nothing, for the jobs are still due; a crash
       after it leaves pending runs, which upkeep offers again.
    """

    def __init__(
        self,
        firing: FiringService,
        term: Callable[[], Term | None],
        offer: Callable[[Sequence[Offer]], None],
        *,
        batch_size: int,
        poll_seconds: float,
        backlog: Callable[[], int] = lambda: 0,
        observe: Callable[[float], object] = lambda seconds: None,
    ) -> None:
        """`backlog` tells how many offered runs nobody here has claimed yet; `observe` is told how long each
        wake-up with something to decide took.
        """
        self._firing = firing
        self._term = term
        self._offer = offer
        self._batch_size = batch_size
        self._poll_seconds = poll_seconds
        self._backlog, self._observe = backlog, observe
        self._began = 0.0
        self._plans: list[Plan] = []
        self._now = datetime.min
        self._full = False
        self._current: Term | None = None
        self._in_trouble = False
        self.last_completed = time.monotonic()

    def look(self) -> list[DueEntry]:
        """The due jobs, or none while another replica leads or the database is away."""
        self._plans, self._full = [], False
        self._began = time.monotonic()
        self._current = self._term()
        if self._current is None:
            return []
        try:
            batch = self._firing.due(self._batch_size)
        except Exception as error:
            self._note(error)
            return []
        self._now, self._full = batch.now, len(batch.jobs) >= self._batch_size
        return [DueEntry(due) for due in batch.jobs]

    def decide(self, entry: DueEntry) -> None:
        """Collect what becomes of one due job; one that cannot be decided is marked broken."""
        try:
            entry.plan = self._firing.decide(entry.due, self._now)
        except Exception as error:
            self._give_up_on(entry.due.definition.id, entry.due.version, error)
        else:
            self._plans.append(entry.plan)

    def commit(self) -> datetime:
        """Write what was collected; when to wake up again, on this machine's clock."""
        wait = self._poll_seconds
        try:
            if self._current is not None:
                self._commit(self._current)
                wait = self._seconds_to_next()
            self._in_trouble = False
        except Exception as error:
            self._note(error)
            wait = _RETRY_SECONDS
        self.last_completed = time.monotonic()
        return datetime.now().astimezone() + timedelta(seconds=wait)

    def _commit(self, term: Term) -> None:
        if not self._plans:
            return
        try:
            offers = self._firing.commit(term, self._plans)
            self._observe(time.monotonic() - self._began)
        except DatabaseUnavailable:
            raise
        except Exception as error:
            self._commit_one_by_one(term, error)
        else:
            self._offer(offers or [])

    def _commit_one_by_one(self, term: Term, error: Exception) -> None:
        """One plan the database refuses must not hold up the others."""
        for plan in self._plans:
            try:
                self._offer(self._firing.commit(term, [plan]) or [])
            except DatabaseUnavailable:
                raise
            except Exception as refusal:
                self._give_up_on(plan.definition.id, plan.version, refusal)
        _LOG.error("A wake-up was committed job by job, for the database refused it whole: {}", error)

    def _seconds_to_next(self) -> float:
        if self._full:
            return self._breather()
        following = self._firing.seconds_to_next()
        return self._poll_seconds if following is None else min(following, self._poll_seconds)

    def _breather(self) -> float:
        """Under overload, time for the worker: runs that wait make the next firings of their jobs skips."""
        surplus = self._backlog() / self._batch_size - 1
        return _BREATHER_SECONDS * min(max(surplus, 0.0), 1.0)

    def _give_up_on(self, job_id: str, version: int, error: Exception) -> None:
        _LOG.error("Job {} version {} cannot be decided: {}", job_id, version, error)
        try:
            self._firing.mark_broken(job_id, version, f"it cannot be decided: {error}")
        except Exception as trouble:
            self._note(trouble)

    def _note(self, error: Exception) -> None:
        """Say it once an outage, not four times a second."""
        if not self._in_trouble:
            _LOG.warning("The timetable waits: {}", error)
        self._in_trouble = True
