"""What a job waits for: the runs of other jobs in the same cycle."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from cronzimus.models.hold import JOB
from cronzimus.models.slug import SLUG

_HELD = f"{JOB}:"


class When(StrEnum):
    """How the other job's run must have ended."""

    SUCCESS = "success"
    FAILURE = "failure"
    ALWAYS = "always"


class Dependency(BaseModel):
    """One job that must have run before."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    job: Annotated[str, StringConstraints(pattern=SLUG)] = Field(description="the job that goes before")
    when: When = Field(
        default=When.SUCCESS, description="how its run must have ended: success, failure, always"
    )


def _written_short(value: Any) -> Any:
    return {"job": value} if isinstance(value, str) else value


DependsOn = Annotated[Dependency, BeforeValidator(_written_short)]


def name_of_input(job_id: str) -> str:
    """What templates call the result of a job: its id, with underscores where a name cannot have dashes."""
    return job_id.replace("-", "_")


def held_by(job_id: str) -> str:
    """What is written on a run that waits for a job."""
    return f"{_HELD}{job_id}"


def awaited_job(held: str | None) -> str | None:
    """The job a run waits for; None when it waits for nothing, or for something else."""
    return held.removeprefix(_HELD) if held is not None and held.startswith(_HELD) else None
