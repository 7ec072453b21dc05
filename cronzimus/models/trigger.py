"""When a job is due, as people write it: interval, cron, date or manual."""

import difflib
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from cronzimus.errors import Fault, Invalid
from cronzimus.models.cron import CronFields, can_fire, compile_fields, fill_fields, split_expression
from cronzimus.models.cron_dst import CronWalk, DstPolicy
from cronzimus.models.cron_field import KINDS, check_text, read_field, read_years
from cronzimus.models.cron_parts import CronPart, DatePart, IntervalPart, Part
from cronzimus.models.cron_zone import EPOCH, instant_of, known_zone

_DAY = 86_400
_LONGEST = 3650 * _DAY
_UNITS = {"weeks": 7 * _DAY, "days": _DAY, "hours": 3600, "minutes": 60, "seconds": 1}
_NAMES = ("interval", "cron", "date", "manual")


def _number(value: object, info: ValidationInfo) -> object:
    unit = _UNITS.get(info.field_name or "")
    most = _LONGEST // unit if unit else _DAY
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"must be a number, not {type(value).__name__}")
    if not math.isfinite(value) if isinstance(value, float) else False:
        raise ValueError("must be a finite number")
    if not 0 <= value <= most:
        raise ValueError(f"must be between 0 and {most}")
    return value


def _moment(value: object) -> object:
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time())
    if isinstance(value, datetime):
        return value
    if isinstance(value, str) and len(value) <= 64:
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass
    raise ValueError(
        "must be a date and time in ISO 8601, such as 2026-03-29T09:00:00 or 2026-03-29T09:00:00+02:00"
    )


Number = Annotated[int | float, BeforeValidator(_number), WithJsonSchema({"type": "number", "minimum": 0})]
Moment = Annotated[datetime, BeforeValidator(_moment)]
ZoneName = Annotated[
    str, AfterValidator(known_zone), Field(description="IANA time zone, such as Europe/Berlin")
]


def _not_before_start(end: datetime | None, info: ValidationInfo) -> datetime | None:
    start = info.data.get("start_date")
    zone = info.data.get("timezone") or "UTC"
    if end and start and (start.tzinfo is None) == (end.tzinfo is None):
        if instant_of(end, zone) < instant_of(start, zone):
            raise ValueError("end_date lies before start_date")
    return end


class _TriggerModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class IntervalTrigger(_TriggerModel):
    """Every so often, in absolute time: from `start_date` on, or in step with 1970-01-01T00:00Z."""

    type: Literal["interval"] = "interval"
    weeks: Number = 0
    days: Number = 0
    hours: Number = 0
    minutes: Number = 0
    seconds: Number = Field(default=0, validate_default=True)
    timezone: ZoneName | None = Field(default=None, description="zone of dates written without one")
    start_date: Moment | None = Field(
        default=None, description="first instant; the interval counts from here"
    )
    end_date: Moment | None = Field(default=None, description="last instant allowed")
    jitter: Number = Field(default=0, description="longest delay of a start, in seconds")

    _ordered = field_validator("end_date")(_not_before_start)

    @field_validator("seconds")
    @classmethod
    def _total_is_sound(cls, seconds: float, info: ValidationInfo) -> float:
        if _UNITS.keys() - info.data.keys() == {"seconds"}:
            total = _total({**info.data, "seconds": seconds})
            if total < 1:
                raise ValueError(f"the interval must last at least 1 second, this one lasts {total:g}")
            if total > _LONGEST:
                raise ValueError("the interval must last at most 10 years (3650 days)")
        return seconds

    @field_validator("jitter")
    @classmethod
    def _jitter_is_shorter(cls, jitter: float, info: ValidationInfo) -> float:
        if _UNITS.keys() <= info.data.keys() and jitter >= (total := _total(info.data)):
            raise ValueError(f"must be shorter than the interval of {total:g} seconds")
        return jitter

    @property
    def every(self) -> timedelta:
        """The length of one interval."""
        return timedelta(seconds=_total(self.__dict__))


def _total(units: Mapping[str, Any]) -> float:
    total: float = sum(units[unit] * length for unit, length in _UNITS.items())
    return total


class CronTrigger(_TriggerModel):
    """Cron text (`expression`), or its fields by name; weekdays are standard, 0 and 7 are Sunday."""

    type: Literal["cron"] = "cron"
    expression: str | None = Field(
        default=None, description="5 fields, 6 with seconds first, or @daily and the like"
    )
    second: str | int | None = None
    minute: str | int | None = None
    hour: str | int | None = None
    day: str | int | None = None
    month: str | int | None = None
    day_of_week: str | int | None = None
    week: str | int | None = Field(default=None, description="week of the year as ISO 8601 counts, 1-53")
    year: str | int | None = None
    timezone: ZoneName | None = Field(default=None, description="the job's zone if none is given")
    dst: DstPolicy | None = Field(default=None, description="what happens to missing and repeated wall times")
    start_date: Moment | None = Field(default=None, description="no firing before")
    end_date: Moment | None = Field(default=None, description="no firing after")
    jitter: Number = Field(default=0, description="longest delay of a start, in seconds")

    _ordered = field_validator("end_date")(_not_before_start)

    @field_validator("expression")
    @classmethod
    def _expression_reads(cls, expression: str | None) -> str | None:
        if expression is not None:
            for name, text in split_expression(expression)._asdict().items():
                _check_field(name, text)
        return expression

    @field_validator(*KINDS, mode="before")
    @classmethod
    def _field_reads(cls, value: object, info: ValidationInfo) -> object:
        if value is None:
            return None
        if info.data.get("expression") is not None:
            raise ValueError("give an expression or fields, not both")
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise ValueError(f"must be cron text or a whole number, not {type(value).__name__}")
        if isinstance(value, int) and not 0 <= value <= 9999:
            raise ValueError(f"this number is not allowed; {KINDS[str(info.field_name)].allowed}")
        _check_field(str(info.field_name), check_text(str(info.field_name), str(value)))
        return value

    @model_validator(mode="after")
    def _fires_at_all(self) -> Self:
        if self.expression is None and not self._given:
            raise ValueError(f"a cron trigger needs an expression or one of the fields {', '.join(KINDS)}")
        if not can_fire(self.fields):
            text = self.expression or ", ".join(f"{name}: {text}" for name, text in self._given.items())
            raise ValueError(
                f"{text!r} never fires: no day of the calendar has that day, month, week and year"
            )
        return self

    @property
    def _given(self) -> dict[str, str]:
        given = {name: getattr(self, name) for name in KINDS}
        return {name: str(value).strip().upper() for name, value in given.items() if value is not None}

    @property
    def fields(self) -> CronFields:
        """The text of every field, however the trigger was written."""
        return split_expression(self.expression) if self.expression is not None else fill_fields(self._given)


def _check_field(name: str, text: str) -> None:
    if name == "year":
        read_years(text)
    else:
        read_field(name, text, None)


class DateTrigger(_TriggerModel):
    """One instant; `misfire` says whether it still runs when it is already past."""

    type: Literal["date"] = "date"
    timezone: ZoneName | None = Field(default=None, description="zone of a run_date written without one")
    run_date: Moment
    misfire: Literal["skip", "run_once"] = "skip"


class ManualTrigger(_TriggerModel):
    """Never due: the job runs when someone or something starts it."""

    type: Literal["manual"] = "manual"


def _known_type(value: object) -> object:
    if not isinstance(value, Mapping):  # models pass; pydantic itself refuses the rest
        return value
    name = value.get("type")
    if name not in _NAMES:
        close = difflib.get_close_matches(name[:32], _NAMES, n=1) if isinstance(name, str) else []
        said = f"unknown trigger type {name[:32]!r}" if isinstance(name, str) else "a trigger needs a type"
        advice = f"did you mean {close[0]}? " if close else ""
        raise ValueError(f"{said}; {advice}types are {', '.join(_NAMES)}")
    return value


Trigger = Annotated[
    IntervalTrigger | CronTrigger | DateTrigger | ManualTrigger,
    Field(discriminator="type"),
    BeforeValidator(_known_type),
]


def compile_trigger(trigger: Trigger, *, job_id: str, timezone: str) -> Part | None:
    """The instants of one trigger of one job (`timezone` is the job's), or None for manual.

    Parts are shared: they hold the job id only where the trigger spreads by it.
    """
    if isinstance(trigger, ManualTrigger):
        return None
    salted = isinstance(trigger, CronTrigger) and trigger.fields.spread
    return _compile(trigger, trigger.timezone or timezone, job_id if salted else None)


@lru_cache(maxsize=16_384)
def _compile(trigger: IntervalTrigger | CronTrigger | DateTrigger, zone: str, salt: str | None) -> Part:
    if isinstance(trigger, DateTrigger):
        return DatePart(instant_of(trigger.run_date, zone), trigger.misfire == "run_once")
    start = None if trigger.start_date is None else instant_of(trigger.start_date, zone)
    end = None if trigger.end_date is None else instant_of(trigger.end_date, zone)
    if isinstance(trigger, IntervalTrigger):
        return IntervalPart(start or EPOCH, trigger.every, start, end, trigger.jitter)
    walk = CronWalk(compile_fields(trigger.fields, salt), known_zone(zone), trigger.dst)
    return CronPart(walk, start, end, trigger.jitter)


def refuse_if_never(triggers: Sequence[Trigger], now: datetime, *, job_id: str, timezone: str) -> None:
    """Raise Invalid (INVALID_TRIGGER) if the job asks for instants and none lies after `now`."""
    parts = [compile_trigger(trigger, job_id=job_id, timezone=timezone) for trigger in triggers]
    timed = [part for part in parts if part is not None]
    if not timed or any(_is_due_ever(part, now) for part in timed):
        return
    faults = [
        Fault(f"trigger.{place}.{field}" if len(triggers) > 1 else f"trigger.{field}", message)
        for place, part in enumerate(parts)
        if part is not None
        for field, message in [part.why_never(now)]
    ]
    raise Invalid(f"the job would never fire: {faults[0].message}", code="INVALID_TRIGGER", faults=faults)


def _is_due_ever(part: Part, now: datetime) -> bool:
    return part.next_after(now) is not None or (isinstance(part, DatePart) and part.late)
