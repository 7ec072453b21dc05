"""The shapes of the answers, for the API document; the views build plain data of these shapes by hand."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, JsonValue

from cronzimus.api.answers import Answer, AnswerPage
from cronzimus.api.run_models import RunView
from cronzimus.models.actor import Door
from cronzimus.models.firing import Decision, Reason
from cronzimus.models.job import JobStatus, Source
from cronzimus.models.log_line import Stream


class FaultView(Answer):
    """One thing wrong with one field."""

    field: str = Field(description="dotted path, such as trigger.seconds")
    message: str


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(description="UPPER_SNAKE, for machines")
    errors: list[FaultView]
    request_id: str
    error_message: str | None = Field(default=None, description="only on the /scheduler routes")


class Running(Answer):
    """The process answers."""

    status: Literal["running"]


class ReadinessView(Answer):
    """Whether this process should get requests."""

    status: Literal["ok", "degraded", "draining", "unavailable"]


class HealthView(ReadinessView):
    """How this process and what it depends on are."""

    version: str
    components: dict[str, JsonValue]


class JobView(Answer):
    """A job: the fields of its document, and where it stands."""

    id: str
    kind: str
    parameters: dict[str, Any] | None = Field(description="JSON Schema of what may be given for one run")
    templates: bool
    params: dict[str, Any]
    trigger: dict[str, Any] | list[dict[str, Any]]
    timezone: str
    policy: dict[str, Any]
    runs_on: str
    queue: str
    priority: int
    tags: list[str]
    description: str
    calendar: dict[str, Any] | None
    business_day: str
    blackouts: list[dict[str, Any]]
    alerts: list[dict[str, Any]] = Field(description="its own rules of alerts")
    placement: dict[str, Any] = Field(description="which workers may take its runs")
    depends_on: list[dict[str, Any]] = Field(description="jobs that go before it in the same cycle")
    limits: dict[str, Any] = Field(description="what its runs take of what is limited")
    status: JobStatus
    status_reason: str | None = Field(description="why a job is broken or finished, when it is")
    source: Source
    version: int
    next_run_time: datetime | None
    created_at: datetime
    updated_at: datetime


class NextFiring(Answer):
    """A due instant to come."""

    due_at: datetime
    local: str = Field(description="the same instant on the wall clock of the trigger's zone")
    dst: str | None = Field(description="set when the clock change moved or repeated this instant")
    fires: bool = Field(
        description="false on a day off, in a blackout that skips, and before the last of a hold"
    )
    reason: Reason | None = Field(description="why it does not fire: calendar or blackout")
    notes: list[str] = Field(description="what time off and changed clocks have to do with it")


class JobDetails(JobView):
    """One job with its next due instants."""

    definition: dict[str, Any] = Field(description="the document, as PUT takes it")
    next: list[NextFiring]


class FiringView(Answer):
    """What became of one due instant, or of a stretch of them."""

    job_id: str
    due_at: datetime
    first_due_at: datetime
    instants: int
    decision: Decision
    reason: Reason | None
    run_id: UUID | None
    epoch: int
    decided_by: str
    decided_at: datetime
    job_version: int
    note: str | None = Field(description="the day off or blackout, and where the instant moved to or from")


class VersionView(Answer):
    """One definition a job had."""

    job_id: str
    version: int
    definition: dict[str, Any] | None = Field(description="null where the job was deleted")
    operation: str
    changed_by: str
    changed_at: datetime


class AuditView(Answer):
    """Who did what, when, from where, and what it changed."""

    id: int
    at: datetime
    actor: str
    door: Door
    address: str | None
    request_id: str | None
    action: str
    target: str
    before: JsonValue
    after: JsonValue


class WhyView(Answer):
    """Why a job ran, or did not, at a moment."""

    job_id: str
    at: datetime
    due_at: datetime | None
    sentence: str
    decision: Decision | None
    reason: Reason | None
    firing: FiringView | None
    run: RunView | None


class JobPage(AnswerPage):
    """Jobs by id."""

    items: list[JobView]


class LineView(Answer):
    """One line that a run printed or logged."""

    seq: int = Field(description="grows with every line; says where to go on")
    run_id: UUID
    job_id: str
    attempt: int
    at: datetime
    stream: Stream = Field(description="system is what the house says about the run")
    level: str | None = Field(description="null for what was printed")
    logger: str | None
    line: str


class LogPage(Answer):
    """Lines of one run, first to last."""

    items: list[LineView]
    more: bool = Field(description="whether there are more on the side that was asked for")


class LogSearch(Answer):
    """Lines of any run, latest first."""

    items: list[LineView]
    next: str | None = Field(description="give it as before to go on; null when all was searched")


class FiringPage(AnswerPage):
    """Firings, latest first."""

    items: list[FiringView]


class VersionPage(AnswerPage):
    """Versions of one job, oldest first."""

    items: list[VersionView]


class AuditPage(AnswerPage):
    """Events of the record, latest first."""

    items: list[AuditView]


class SchedulerInfo(Answer):
    """Flask-APScheduler's description of itself."""

    current_host: str
    allowed_hosts: list[str]
    running: bool


class LegacyJob(BaseModel):
    """A job in Flask-APScheduler's shape; the fields of its trigger lie beside the others."""

    id: str
    name: str
    func: str
    args: list[Any]
    kwargs: dict[str, Any]
    trigger: str
    misfire_grace_time: float | None
    max_instances: int
    next_run_time: datetime | None
