"""Runs: the history of executions, and what people do to one."""

from typing import Any

from cronzimus.api.once import once
from cronzimus.api.queries import JobRunQuery, RunPath, RunQuery
from cronzimus.api.render import attempt_view, run_view
from cronzimus.api.run_models import RunDetails, RunPage, RunStarted, RunView
from cronzimus.api.security import caller, needs
from cronzimus.api.support import V1, blueprint, house, page_of
from cronzimus.errors import NotFound
from cronzimus.models.page import Page
from cronzimus.models.run import Run

api = blueprint("runs")


@api.get("/runs", responses={200: RunPage})
@needs("read")
def list_runs(query: RunQuery) -> tuple[Any, ...]:
    """List runs, latest first."""
    return page_of_runs(found_runs(query, **query.filters()))


@api.get("/runs/<run_id>", responses={200: RunDetails})
@needs("read")
def get_run(path: RunPath) -> dict[str, Any]:
    """One run with its attempts."""
    run = house().history.run(path.run_id)
    attempts = house().history.attempts(path.run_id)
    return {
        **view_of(run),
        "parameters": house().runs.values_of(run),
        "kind": _kind(run),
        "attempts": [attempt_view(attempt) for attempt in attempts],
    }


@api.post("/runs/<run_id>/cancel", responses={200: RunView})
@needs("operate")
def cancel_run(path: RunPath) -> dict[str, Any]:
    """Cancel a run: at once while it waits, as soon as its worker hears of it while it runs."""
    return run_view(house().runs.cancel(path.run_id, by=caller()))


@api.post("/runs/<run_id>/retry", responses={202: RunStarted})
@needs("operate")
def retry_run(path: RunPath) -> Any:
    """Start a new run like one that has ended."""
    return once(None, lambda: started(house().runs.retry(path.run_id, by=caller())))


def found_runs(query: JobRunQuery, **filters: Any) -> Page[Run]:
    """The runs that match every filter given."""
    if query.is_contradiction:
        return Page((), 0, query.limit, query.offset)
    return house().history.runs(**filters)


def page_of_runs(found: Page[Run]) -> tuple[Any, ...]:
    """Runs, and of those that wait what for."""
    held = house().operating.holds.of(found.items)
    return page_of(found, lambda run: run_view(run, held.get(run.id)))


def view_of(run: Run) -> dict[str, Any]:
    """One run, and if it waits what for."""
    return run_view(run, house().operating.holds.of([run]).get(run.id))


def started(run: Run) -> tuple[Any, ...]:
    """The answer to having queued a run."""
    location = f"{V1}/runs/{run.id}"
    return {"run_id": run.id, "run": view_of(run)}, 202, {"Location": location}


def _kind(run: Run) -> Any:
    """The kind of the run's job, unless the job is gone."""
    try:
        return house().timetable.get(run.job_id).definition.get("kind")
    except NotFound:
        return None
