"""What a rule of alerting says: when somebody is told, of which jobs, and through which channels."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    WithJsonSchema,
    field_validator,
    model_serializer,
    model_validator,
)

from cronzimus.models.firing import Reason
from cronzimus.models.slug import SLUG
from cronzimus.models.trigger import ZoneName
from cronzimus.utils.env import did_you_mean, duration

# A rule of a job's own document is called after both: `nightly.failure`.
RULE_ID: Final = r"^[a-z0-9][a-z0-9_-]{0,62}(\.[a-z0-9][a-z0-9_-]{0,62})?$"
_LONGEST: Final = 366 * 86_400
_CLOCK: Final = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")


class Severity(StrEnum):
    """How much it matters."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Condition(StrEnum):
    """What a rule waits for."""

    FAILURE = "failure"
    FIRST_FAILURE = "first_failure"
    FAILURES_IN_A_ROW = "failures_in_a_row"
    NOT_STARTED = "not_started"
    NOT_FINISHED = "not_finished"
    TOO_LONG = "too_long"
    QUEUE_OLDER_THAN = "queue_older_than"
    NO_LEADER = "no_leader"
    PAUSED_LONGER_THAN = "paused_longer_than"
    BROKEN = "broken"


_PLAIN: Final = frozenset({Condition.FAILURE, Condition.FIRST_FAILURE, Condition.BROKEN})


def _seconds(value: object) -> object:
    """Seconds, also written `5m`, `1h30m` or `PT5M`."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("must be a duration such as 90, 5m or 1h30m")
    seconds = duration(value) if isinstance(value, str) else float(value)
    if not 0 < seconds <= _LONGEST:
        raise ValueError("must be longer than nothing and at most a year")
    return seconds


def _clock(value: object) -> object:
    if not isinstance(value, str) or not _CLOCK.fullmatch(value):
        raise ValueError("must be a time of day such as 06:30")
    return value


Length = Annotated[
    float,
    BeforeValidator(_seconds),
    WithJsonSchema(
        {
            "anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string"}],
            "description": "seconds, or 5m",
        }
    ),
]
ClockTime = Annotated[
    str,
    BeforeValidator(_clock),
    WithJsonSchema({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}),
]
ChannelName = Annotated[str, StringConstraints(pattern=SLUG)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)

    @model_serializer(mode="wrap")
    def _without_nothing(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """What is not set is not written: a document shows what somebody said."""
        return {name: value for name, value in serialize(self).items() if value is not None}


class _Expectation(_Part):
    excepted: Annotated[tuple[Reason, ...], Field(max_length=20)] = Field(
        default=(),
        alias="except",
        description="instants the ledger refused for these reasons were not expected",
    )


class NotStarted(_Expectation):
    """No run began within this time after an instant that was due."""

    within: Length


class NotFinished(_Expectation):
    """No run succeeded: within a time after the due instant, or by a time of day."""

    within: Length | None = None
    by: ClockTime | None = Field(default=None, description="a time of day in the job's zone")
    timezone: ZoneName | None = Field(default=None, description="another zone for `by`")

    @model_validator(mode="after")
    def _one_limit(self) -> "NotFinished":
        if (self.within is None) == (self.by is None):
            raise ValueError("give either within or by")
        if self.timezone is not None and self.by is None:
            raise ValueError("a timezone belongs to by")
        return self


class TooLong(_Part):
    """A run that goes on for longer than a fixed time, or than the job's runs usually take."""

    seconds: Length | None = None
    p95_times: float | None = Field(
        default=None, ge=1, le=1000, description="times the 95th percentile of the last runs that succeeded"
    )
    over: int = Field(default=50, ge=10, le=500, strict=True, description="how many runs p95 is learned from")
    at_least: Length = Field(default=10.0, validate_default=True, description="never sooner than this")

    @model_validator(mode="after")
    def _one_limit(self) -> "TooLong":
        if (self.seconds is None) == (self.p95_times is None):
            raise ValueError("give either seconds or p95_times")
        return self


class When(_Part):
    """Exactly one condition; those without details may be written as a word."""

    failure: bool | None = Field(default=None, description="each run that fails")
    first_failure: bool | None = Field(default=None, description="the first failure after a success")
    failures_in_a_row: int | None = Field(default=None, ge=2, le=100, strict=True)
    not_started: NotStarted | None = None
    not_finished: NotFinished | None = None
    too_long: TooLong | None = None
    queue_older_than: Length | None = None
    no_leader: Length | None = None
    paused_longer_than: Length | None = None
    broken: bool | None = Field(default=None, description="a definition that cannot be loaded")

    @model_validator(mode="before")
    @classmethod
    def _read_word(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        if given not in _PLAIN:
            hint = did_you_mean(given, [*Condition])
            raise ValueError(f"as a word it must be one of {', '.join(sorted(_PLAIN))}{hint}")
        return {given: True}

    @model_validator(mode="after")
    def _exactly_one(self) -> "When":
        given = self.given()
        if len(given) != 1:
            raise ValueError(f"give exactly one of {', '.join(Condition)}")
        if given[0] in _PLAIN and getattr(self, given[0]) is not True:
            raise ValueError(f"{given[0]} can only be true; leave it out, or set enabled: false")
        return self

    def given(self) -> list[str]:
        """The conditions that are set."""
        return [str(name) for name in Condition if getattr(self, name) is not None]

    @property
    def condition(self) -> Condition:
        """The one that is set."""
        return Condition(self.given()[0])


class Scope(_Part):
    """The jobs a rule watches: one, those with a tag, or all."""

    job: Annotated[str, StringConstraints(pattern=SLUG)] | None = None
    tag: Annotated[str, StringConstraints(min_length=1, max_length=63)] | None = None
    everything: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_word(cls, given: object) -> object:
        if isinstance(given, str) and given != "everything":
            raise ValueError("as a word it can only be everything; else write {job: …} or {tag: …}")
        return {"everything": True} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _exactly_one(self) -> "Scope":
        if (self.job is not None) + (self.tag is not None) + (self.everything is True) != 1:
            raise ValueError("give exactly one of job, tag and everything")
        return self


class _Rule(_Part):
    description: Annotated[str, StringConstraints(max_length=2000)] = ""
    when: When
    channels: Annotated[tuple[ChannelName, ...], Field(max_length=20)] = Field(
        default=(), description="where it is told; everywhere when empty"
    )
    severity: Severity = Severity.WARNING
    remind_every: Length | None = Field(
        default=None, description="told again while it lasts and nobody acknowledged"
    )
    tell_recovery: bool = Field(default=True, strict=True, description="tell when it is over")
    enabled: bool = Field(default=True, strict=True)

    def document(self) -> dict[str, Any]:
        """The rule as plain JSON data."""
        return self.model_dump(mode="json", by_alias=True)


class JobRule(_Rule):
    """A rule in a job's own document: it watches that job."""

    name: Annotated[str, StringConstraints(pattern=SLUG)] | None = Field(
        default=None, description="the condition's name when there is no other"
    )

    @field_validator("when")
    @classmethod
    def _of_a_job(cls, when: When) -> When:
        if when.condition in (Condition.NO_LEADER, Condition.QUEUE_OLDER_THAN):
            raise ValueError(f"{when.condition} is not about one job; make it a rule of the installation")
        return when

    @property
    def own_name(self) -> str:
        """What the rule is called within its job."""
        return self.name or str(self.when.condition)


class Rule(_Rule):
    """A rule of the installation; REST, the settings and the command line speak it."""

    id: Annotated[str, StringConstraints(pattern=RULE_ID)]
    scope: Scope = Field(default=Scope(everything=True), alias="for")

    @model_validator(mode="after")
    def _scope_suits(self) -> "Rule":
        if self.when.condition is Condition.NO_LEADER and not self.scope.everything:
            raise ValueError("no_leader is about the installation: for must be everything")
        return self

    def columns(self) -> dict[str, Any]:
        """What the database judges by."""
        when = self.when
        late = when.not_started or when.not_finished
        long = when.too_long
        return {
            "condition": str(when.condition),
            "job_id": self.scope.job,
            "tag": self.scope.tag,
            "seconds": _limit_of(when),
            "count": when.failures_in_a_row or (long.over if long and long.p95_times else None),
            "factor": long.p95_times if long else None,
            "excepted": [str(reason) for reason in late.excepted] if late else [],
            "enabled": self.enabled,
        }


def rule_of_job(job_id: str, rule: JobRule) -> Rule:
    """The rule a job's document holds, as a rule of the installation."""
    given: Mapping[str, Any] = rule.model_dump(by_alias=True, exclude={"name"})
    return Rule.model_validate({**given, "id": f"{job_id}.{rule.own_name}", "for": {"job": job_id}})


def _limit_of(when: When) -> float | None:
    if when.too_long is not None:
        return when.too_long.seconds or when.too_long.at_least
    if late := when.not_started or when.not_finished:
        return late.within
    return when.queue_older_than or when.no_leader or when.paused_longer_than
