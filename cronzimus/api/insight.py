"""What the pages count, for programs: the house at a glance, and how one job has fared."""

from datetime import UTC, date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field

from cronzimus.api.queries import JobPath, whole_number
from cronzimus.api.render import milliseconds
from cronzimus.api.security import needs
from cronzimus.api.support import Query, blueprint, house
from cronzimus.models.insight import Overview, RecentRun
from cronzimus.models.run import RunState

api = blueprint("insight")


class OverviewQuery(Query):
    """How far to look back."""

    hours: Annotated[
        int, Field(ge=1, le=168, description="hours to count"), BeforeValidator(whole_number)
    ] = 24


class StatsQuery(Query):
    """How far to look back."""

    days: Annotated[int, Field(ge=1, le=366, description="days to count"), BeforeValidator(whole_number)] = 91
    runs: Annotated[int, Field(ge=1, le=500, description="runs to list"), BeforeValidator(whole_number)] = 200


class HourView(BaseModel):
    """What was decided in one hour, and what failed in it."""

    start: datetime
    fired: int
    skipped: int
    missed: int
    failed: int


class OverviewView(BaseModel):
    """The house at a glance."""

    jobs: dict[str, int] = Field(description="how many jobs, by status")
    waiting: int
    running_count: int
    running: list[dict[str, Any]] = Field(description="longest first; usual_seconds is the median of late")
    upcoming_count: int = Field(description="jobs due within 24 hours")
    upcoming: list[dict[str, Any]] = Field(description="the soonest of them")
    failures: list[dict[str, Any]] = Field(description="the runs that went wrong last")
    hours: list[HourView]
    leader: dict[str, Any] | None
    processes: dict[str, int] = Field(
        description="how many processes, by status; the dead of the last day too"
    )
    open_alerts: int = Field(description="alerts that are not over")


class DayView(BaseModel):
    """How the runs queued on one UTC day ended; of a day with very many, the latest 200."""

    day: date
    states: dict[RunState, int]


class DurationView(BaseModel):
    """How long one run took."""

    id: UUID
    state: RunState
    at: datetime = Field(description="when it was due, else when it was queued")
    duration_ms: float | None


class StatsView(BaseModel):
    """How a job has fared."""

    job_id: str
    days: list[DayView]
    runs: list[DurationView] = Field(description="oldest first")


@api.get("/overview", responses={200: OverviewView})
@needs("read")
def get_overview(query: OverviewQuery) -> Overview:
    """The house at a glance: what runs, what comes, what went wrong, and the last hours in numbers."""
    return house().operating.insight.overview(hours=query.hours)


@api.get("/jobs/<job_id>/stats", responses={200: StatsView})
@needs("read")
def get_stats(path: JobPath, query: StatsQuery) -> dict[str, Any]:
    """How a job has fared: outcomes by day, and how long its last runs took."""
    job = house().timetable.get(path.job_id)
    insight = house().operating.insight
    days = insight.days(job.id, query.days, datetime.now(UTC).date())
    runs = insight.recent([job.id], query.runs)[job.id]
    return {"job_id": job.id, "days": days, "runs": [run_point(run) for run in runs]}


def run_point(run: RecentRun) -> dict[str, Any]:
    """A run as a point of a chart."""
    took = milliseconds(run.started_at, run.ended_at)
    return {"id": run.id, "state": run.state, "at": run.due_at or run.queued_at, "duration_ms": took}
