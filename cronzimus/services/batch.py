"""One verb on many jobs: each is tried in a transaction of its own, and none is forgotten."""

from collections.abc import Callable, Iterable
from typing import Any, Final
from uuid import UUID

from cronzimus.errors import Conflict, CronzimusError, Fault, Invalid, Unavailable
from cronzimus.models.batch import BatchAction, BatchOutcome
from cronzimus.services.runs import Runs
from cronzimus.services.timetable import Timetable

MOST_JOBS: Final = 1000


class Batch:
    """Pause, resume, run or delete many jobs. `by` names who did it. May raise DatabaseUnavailable."""

    def __init__(self, timetable: Timetable, runs: Runs) -> None:
        self._timetable = timetable
        self._runs = runs

    def chosen(self, **filters: Any) -> tuple[str, ...]:
        """The ids of every job that a list with these filters shows; raises Invalid BATCH_TOO_LARGE."""
        page = self._timetable.list(**filters, limit=MOST_JOBS, offset=0)
        if page.total > MOST_JOBS:
            raise Invalid(f"{page.total} jobs match, at most {MOST_JOBS} at once", code="BATCH_TOO_LARGE")
        return tuple(job.id for job in page.items)

    def act(
        self,
        action: BatchAction,
        job_ids: Iterable[str],
        *,
        by: str,
        expected: int | None = None,
        force: bool = False,
    ) -> tuple[BatchOutcome, ...]:
        """What came of each job, in the order given; nothing is done when there are not as many as `expected`."""
        ids = tuple(dict.fromkeys(job_ids))
        if len(ids) > MOST_JOBS:
            message = f"at most {MOST_JOBS} jobs at once, got {len(ids)}"
            raise Invalid(message, code="BATCH_TOO_LARGE", faults=[Fault("ids", message)])
        if expected is not None and expected != len(ids):
            raise Conflict(
                f"{len(ids)} jobs match now, not {expected}; nothing was done: look again",
                code="COUNT_MISMATCH",
            )
        tried: dict[str, BatchOutcome] = {}
        left: tuple[str, ...] = ids
        while left:
            tried |= {job_id: _tried(lambda one: self._do(action, one, by, force), job_id) for job_id in left}
            needed = tuple(job_id for job_id in left if tried[job_id].code == "JOB_IS_NEEDED")
            # What needed them may have gone in this round.
            left = needed if len(needed) < len(left) else ()
        return tuple(tried[job_id] for job_id in ids)

    def _do(self, action: BatchAction, job_id: str, by: str, force: bool) -> UUID | None:
        if action is BatchAction.RUN:
            return self._runs.trigger(job_id, force=force, by=by).id
        if action is BatchAction.PAUSE:
            self._timetable.pause(job_id, by=by)
        elif action is BatchAction.RESUME:
            self._timetable.resume(job_id, by=by)
        else:
            self._timetable.remove(job_id, by=by)
        return None


def _tried(verb: Callable[[str], UUID | None], job_id: str) -> BatchOutcome:
    try:
        return BatchOutcome(job_id, True, run_id=verb(job_id))
    except Unavailable:
        raise
    except CronzimusError as error:
        return BatchOutcome(job_id, False, error.code, error.message)
