"""Runs: the list of them, and one of them whole: what it was given, what it said, how it ended, and why."""

import json
import shlex
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from flask import request
from pydantic import Field
from werkzeug.wrappers import Response

from cronzimus.api.queries import RunPath, RunQuery
from cronzimus.api.runs import found_runs
from cronzimus.api.security import caller, needs
from cronzimus.api.support import V1, Query, house
from cronzimus.common.logger import LEVELS, LevelName
from cronzimus.errors import NotFound
from cronzimus.models.kinds import Kind
from cronzimus.models.run import OPEN, Attempt, Cause, Run, RunState
from cronzimus.services.run_logs import LineFilter
from cronzimus.web.forms import check_form, done
from cronzimus.web.graphs import Drawing, drawing
from cronzimus.web.room import Answer, address, live, page, room

pages = room("run")

_CHOICES: Final = {"state": tuple(RunState), "cause": tuple(Cause), "kind": tuple(Kind)}
_LINES: Final = 200
# What the command line reads its server and its token from.
_SERVER: Final = '"${CRONZIMUS_URL:-http://127.0.0.1:5000}'


class RunPageQuery(Query):
    """Which lines of its log."""

    level: LevelName | None = Field(default=None, description="this level and more serious ones")


@pages.get("/runs")
@live
@needs("read")
def show_runs() -> Answer:
    """Runs, latest first."""
    said = {name: value for name, value in request.args.items() if value}
    query = RunQuery.model_validate(said)
    return page(
        "runs.html",
        twin=address(f"{V1}/runs", **said),
        topics="run",
        query=query,
        choices=_CHOICES,
        found=found_runs(query, **query.filters()),
        href=lambda offset: address("/runs", **{**said, "offset": offset}),
    )


@pages.get("/runs/<run_id>")
@live
@needs("read")
def show_run(run_id: str) -> Answer:
    """Everything about one run."""
    known = _known(run_id)
    level = RunPageQuery.model_validate({name: value for name, value in request.args.items() if value}).level
    run = house().history.run(known)
    logs = house().operating.run_logs
    lines = logs.page_before(run, LineFilter(level=level), limit=_LINES)
    return page(
        "run.html",
        twin=f"{V1}/runs/{known}",
        topics="run job",
        job=run.job_id,
        run=run,
        is_open=run.state in OPEN,
        attempts=_attempts(run),
        values=house().runs.values_of(run) or run.params or {},
        lines=lines,
        follow=address(f"{V1}/runs/{known}/logs/stream", level=level),
        level=level,
        levels=LEVELS,
        why=_why(run),
        held=house().operating.holds.of([run]).get(run.id),
        curl=curl(run),
        cycle=_cycle(run),
    )


@pages.post("/runs/<run_id>/cancel")
@needs("operate")
def cancel_run(run_id: str) -> Response:
    """Cancel it: at once while it waits, as soon as its worker hears of it while it runs."""
    check_form()
    known = _known(run_id)
    run = house().runs.cancel(known, by=caller())
    said = "is cancelled" if run.state not in OPEN else "will be stopped by its worker"
    return done(f"The run of {run.job_id} {said}", f"/runs/{known}")


@pages.post("/runs/<run_id>/rerun")
@needs("operate")
def rerun_cycle(run_id: str) -> Response:
    """Try again what went wrong in its cycle; what was skipped follows by itself."""
    check_form()
    known = _known(run_id)
    runs = house().operating.workflows.rerun(str(known), by=caller())
    return done(f"Started again: {', '.join(run.job_id for run in runs)}", f"/runs/{known}")


@pages.post("/runs/<run_id>/retry")
@needs("operate")
def retry_run(run_id: str) -> Response:
    """Start a new run like it, and go there."""
    check_form()
    run = house().runs.retry(_known(run_id), by=caller())
    return done(f"{run.job_id} was started again; this is the new run", f"/runs/{run.id}")


def curl(run: Run) -> str:
    """The command that starts the same again: its job, with what it was given and for its moment."""
    body = {"params": run.params, "as_of": run.due_at and run.due_at.isoformat()}
    given = json.dumps({name: value for name, value in body.items() if value}, ensure_ascii=False)
    return " \\\n  ".join(
        (
            f'curl -X POST {_SERVER}{V1}/jobs/{run.job_id}/run"',
            '-H "Authorization: Bearer $CRONZIMUS_TOKEN"',
            "-H 'Content-Type: application/json'",
            f"-d {shlex.quote(given)}",
        )
    )


def _known(run_id: str) -> UUID:
    return RunPath(run_id=run_id).run_id  # type: ignore[arg-type]


def _cycle(run: Run) -> Drawing | None:
    """The cycle it belongs to; None when it is alone in it."""
    found = house().operating.workflows.cycle(str(run.id))
    return None if found.alone else drawing(found)


def _attempts(run: Run) -> tuple[Attempt, ...]:
    """The attempts that ended, and the one that goes on."""
    ended = house().history.attempts(run.id)
    if run.state != RunState.RUNNING or any(one.attempt == run.attempt for one in ended):
        return ended
    since: datetime = run.started_at or run.queued_at
    now = Attempt(run.id, run.attempt, run.worker_id or "", since, None, run.state, None)
    return (*ended, now)


def _why(run: Run) -> Any:
    """What the ledger says of its instant; only those that nobody asked for have one."""
    if run.cause not in (Cause.SCHEDULE, Cause.DEPENDENCY) or run.due_at is None:
        return None
    try:
        return house().explain.why(run.job_id, run.due_at)
    except NotFound:
        return None
