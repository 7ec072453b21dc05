"""A cancel over REST ends a run on a worker whatever it is stuck in, and leaves no session and no process behind."""

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import psutil
import psycopg
import pytest

from tests.e2e.conftest import NewCrew
from tests.e2e.fleet import Crew, by_hand
from tests.e2e.postgres import Postgres
from tests.e2e.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

GONE_SECONDS, STUBBORN_SECONDS = 2.0, 10.0
_LOCKED, _WAITING = (
    "LOCK TABLE public.locked IN ACCESS EXCLUSIVE MODE",
    "INSERT INTO public.locked VALUES (1)",
)
_FOREVER = "SELECT pg_sleep(600)"


def stuck(name: str, *args: Any, **policy: Any) -> dict[str, Any]:
    """A job of the witness that does not end by itself."""
    document = by_hand(func=f"witness:{name}", args=list(args))
    return {**document, "policy": {**document["policy"], **policy}}


JOBS = {
    "sql": by_hand("sql", statement=_FOREVER),
    "sleeping-in-sql": stuck("stuck", _FOREVER),
    "waiting-for-a-lock": stuck("stuck", _WAITING),
    "sql-waiting-for-a-lock": by_hand("sql", statement=_WAITING),
    "sleeping": stuck("asleep", 600),
}


def sessions_of(crew: Crew, run_id: str) -> list[tuple[Any, ...]]:
    """The database sessions that do something in the name of a run."""
    short = run_id.replace("-", "")
    sql = (
        "SELECT application_name, state, query FROM pg_stat_activity"
        " WHERE replace(application_name, '-', '') LIKE '%%' || %s || '%%'"
    )
    return crew.trial.query(sql, short[-12:])


def processes_of(crew: Crew) -> list[int]:
    """The stubborn ones of this trial, zombies left out."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        mine = str(crew.trial.fleet.folder / "lib" / "witness.py") in words
        if mine and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process.pid)
    return found


def cancel(crew: Crew, run_id: str, within: float, is_gone: Callable[[], bool]) -> float:
    """Cancel it; the seconds until it was recorded, and whatever it did is gone."""
    asked = time.monotonic()
    assert crew.front.post(f"/api/v1/runs/{run_id}/cancel").status in (200, 202)
    crew.wait_state(run_id, "cancelled", within=within)
    until(is_gone, max(0.1, within - (time.monotonic() - asked)), f"all of {run_id} to be gone")
    return time.monotonic() - asked


def begin(crew: Crew, job_id: str) -> str:
    """Start a run; its id, once it is really stuck."""
    (run_id,) = crew.order(job_id)
    crew.wait_state(run_id, "running")
    return run_id


def test_stuck_runs_are_gone_within_two_seconds(new_crew: NewCrew, calm_postgres: Postgres) -> None:
    crew = new_crew(calm_postgres, "procrastinate", {})
    crew.serve()
    crew.worker("w", 8)
    crew.wait_alive()
    crew.trial.change("CREATE TABLE public.locked (n int); GRANT ALL ON public.locked TO public")
    with ExitStack() as stack:
        holder = stack.enter_context(psycopg.connect(crew.trial.url))
        holder.execute(_LOCKED.encode())
        for job_id, document in JOBS.items():
            crew.add(job_id, document)
        runs = {job_id: begin(crew, job_id) for job_id in JOBS}
        busy = [job_id for job_id in JOBS if job_id != "sleeping"]
        for job_id in busy:
            until(lambda job_id=job_id: sessions_of(crew, runs[job_id]), 10, f"a session of {job_id}")
        for job_id, run_id in runs.items():
            seconds = cancel(crew, run_id, GONE_SECONDS, lambda run_id=run_id: not sessions_of(crew, run_id))
            print(f"{job_id}: gone after {seconds:.2f} s")


@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_stubborn_process_is_gone_with_all_its_children(
    new_crew: NewCrew, calm_postgres: Postgres, isolation: str
) -> None:
    crew = new_crew(calm_postgres, "procrastinate", {})
    crew.serve()
    crew.worker("w", 8, isolation=isolation)
    crew.wait_alive()
    script = str(crew.trial.fleet.folder / "lib" / "witness.py")
    env = {"PYTHONPATH": crew.trial.fleet.environment["PYTHONPATH"]}
    crew.add("shell", by_hand("shell", command=[sys.executable, script], env=env))
    crew.add("function", stuck("parent", isolation="process"))
    for job_id in ("shell", "function"):
        run_id = begin(crew, job_id)
        until(lambda: len(processes_of(crew)) >= 2, 15, "the child in a session of its own")
        seconds = cancel(crew, run_id, STUBBORN_SECONDS, lambda: not processes_of(crew))
        print(f"{job_id}: gone after {seconds:.2f} s")


def test_isolated_run_that_sleeps_is_gone_within_two_seconds(
    new_crew: NewCrew, calm_postgres: Postgres
) -> None:
    crew = new_crew(calm_postgres, "procrastinate", {})
    crew.serve()
    worker = crew.worker("w", 8, isolation="process")
    crew.wait_alive()
    crew.add("sleeping", stuck("asleep", 600))
    run_id = begin(crew, "sleeping")
    until(lambda: crew.trial.starts("sleeping"), 15, "it to sleep")
    (pid,) = [line.pid for line in crew.trial.lines()]
    assert pid != worker.pid
    print(f"gone after {cancel(crew, run_id, GONE_SECONDS, lambda: not psutil.pid_exists(pid)):.2f} s")
