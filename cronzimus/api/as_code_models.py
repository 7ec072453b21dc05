"""What the routes of config as code accept and answer."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cronzimus.api.queries import Text
from cronzimus.api.support import Body, Query
from cronzimus.models.job import Source
from cronzimus.models.plan import Action, DriftKind, Move

Revision = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[\w.:/@+-]+$")]


class PlanBody(Body):
    """Wanted jobs, and how far to look."""

    documents: list[dict[str, Any]] = Field(
        max_length=1000,
        description="jobs as POST /jobs takes them; `paused` beside the fields says how they stand",
    )
    prune: bool = Field(default=False, strict=True, description="remove jobs of the API that are not wanted")
    next: int = Field(
        default=20, ge=1, le=200, strict=True, description="due instants of each job to compare"
    )
    window_hours: int = Field(
        default=24, ge=1, le=744, strict=True, description="how far to foresee the load"
    )


class ApplyBody(Body):
    """The same jobs, and the plan that was seen."""

    documents: list[dict[str, Any]] = Field(max_length=1000, description="the jobs that were planned")
    prune: bool = Field(default=False, strict=True, description="as it was planned")
    plan: Annotated[str, StringConstraints(max_length=64)] = Field(description="the plan's hash")
    revision: Revision | None = Field(default=None, description="recorded with the change, such as a commit")


class ExportFormat(StrEnum):
    """How an export is written."""

    JSON = "json"
    YAML = "yaml"


class ExportQuery(Query):
    """Which jobs, and how."""

    format: ExportFormat = ExportFormat.JSON
    source: Source | None = None
    tag: Text | None = None


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FieldChangeView(_Answer):
    """One field that differs."""

    field: str = Field(description="dotted path")
    before: Any
    after: Any


class ExpectedView(_Answer):
    """An instant to come."""

    due_at: datetime
    local: str = Field(description="the same instant on the wall clock of its zone")
    dst: str | None


class FiringChangeView(_Answer):
    """What becomes of one instant to come."""

    move: Move
    before: ExpectedView | None
    after: ExpectedView | None


class JobPlanView(_Answer):
    """What would become of one job."""

    id: str
    action: Action
    source: Source | None = Field(description="where the job that stands came from")
    version: int | None
    timezone: str
    fields: list[FieldChangeView]
    firings: list[FiringChangeView] = Field(description="empty for a job that stays as it is")
    open_runs: int
    notes: list[str]


class LoadView(_Answer):
    """How much happens at one time."""

    peak: int = Field(description="most runs at once")
    peak_at: datetime | None
    starts: int = Field(description="most starts within one minute")
    starts_at: datetime | None


class ConcurrencyView(_Answer):
    """The load of the whole timetable, before and after."""

    since: datetime
    until: datetime
    before: LoadView
    after: LoadView
    assumed: list[str] = Field(description="jobs without an ended run, taken to last assumed_seconds")
    assumed_seconds: float


class PlanView(_Answer):
    """A plan; its hash is what apply insists on."""

    hash: str
    made_at: datetime
    summary: dict[Action, int]
    jobs: list[JobPlanView]
    unlisted: list[str] = Field(description="jobs of the timetable that were not asked for and stay")
    concurrency: ConcurrencyView


class Applied(_Answer):
    """What was done."""

    plan: str
    done: dict[Action, int]


class ExportView(_Answer):
    """Documents by job id."""

    jobs: dict[str, dict[str, Any]]


class DriftedView(_Answer):
    """One job that is not as declared."""

    id: str
    kind: DriftKind
    source: Source
    fields: list[FieldChangeView] = Field(description="from what is declared to what stands")
    changed_by: str | None
    changed_at: datetime | None


class DriftView(_Answer):
    """Where the timetable and the declarations differ."""

    drifted: list[DriftedView]
    total: int


class ReloadView(_Answer):
    """What a reload took up."""

    jobs: int
    restart_needed: list[str] = Field(description="settings that changed and wait for a restart")
