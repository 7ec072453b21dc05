"""What a job is: the document people write, and the row it becomes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Final, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from cronzimus.models.alert_rule import JobRule
from cronzimus.models.blackout import Blackout
from cronzimus.models.calendar import CalendarUse, DaysOff, On, Shift
from cronzimus.models.dependency import Dependency, DependsOn, held_by
from cronzimus.models.kinds import PARAMS, Kind, call_of, function_of
from cronzimus.models.limits import Limits
from cronzimus.models.placement import Placement, Spread
from cronzimus.models.policy import Policy
from cronzimus.models.schedule import Schedule, compile_schedule
from cronzimus.models.schema_bounds import check_schema
from cronzimus.models.slug import SLUG as SLUG
from cronzimus.models.templating import without_templates
from cronzimus.models.time_off import Observance, WorkingSchedule
from cronzimus.models.trigger import Trigger, ZoneName

JobId = Annotated[str, StringConstraints(pattern=SLUG)]
# Words that follow /jobs/ in the addresses of the service.
RESERVED_IDS = frozenset({"batch", "new", "preview"})
Tag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,62}$")]


class RunsOn(StrEnum):
    """Where the runs of a job execute."""

    SCHEDULER = "scheduler"
    WORKERS = "workers"


class JobStatus(StrEnum):
    """`broken` is set by the system: the definition cannot be loaded; it is kept, shown and counted."""

    ACTIVE = "active"
    PAUSED = "paused"
    FINISHED = "finished"
    BROKEN = "broken"


class Source(StrEnum):
    """Which door a definition came through; a row written by the API wins over a file, a file over code."""

    CODE = "code"
    FILE = "file"
    API = "api"


class JobDefinition(BaseModel):
    """The document that defines a job; REST, jobs.yaml, the CLI and `JobFactory` all speak it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    id: JobId = Field(description="a slug, unique in the house")
    kind: Kind = Field(default=Kind.FUNCTION, description="what the job does")
    parameters: dict[str, Any] | None = Field(
        default=None, description="JSON Schema (2020-12) of what may be given for one run"
    )
    templates: bool = Field(
        default=False, strict=True, description="whether the texts in params are templates"
    )
    params: dict[str, Any] = Field(
        default_factory=dict, validate_default=True, description="what the kind needs"
    )
    trigger: Trigger | Annotated[tuple[Trigger, ...], Field(min_length=1, max_length=20)]
    timezone: ZoneName = Field(default="UTC", description="zone of every trigger that names none")
    calendar: CalendarUse | None = Field(default=None, description="the calendar it keeps to")
    business_day: Shift = Field(
        default=Shift.SKIP, description="where an instant on a day off moves to: nowhere, next, previous"
    )
    blackouts: Annotated[tuple[Blackout, ...], Field(max_length=20)] = Field(
        default=(), description="windows in which it does not fire"
    )
    policy: Policy = Field(default_factory=Policy)
    runs_on: RunsOn = Field(default=RunsOn.SCHEDULER)
    placement: Placement = Field(default_factory=Placement, description="which workers may take its runs")
    depends_on: Annotated[tuple[DependsOn, ...], Field(max_length=100)] = Field(
        default=(), description="jobs whose runs of the same cycle must have ended before"
    )
    limits: Limits = Field(default_factory=Limits, description="what its runs take of what is limited")
    queue: Annotated[str, StringConstraints(pattern=SLUG)] = "default"
    priority: int = Field(default=0, ge=-100, le=100, strict=True, description="higher goes first")
    tags: Annotated[tuple[Tag, ...], Field(max_length=20)] = ()
    description: Annotated[str, StringConstraints(max_length=2000)] = ""
    alerts: Annotated[tuple[JobRule, ...], Field(max_length=20)] = Field(
        default=(), description="when somebody is told of this job"
    )

    _days: DaysOff | None = PrivateAttr(default=None)

    @field_validator("id")
    @classmethod
    def _id_is_no_address(cls, job_id: str) -> str:
        if job_id in RESERVED_IDS:
            raise ValueError(f"{job_id!r} is an address of the service; use another id")
        return job_id

    @field_validator("business_day")
    @classmethod
    def _shift_has_days(cls, shift: Shift, info: ValidationInfo) -> Shift:
        if shift is not Shift.SKIP and info.data.get("calendar", ...) is None:
            raise ValueError("needs a calendar that says which days are off")
        triggers = info.data.get("trigger", ())
        for trigger in triggers if isinstance(triggers, tuple) else (triggers,):
            if shift is not Shift.SKIP and trigger.type == "interval":
                raise ValueError("an interval has no time of day to keep; use cron or date triggers, or skip")
        return shift

    @field_validator("parameters")
    @classmethod
    def _parameters_are_a_schema(cls, schema: dict[str, Any] | None) -> dict[str, Any] | None:
        if schema is not None:
            check_schema(schema)
        return schema

    @field_validator("params")
    @classmethod
    def _params_suit_the_kind(cls, params: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        kind = info.data.get("kind")
        if kind is not None:
            PARAMS[kind].model_validate(without_templates(params) if info.data.get("templates") else params)
        return params

    @field_validator("placement")
    @classmethod
    def _workers_are_chosen_for_workers(cls, placement: Placement, info: ValidationInfo) -> Placement:
        if placement != Placement() and info.data.get("runs_on") is not RunsOn.WORKERS:
            raise ValueError("chooses among workers: it needs runs_on: workers")
        return placement

    @field_validator("depends_on")
    @classmethod
    def _depends_on_others_once(
        cls, wanted: tuple[Dependency, ...], info: ValidationInfo
    ) -> tuple[Dependency, ...]:
        names = [dependency.job for dependency in wanted]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"{min(twice)!r} is named twice")
        return wanted

    @field_validator("alerts")
    @classmethod
    def _names_once(cls, alerts: tuple[JobRule, ...]) -> tuple[JobRule, ...]:
        names = [rule.own_name for rule in alerts]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two rules are called {min(twice)!r}; give one of them another name")
        return alerts

    @property
    def triggers(self) -> tuple[Trigger, ...]:
        """The triggers as a tuple, however many were written."""
        return self.trigger if isinstance(self.trigger, tuple) else (self.trigger,)

    @property
    def for_workers(self) -> bool:
        """Whether its runs go to workers, not to the pool beside the scheduler."""
        return self.runs_on is RunsOn.WORKERS

    @property
    def gated(self) -> bool:
        """Whether its runs wait for the dispatcher; all others start as soon as the scheduler has a free place."""
        return self.for_workers or self.limits.any or self.held_by is not None

    @property
    def timed(self) -> bool:
        """Whether it has due instants of its own; without any it runs by hand, or when its dependencies have ended."""
        return any(trigger.type != "manual" for trigger in self.triggers)

    @property
    def held_by(self) -> str | None:
        """What a run that has just come due waits for."""
        return held_by(self.depends_on[0].job) if self.timed and self.depends_on else None

    @property
    def max_running(self) -> int | None:
        """How many of its runs may execute at one time; the parts of one firing do not wait for each other."""
        return self.policy.max_running if self.placement.spread is Spread.ONE else None

    @property
    def function(self) -> str:
        """Import path of the function that carries the job out."""
        return function_of(self.kind, self.params)

    @property
    def call(self) -> tuple[list[Any], dict[str, Any]]:
        """Positional and keyword arguments of the function."""
        return call_of(self.kind, self.params)

    @cached_property
    def schedule(self) -> Schedule:
        """The due instants of all triggers together, and what the days off make of them."""
        written = compile_schedule(self.triggers, job_id=self.id, timezone=self.timezone)
        if self.calendar is None or self._days is None:
            return written
        zone = self._days.timezone or self.zone
        observance = Observance(self._days, zone, self.calendar.on is On.ONLY)
        return WorkingSchedule(written.job_id, written.parts, observance, self.business_day)

    @property
    def zone(self) -> str:
        """The triggers' own zone when they share one, else the job's."""
        own = {getattr(trigger, "timezone", None) for trigger in self.triggers}
        return (own.pop() if len(own) == 1 else None) or self.timezone

    def observing(self, days: DaysOff) -> Self:
        """The same definition with the days off that its calendar comes to."""
        copy = self.model_copy()
        copy.__dict__.pop("schedule", None)
        copy._days = days
        return copy

    def document(self) -> dict[str, Any]:
        """The definition as plain JSON data, defaults included, but for those of fields that came later."""
        unused = {name for name in _LATER if getattr(self, name) == _default_of(name)}
        return self.model_dump(mode="json", by_alias=True, exclude=unused)


# An older version beside this one refuses fields it does not know, and rightly so where they say something. While
# they say nothing they are left out of what is stored, so that it reads what it wrote itself (ADR 32).
_LATER: Final = ("placement", "depends_on", "limits")


def _default_of(name: str) -> Any:
    return JobDefinition.model_fields[name].get_default(call_default_factory=True)


@dataclass(frozen=True, slots=True)
class Job:
    """One row of `jobs`: a definition and where it stands."""

    id: str
    definition: dict[str, Any]
    status: JobStatus
    status_reason: str | None
    source: Source
    version: int
    next_due_at: datetime | None
    created_at: datetime
    updated_at: datetime
