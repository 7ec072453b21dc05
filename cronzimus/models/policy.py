"""How a job behaves when time, load or failure get in the way: one block for every kind of job."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, model_validator


class CatchUp(StrEnum):
    """Which of the due instants missed during an outage still run."""

    NONE = "none"
    LATEST = "latest"
    ALL = "all"


class Overlap(StrEnum):
    """What a firing does while `max_instances` runs of the same job are not finished."""

    ALLOW = "allow"
    SKIP = "skip"
    QUEUE = "queue"
    REPLACE = "replace"


class Isolation(StrEnum):
    """Where the task function runs: fast in a thread, or in a process that can really be killed."""

    THREAD = "thread"
    PROCESS = "process"


class Policy(BaseModel):
    """Retries, misfires, overlap and isolation; every duration is in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    max_attempts: int = Field(
        default=1, ge=1, le=1000, strict=True, description="total tries, the first included"
    )
    backoff: float = Field(
        default=1.0, ge=0, le=86_400, strict=True, description="seconds before the second try"
    )
    backoff_multiplier: float = Field(
        default=2.0, ge=1, le=100, strict=True, description="growth per further try"
    )
    backoff_cap: float = Field(
        default=300.0, ge=0, le=604_800, strict=True, description="longest wait in seconds"
    )
    jitter: float = Field(
        default=0.0, ge=0, le=1, strict=True, description="share of the wait added at random"
    )
    timeout: float | None = Field(
        default=None, gt=0, le=31_536_000, strict=True, description="seconds one try may take"
    )
    retry_on: tuple[str, ...] = Field(
        default=(), max_length=50, description="only these exception names retry"
    )
    give_up_on: tuple[str, ...] = Field(
        default=(), max_length=50, description="these exception names never retry"
    )
    misfire_grace: float = Field(
        default=300.0,
        ge=0,
        le=31_536_000,
        strict=True,
        description="how late in seconds a firing may still start",
    )
    catch_up: CatchUp = Field(
        default=CatchUp.LATEST, description="which missed instants within the grace still run"
    )
    catch_up_cap: int = Field(
        default=100,
        ge=1,
        le=1000,
        strict=True,
        description="missed instants that get a row each; more share one",
    )
    overlap: Overlap = Field(default=Overlap.SKIP, description="what to do while earlier runs are unfinished")
    max_instances: int = Field(
        default=1, ge=1, le=1000, strict=True, description="runs of this job at one time"
    )
    max_queued: int = Field(
        default=16, ge=1, le=10_000, strict=True, description="waiting runs under overlap=queue"
    )
    isolation: Isolation = Field(
        default=Isolation.THREAD, description="thread, or a process that can be killed"
    )
    memory_limit_mb: int | None = Field(
        default=None,
        ge=64,
        le=1_048_576,
        strict=True,
        description="MiB the process may map beyond what its interpreter has at start",
    )

    @model_validator(mode="before")
    @classmethod
    def _read_max_retries(cls, data: object) -> object:
        """Accept `max_retries: n`, which others use for `max_attempts: n + 1`."""
        if not isinstance(data, dict) or "max_retries" not in data:
            return data
        if "max_attempts" in data:
            raise ValueError("give max_attempts or max_retries, not both")
        retries = data["max_retries"]
        if not isinstance(retries, int) or isinstance(retries, bool):
            raise ValueError("max_retries must be a whole number")
        return {k: v for k, v in data.items() if k != "max_retries"} | {"max_attempts": retries + 1}

    @model_validator(mode="after")
    def _limit_needs_a_process(self) -> "Policy":
        if self.memory_limit_mb is not None and self.isolation is not Isolation.PROCESS:
            raise ValueError("memory_limit_mb needs isolation: process (a thread has no memory of its own)")
        return self

    @property
    def max_running(self) -> int | None:
        """How many runs of the job may execute at one time; None is no bound."""
        return None if self.overlap is Overlap.ALLOW else self.max_instances
