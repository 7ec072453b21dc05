"""One job: what it is, when it is due, how it has fared, and why; and what people do to it."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from flask import request
from pydantic import BeforeValidator, Field
from werkzeug.wrappers import Response

from cronzimus.api.documents import next_firings
from cronzimus.api.queries import Instant, JobPath, whole_number
from cronzimus.api.security import caller, needs
from cronzimus.api.support import V1, Query, house
from cronzimus.services.explain import because
from cronzimus.services.history import JobVersion
from cronzimus.web.charts import calendar, sparks
from cronzimus.web.forms import check_form, done
from cronzimus.web.graphs import Drawing, drawing
from cronzimus.web.room import Answer, address, live, page, room

pages = room("job")

_NEXT: Final = 10
_DAYS: Final = 26 * 7
_RUNS: Final = 100
_ROWS: Final = 20
_VERSIONS: Final = 20


class JobPageQuery(Query):
    """What somebody asks about a job."""

    at: Instant | None = Field(default=None, description="why did it run, or not, at this instant")
    rows: Annotated[int, Field(ge=0, le=1_000_000), BeforeValidator(whole_number)] = 0


@pages.get("/jobs/<job_id>")
@live
@needs("read")
def show_job(job_id: str) -> Answer:
    """Everything about one job."""
    known = JobPath(job_id=job_id).job_id
    query = JobPageQuery.model_validate({name: value for name, value in request.args.items() if value})
    job = house().timetable.get(known)
    today = datetime.now(UTC).date()
    insight = house().operating.insight
    days = insight.days(known, _DAYS + today.weekday() + 1, today)
    return page(
        "job.html",
        twin=f"{V1}/jobs/{known}?next={_NEXT}",
        topics="job run",
        job=known,
        shown=job,
        coming=[_coming(one) for one in next_firings(job, _NEXT, house().operating)],
        days=days,
        calendar=calendar(days),
        runs=sparks(insight.recent([known], _RUNS)[known]),
        ledger=house().history.firings(job_id=known, limit=_ROWS, offset=query.rows),
        earlier=lambda rows: address(_page_of(known), rows=rows),
        because=because,
        asked=query.at,
        why=house().explain.why(known, query.at) if query.at else None,
        versions=_latest_versions(known),
        graph=_graph(known),
    )


@pages.post("/jobs/<job_id>/pause")
@needs("operate")
def pause_job(job_id: str) -> Response:
    """From now on nothing of it fires."""
    check_form()
    house().timetable.pause(job_id, by=caller())
    return done(f"{job_id} is paused", _page_of(job_id))


@pages.post("/jobs/<job_id>/resume")
@needs("operate")
def resume_job(job_id: str) -> Response:
    """Fire again."""
    check_form()
    house().timetable.resume(job_id, by=caller())
    return done(f"{job_id} fires again", _page_of(job_id))


@pages.post("/jobs/<job_id>/delete")
@needs("admin")
def delete_job(job_id: str) -> Response:
    """Take it off the timetable; its history stays."""
    check_form()
    house().timetable.remove(job_id, by=caller())
    return done(f"{job_id} was deleted; its history stays", "/jobs")


def _graph(job_id: str) -> Drawing | None:
    """The jobs around it; None when it is alone."""
    found = house().operating.workflows.around(job_id)
    return None if found.alone else drawing(found)


def _latest_versions(job_id: str) -> tuple[JobVersion, ...]:
    return tuple(reversed(house().history.versions(job_id)))[:_VERSIONS]


def _coming(firing: dict[str, Any]) -> dict[str, Any]:
    """The wall clock of the job's zone, as people write it, beside the instant."""
    local = datetime.fromisoformat(firing["local"])
    offset = local.utcoffset() or timedelta(0)
    sign, minutes = "-" if offset < timedelta(0) else "+", abs(offset) // timedelta(minutes=1)
    wall = f"{local:%a %Y-%m-%d %H:%M:%S} {sign}{minutes // 60:02}:{minutes % 60:02}"
    return {**firing, "note": "; ".join(firing["notes"]) or None, "wall": wall}


def _page_of(job_id: str) -> str:
    return f"/jobs/{job_id}"
