"""What Cronzimus is compared with, in its best honest form: APScheduler 3 on the same PostgreSQL, and plain SQL."""

import pickle
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count as counter
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.job import Job
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from cronzimus.common.arrays import array
from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.utils.ids import new_id

_SQL = queries("benchmarks", "queries.sql")
_THREADS = 10
_FIRED = counter()
_LATENESS: list[tuple[float, float]] = []


def tick() -> None:
    """Do nothing but be counted."""
    next(_FIRED)


def note(start: float, every: float) -> None:
    """How late this start is, the due instant being the last one of the job's own rhythm."""
    now = time.time()
    late = (now - start) % every
    _LATENESS.append((now - late, late))


def lateness() -> list[tuple[float, float]]:
    """What `note` has seen in this process."""
    return _LATENESS


def fired() -> int:
    """How often `tick` was called in this process."""
    return int(repr(_FIRED)[6:-1])


@contextmanager
def apscheduler(url: str, *, tuned: bool = False) -> Iterator[BackgroundScheduler]:
    """A scheduler with its SQLAlchemy job store: nothing is a misfire, missed times become one.

    `tuned` lets each statement commit by itself, which its documentation does not mention: half the round trips.
    """
    store = SQLAlchemyJobStore(
        url=url.replace("postgresql://", "postgresql+psycopg://", 1),
        engine_options={"isolation_level": "AUTOCOMMIT"} if tuned else {},
    )
    scheduler = BackgroundScheduler(
        jobstores={"default": store},
        executors={"default": ThreadPoolExecutor(_THREADS)},
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 100},
        timezone="UTC",
    )
    scheduler.start()
    try:
        yield scheduler
    finally:
        scheduler.shutdown(wait=False)


def write_apscheduler_jobs(
    url: str, count: int, function: str, every_seconds: float, *, first: datetime, spread_seconds: float
) -> None:
    """The same jobs as `household.write_jobs` writes, in APScheduler's table; its own way takes 1 ms a job."""
    with apscheduler(url) as scheduler:
        scheduler.pause()
        store = scheduler._lookup_jobstore("default")
        dues = [first + timedelta(seconds=n * spread_seconds / count) for n in range(count)]
        rows = [_row(scheduler, f"job-{n:06}", function, every_seconds, due) for n, due in enumerate(dues)]
        with store.engine.begin() as connection:
            connection.execute(store.jobs_t.insert(), rows)


def _row(
    scheduler: BackgroundScheduler, job_id: str, function: str, every: float, due: datetime
) -> dict[str, Any]:
    job = Job(
        scheduler,
        id=job_id,
        name=job_id,
        func=function,
        trigger=IntervalTrigger(seconds=int(every), start_date=due, timezone="UTC"),
        args=(due.timestamp(), every) if function.endswith(":note") else (),
        kwargs={},
        executor="default",
        misfire_grace_time=None,
        coalesce=True,
        max_instances=100,
        next_run_time=due,
    )
    return {"id": job_id, "next_run_time": due.timestamp(), "job_state": pickle.dumps(job.__getstate__(), -1)}


class SqlLoop:
    """The rows of a firing that runs and succeeds, written by plain SQL: nobody decides, nothing executes.

    Three transactions a batch, as the real thing needs them: fired, running, finished.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url, 1, application_name="cronzimus:bare", by_key=True)

    def run(self, job_ids: list[str], due_at: datetime, batch: int) -> None:
        """One firing of each job."""
        for start in range(0, len(job_ids), batch):
            self._fire(job_ids[start : start + batch], due_at)

    def close(self) -> None:
        """Leave the server."""
        self._database.close()

    def _fire(self, job_ids: list[str], due_at: datetime) -> None:
        run_ids = array(new_id() for _ in job_ids)
        values = {"jobs": array(job_ids), "runs": run_ids, "due_at": due_at}
        for stage in (
            ("bare_move", "bare_firings", "bare_runs"),
            ("bare_start",),
            ("bare_finish", "bare_attempts"),
        ):
            with self._database.transaction() as connection, connection.pipeline():
                for name in stage:
                    connection.execute(_SQL[name], values)
