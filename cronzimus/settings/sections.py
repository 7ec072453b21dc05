"""The sections of the settings tree; descriptions feed the documentation, defaults are development's."""

from typing import Literal, Self

from pydantic import Field, model_validator

from cronzimus.settings.access import AuthSettings
from cronzimus.settings.types import (
    Address,
    Count,
    DatabaseUrl,
    Labels,
    Level,
    Seconds,
    Section,
    TextOrCount,
    Zone,
)

_BEATS_MISSED = 5


class AppSettings(Section):
    """How this installation calls itself."""

    name: str = Field(default="Cronzimus", description="Name shown in pages, the API document and alerts.")
    description: str = Field(
        default="Cron service on PostgreSQL", description="One line shown below the name."
    )
    public_url: str | None = Field(
        default=None,
        pattern="^https?://",
        description="Where people reach this service, such as https://cron.example.org; for links in messages.",
    )


class ServerSettings(Section):
    """Where and how HTTP is served."""

    host: str = Field(default="127.0.0.1", description="Address to listen on; 0.0.0.0 outside development.")
    port: int = Field(
        default=5000, ge=0, le=65535, description="TCP port, 1 to 65535; 0 takes any free port."
    )
    threads: Count = Field(default=32, description="Request threads of one process.")
    streams: Count = Field(
        default=256, description="Live streams of one process, each on a thread of its own beside the others."
    )
    workers: Count = Field(default=1, description="Processes under gunicorn.")
    trusted_proxies: int = Field(
        default=0, ge=0, le=10, description="Proxies in front whose X-Forwarded-For and -Proto are believed."
    )


class ApiSettings(Section):
    """The REST interface."""

    bind_address: Address = Field(
        default=None,
        description="host:port; when set it wins over server.host and server.port.",
    )
    cors_enabled: bool = Field(default=False, description="Answer cross-origin requests from cors_origins.")
    cors_origins: tuple[str, ...] = Field(
        default=(), description="Origins allowed by CORS, such as https://ops.example.org."
    )
    request_timeout_seconds: Seconds = Field(
        default=30, description="A request that takes longer is given up."
    )
    max_request_size_mb: float = Field(
        default=10, gt=0, le=1024, description="Larger request bodies get 413."
    )
    docs_url: str = Field(default="/docs", pattern="^/", description="Where the offline API page is served.")
    auth: AuthSettings = Field(default=AuthSettings(), description="Who may call the API.")


class LoggingSettings(Section):
    """What is logged, how and where to."""

    level: Level = Field(
        default="INFO", description="Lines below this level are dropped; LOG_LEVEL sets it too."
    )
    format: Literal["text", "json"] = Field(
        default="text", description="text for people, json for one flat object a line."
    )
    file: str | None = Field(
        default=None, description="Also write to this file; the standard error stream is always written."
    )
    rotation: str | None = Field(
        default="512 MB", description="Start a new file at this size, age or time of day."
    )
    retention: TextOrCount = Field(
        default="30 days", description="Remove rotated files older than this; a number keeps that many files."
    )


class DatabaseSettings(Section):
    """The PostgreSQL everything is stored in."""

    url: DatabaseUrl = Field(
        default=None,
        description="postgresql://user:password@host:5432/name. Unset: the embedded server in data_dir.",
    )
    data_dir: str = Field(
        default="data/postgres", min_length=1, description="Where the embedded PostgreSQL keeps its data."
    )
    max_connections: Count = Field(default=10, description="Largest size of the service's own pool.")
    min_connections: int = Field(default=1, ge=0, description="Connections kept open when idle.")
    task_connections: Count = Field(
        default=10, description="Largest size of the pool that task functions share."
    )
    connection_timeout_seconds: Seconds = Field(default=4, description="How long to wait for a connection.")
    statement_timeout_seconds: Seconds = Field(
        default=4, description="A statement of the service is given up after this."
    )
    auto_migrate: bool = Field(default=True, description="Bring the schema up to date at start.")

    @model_validator(mode="after")
    def _sizes_agree(self) -> Self:
        if self.min_connections > self.max_connections:
            raise ValueError(
                f"min_connections ({self.min_connections}) is above max_connections ({self.max_connections})"
            )
        return self


class SchedulerSettings(Section):
    """What runs when."""

    enabled: bool = Field(
        default=True, description="Fire jobs from this process; off makes a replica that only serves."
    )
    local_runs: bool = Field(
        default=True, description="Execute the runs of jobs with runs_on: scheduler in this process."
    )
    api_enabled: bool = Field(default=True, description="Serve the /scheduler routes.")
    timezone: Zone = Field(default="UTC", description="Zone of triggers and jobs that name none.")
    misfire_grace_seconds: Seconds = Field(
        default=300, description="How late a firing may start; later it is a misfire."
    )
    max_instances: Count = Field(
        default=1, description="Runs of one job at a time, for jobs that do not say."
    )
    coalesce: bool = Field(default=True, description="Several missed times of one job become one run.")
    leader_term_seconds: Seconds = Field(default=6, description="How long a leader leads without renewing.")
    poll_seconds: Seconds = Field(default=1, description="Longest sleep between two looks at the timetable.")
    batch_size: Count = Field(default=1000, description="Due jobs taken in one transaction.")
    watchdog_seconds: Seconds = Field(
        default=30, description="A process whose ticks stop for this long is ended."
    )
    allowed_functions: tuple[str, ...] = Field(
        default=("cronzimus.controller",), description="Modules whose functions jobs may name."
    )
    sample_job: bool = Field(default=True, description="Add the sample job; false outside development.")


class WorkerSettings(Section):
    """How runs are executed, by a worker or beside the scheduler."""

    enabled: bool = Field(
        default=False, description="Let serve be a worker too: it takes runs of jobs with runs_on: workers."
    )
    worker_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        pattern=r"^[^\s/]+$",
        description="Name of this worker. Unset: host and process id.",
    )
    kinds: tuple[str, ...] = Field(
        default=(), description="Kinds of jobs a worker takes. Empty: all that this installation can run."
    )
    queues: tuple[str, ...] = Field(default=(), description="Queues a worker takes runs of. Empty: all.")
    labels: Labels = Field(
        default={}, description="What a worker is or has, as name=value; jobs may ask for it."
    )
    heartbeat_interval_seconds: Seconds = Field(
        default=3, description="How often a process says that it is there."
    )
    worker_timeout_seconds: Seconds | None = Field(
        default=None, description="A process that is silent for this long is down. Unset: five heartbeats."
    )
    max_concurrent_tasks: Count = Field(default=10, description="Runs executed at the same time.")
    backfill_share: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="Share of these places that runs of backfills may take; at least one.",
    )
    lease_seconds: Seconds = Field(
        default=15, description="A run whose worker is silent for this long is lost."
    )
    drain_seconds: float = Field(
        default=25, ge=0, le=86_400, description="How long a stop waits for running work."
    )
    allowed_commands: tuple[str, ...] = Field(
        default=("*",), description="Programs shell jobs may start, * for any; none outside development."
    )
    isolation: Literal["thread", "process"] = Field(
        default="thread",
        description="Where runs execute, for jobs that do not say; on a worker process is for every run.",
    )

    @property
    def timeout_seconds(self) -> float:
        """After how long a silence a process is down."""
        return self.worker_timeout_seconds or _BEATS_MISSED * self.heartbeat_interval_seconds

    @model_validator(mode="after")
    def _hearts_beat_in_time(self) -> Self:
        if self.heartbeat_interval_seconds >= self.timeout_seconds:
            raise ValueError(
                f"heartbeat_interval_seconds ({self.heartbeat_interval_seconds:g}) must be below "
                f"worker_timeout_seconds ({self.timeout_seconds:g})"
            )
        return self


class HistorySettings(Section):
    """How long the past is kept."""

    retention_days: float = Field(
        default=90, gt=0, le=36_500, description="Firings, runs and logs older than this are removed."
    )
    log_bytes: int = Field(
        default=1_048_576,
        ge=4096,
        le=268_435_456,
        description="Log kept of one attempt, in bytes: half from its beginning, the rest from its end.",
    )
    log_line_length: int = Field(
        default=8192, ge=80, le=65_536, description="Longer lines of a log are cut, in characters."
    )
    runs_per_job: Count | None = Field(
        default=None, description="Keep only this many finished runs of a job. Unset: no limit."
    )
    audit_days: float = Field(
        default=730, ge=30, le=36_500, description="The record of who changed what is kept for this long."
    )


class SecretGrant(Section):
    """Which jobs may use one secret."""

    secret: str = Field(
        min_length=1, max_length=128, description="The name, as references to the secret write it."
    )
    jobs: tuple[str, ...] = Field(
        min_length=1, description="Ids of the jobs that may use it; * stands for any letters."
    )


class SecretsSettings(Section):
    """Where the secrets lie that jobs refer to."""

    env_prefix: str = Field(
        default="CRONZIMUS_SECRET_",
        pattern="^([A-Z][A-Z0-9]*_)*$",
        description="Variables that begin so are secrets; empty: no variable is.",
    )
    dir: str | None = Field(
        default=None, min_length=1, description="Folder with one file for each secret. Unset: none."
    )
    allow_plain: bool = Field(
        default=False, description="Accept jobs that hold what looks like a password or a token themselves."
    )
    grants: tuple[SecretGrant, ...] = Field(
        default=(), description="Secrets that not every job may use; one that is not named here is for all."
    )
