"""What the routes accept in path, query and body."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Final
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    JsonValue,
    RootModel,
    StringConstraints,
    WithJsonSchema,
)
from pydantic.json_schema import DEFAULT_REF_TEMPLATE

from cronzimus.api.support import Body, Query, required_body
from cronzimus.errors import NotFound
from cronzimus.models.faults import shown
from cronzimus.models.firing import Decision, Reason
from cronzimus.models.job import SLUG, JobDefinition, JobStatus, Source
from cronzimus.models.kinds import PARAMS, Kind
from cronzimus.models.run import Cause, RunState

RUN_ID: Final = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
_TRIGGERS: Final = ("IntervalTrigger", "CronTrigger", "DateTrigger", "ManualTrigger")
_LOST_PLUS: Final = re.compile(r"(?<=\d) (?=\d\d:?\d\d$)")


def whole_number(value: object) -> object:
    """Digits and nothing else."""
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{1,18}", value):
        raise ValueError(f"must be a whole number, got {shown(value)}")
    return value


def truth(value: object) -> object:
    """`true` or `false`, in the ways a query says it."""
    if isinstance(value, str):
        said = {"true": True, "1": True, "false": False, "0": False}.get(value.lower())
        if said is None:
            raise ValueError(f"must be true or false, got {shown(value)}")
        return said
    return value


def _instant(value: object) -> object:
    """ISO 8601, UTC when no offset is given; a `+` that the URL turned into a space is understood."""
    if value is None or isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise ValueError(f"must be an ISO 8601 time in a text, got {shown(value)}")
    try:
        found = datetime.fromisoformat(_LOST_PLUS.sub("+", value))
    except ValueError:
        raise ValueError(
            f"must be an ISO 8601 time such as 2026-01-31T02:00:00Z, got {shown(value)}"
        ) from None
    if found.tzinfo is None:
        return found.replace(tzinfo=UTC)
    try:
        return found.astimezone(UTC)
    except OverflowError:
        return (datetime.min if found.year == 1 else datetime.max).replace(tzinfo=UTC)


def _job_id(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch(SLUG, value):
        raise NotFound(f"no job is called {shown(value)}", code="JOB_NOT_FOUND")
    return value


def _run_id(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch(RUN_ID, value):
        raise NotFound(f"no run has the id {shown(value)}; run ids are UUIDs", code="RUN_NOT_FOUND")
    return value


Limit = Annotated[int, Field(ge=1, le=200, description="items on one page"), BeforeValidator(whole_number)]
Offset = Annotated[
    int, Field(ge=0, le=1_000_000, description="items to pass over"), BeforeValidator(whole_number)
]
Instant = Annotated[datetime, BeforeValidator(_instant)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


class JobPath(BaseModel):
    """A job in the path; a name no job can have is simply not found."""

    job_id: Annotated[str, BeforeValidator(_job_id), WithJsonSchema({"type": "string", "pattern": SLUG})]


class RunPath(BaseModel):
    """A run in the path."""

    run_id: Annotated[UUID, BeforeValidator(_run_id)]


class PageQuery(Query):
    """Which part of a long list."""

    limit: Limit = 50
    offset: Offset = 0


class JobQuery(PageQuery):
    """Which jobs."""

    status: JobStatus | None = None
    kind: Kind | None = None
    tag: Text | None = None
    source: Source | None = None
    q: Text | None = Field(default=None, description="text that id or description holds")


class JobRunQuery(PageQuery):
    """Which runs of one job."""

    state: RunState | None = None
    status: RunState | None = Field(default=None, description="the same as state")
    cause: Cause | None = None
    trigger: Cause | None = Field(default=None, description="the same as cause")
    worker_id: Text | None = None
    since: Instant | None = Field(default=None, description="from this instant on")
    until: Instant | None = Field(default=None, description="before this instant")

    @property
    def is_contradiction(self) -> bool:
        """Whether the two names of a filter ask for different things, which no run can be."""
        return len({self.state, self.status} - {None}) > 1 or len({self.cause, self.trigger} - {None}) > 1

    def filters(self) -> dict[str, Any]:
        """What `History.runs` takes."""
        kept = ("worker_id", "since", "until", "limit", "offset")
        own = {"state": self.state or self.status, "cause": self.cause or self.trigger}
        return {**own, **{name: getattr(self, name) for name in kept}}


class RunQuery(JobRunQuery):
    """Which runs."""

    job_id: Text | None = None
    kind: Kind | None = None

    def filters(self) -> dict[str, Any]:
        """What `History.runs` takes."""
        return {**super().filters(), "job_id": self.job_id, "kind": self.kind}


class FiringQuery(PageQuery):
    """Which rows of the ledger."""

    job_id: Text | None = None
    decision: Decision | None = None
    reason: Reason | None = None
    since: Instant | None = Field(default=None, description="due from this instant on")
    until: Instant | None = Field(default=None, description="due before this instant")


class AuditQuery(PageQuery):
    """Which events of the record."""

    actor: Text | None = Field(default=None, description="done by this token, person or part of the service")
    action: Text | None = Field(default=None, description="job.pause; job finds everything done to jobs")
    target: Text | None = Field(default=None, description="job/nightly; job finds every job")
    since: Instant | None = Field(default=None, description="from this instant on")
    until: Instant | None = Field(default=None, description="before this instant")


class NextQuery(Query):
    """How far to look ahead."""

    next: Annotated[
        int, Field(ge=0, le=50, description="due instants to show"), BeforeValidator(whole_number)
    ] = 5


class WhyQuery(Query):
    """The moment in question."""

    at: Instant | None = Field(default=None, description="an instant; now when absent")


class RunBody(Body):
    """How to run a job by hand."""

    model_config = {"openapi_extra": {"required": False}}  # type: ignore[typeddict-unknown-key]
    may_be_absent: ClassVar[bool] = True

    params: dict[str, JsonValue] | None = Field(
        default=None, description="replace parameters for this run only"
    )
    texts: dict[str, str] | None = Field(
        default=None, description="parameters as a person writes them, typed by the job's schema"
    )
    as_of: Instant | None = Field(default=None, description="the moment the run is for, instead of now")
    force: bool = Field(default=False, strict=True, description="run although the job is paused")


class JobDocument(RootModel[dict[str, Any]]):
    """A job's document, handed on unread: the factory validates it, as for every other door."""

    @classmethod
    def model_json_schema(cls, *args: Any, **options: Any) -> dict[str, Any]:
        """The schema of what the factory accepts, with what the model checks by code: types and params."""
        schema = JobDefinition.model_json_schema(*args, **options)
        for model in PARAMS.values():
            params = model.model_json_schema(*args, **options)
            for field in params["properties"].values():
                field.pop("maxItems", None)  # a list that reached it would not fit in a body
            schema["$defs"] |= {**params.pop("$defs", {}), model.__name__: params}
        for name in _TRIGGERS:
            schema["$defs"][name]["required"] = sorted({*schema["$defs"][name].get("required", ()), "type"})
        template = options.get("ref_template", DEFAULT_REF_TEMPLATE)
        kinds = [{"$ref": template.format(model=model.__name__)} for model in PARAMS.values()]
        schema["properties"]["params"] = {"anyOf": kinds, "description": "what the kind needs"}
        return schema

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> "JobDocument":
        """Take any object."""
        return cls.model_construct(root=required_body(obj))


class JobPatch(JobDocument):
    """Changes to a document, as a JSON merge patch."""

    @classmethod
    def model_json_schema(cls, *args: Any, **options: Any) -> dict[str, Any]:
        """Every field of the document, none required, null standing for the default."""
        schema = super().model_json_schema(*args, **options)
        properties = {name: _patched(name, field) for name, field in schema["properties"].items()}
        about = {
            "title": cls.__name__,
            "description": "Changes to a job's document (RFC 7396); null removes.",
        }
        return {**schema, **about, "properties": properties, "required": []}


class LegacyDocument(RootModel[dict[str, Any]]):
    """A job in Flask-APScheduler's shape."""

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> "LegacyDocument":
        """Take any object."""
        return cls.model_construct(root=required_body(obj))


def _patched(name: str, field: dict[str, Any]) -> dict[str, Any]:
    if name in ("params", "policy"):
        return {"anyOf": [{"type": "object"}, {"type": "null"}]}
    if name == "trigger":
        return {"anyOf": [{"type": "object"}, {"type": "array"}]}
    return field if name == "id" else {"anyOf": [field, {"type": "null"}]}
