"""The whole settings tree, what it answers, and how it shows itself."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

from pydantic import BaseModel, Field, PrivateAttr, Secret, SecretStr, model_validator

from cronzimus.settings.alerts import AlertsSettings
from cronzimus.settings.dispatch import DispatcherSettings
from cronzimus.settings.jobs import FileJob
from cronzimus.settings.message_queue import MessageQueueSettings
from cronzimus.settings.sections import (
    ApiSettings,
    AppSettings,
    DatabaseSettings,
    HistorySettings,
    LoggingSettings,
    SchedulerSettings,
    SecretsSettings,
    ServerSettings,
    WorkerSettings,
)
from cronzimus.settings.telemetry import TelemetrySettings
from cronzimus.settings.types import Environment, Section
from cronzimus.utils.loopback import is_loopback

OVERRIDE = "override"

# The defaults of the sections are those of development; these differ everywhere else. A container must be
# reachable, so it listens on every address, and every route then wants a token.
OUTSIDE_DEVELOPMENT: Mapping[str, Mapping[str, Any]] = {
    "server": {"host": "0.0.0.0"},  # nosec B104
    "scheduler": {"sample_job": False},
    "worker": {"allowed_commands": ()},
}


class Settings(Section):
    """Everything that can be set, checked, and where each value came from."""

    environment: Environment = Field(default="development", description="development, staging or production.")
    app: AppSettings = Field(default=AppSettings())
    server: ServerSettings = Field(default=ServerSettings())
    api: ApiSettings = Field(default=ApiSettings())
    logging: LoggingSettings = Field(default=LoggingSettings())
    database: DatabaseSettings = Field(default=DatabaseSettings())
    scheduler: SchedulerSettings = Field(default=SchedulerSettings())
    worker: WorkerSettings = Field(default=WorkerSettings())
    dispatcher: DispatcherSettings = Field(default=DispatcherSettings())
    message_queue: MessageQueueSettings = Field(default=MessageQueueSettings())
    history: HistorySettings = Field(default=HistorySettings())
    telemetry: TelemetrySettings = Field(default=TelemetrySettings())
    secrets: SecretsSettings = Field(default=SecretsSettings())
    alerts: AlertsSettings = Field(default=AlertsSettings())

    _jobs: tuple[FileJob, ...] = PrivateAttr(())
    _origins: Mapping[str, str] = PrivateAttr(default_factory=dict)
    _warnings: tuple[str, ...] = PrivateAttr(())
    _reader: Callable[[], "Settings"] | None = PrivateAttr(None)

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_environment(cls, given: Any) -> Any:
        """Outside development some defaults are stricter; what was given is kept."""
        if not isinstance(given, Mapping) or given.get("environment", "development") == "development":
            return given
        filled = dict(given)
        for section, defaults in OUTSIDE_DEVELOPMENT.items():
            own = filled.get(section, {})
            if isinstance(own, Section):
                own = {name: getattr(own, name) for name in own.model_fields_set}
            if isinstance(own, Mapping):
                filled[section] = {**defaults, **own}
        return filled

    @classmethod
    def assembled(
        cls,
        values: Mapping[str, Any],
        *,
        jobs: tuple[FileJob, ...] = (),
        origins: Mapping[str, str] | None = None,
        warnings: tuple[str, ...] = (),
        reader: "Callable[[], Settings] | None" = None,
    ) -> Self:
        """The tree of `values`, checked, and what is known about them; ValidationError when wrong."""
        settings = cls.model_validate(values)
        settings._reader = reader
        settings._jobs, settings._origins, settings._warnings = jobs, dict(origins or {}), warnings
        return settings

    @property
    def jobs(self) -> tuple[FileJob, ...]:
        """The jobs of jobs.yaml, in file order."""
        return self._jobs

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is allowed and still looks like a mistake."""
        return self._warnings

    def read_again(self) -> "Settings":
        """What the same files and variables say now; raises ConfigError. Settings made by hand stay as they are."""
        return self._reader() if self._reader else self

    @property
    def listen(self) -> tuple[str, int]:
        """Host and port to listen on: api.bind_address when set, else server.host and server.port.

        `serve --port` still wins over an address that a file or a variable gives.
        """
        host, port = self.server.host, self.server.port
        if self.api.bind_address is None:
            return host, port
        bound_host, _, bound_port = self.api.bind_address.rpartition(":")
        weaker = self.origin("api.bind_address") != OVERRIDE
        keep_host = weaker and self.origin("server.host") == OVERRIDE
        keep_port = weaker and self.origin("server.port") == OVERRIDE
        return host if keep_host else bound_host.strip("[]"), port if keep_port else int(bound_port)

    @property
    def auth_required(self) -> bool:
        """Whether everybody must say who they are; only a developer's own loopback may do without.

        `api.auth.enabled: true` asks there too; `false` opens nothing that is not open anyway.
        """
        is_developers = self.environment == "development" and is_loopback(self.listen[0])
        return not is_developers or self.api.auth.enabled is True

    def origin(self, key: str) -> str:
        """Where the value of a key such as `server.port` came from: default, file, variable, override."""
        while key and key not in self._origins:
            key = key.rpartition(".")[0]
        return self._origins.get(key, "default")


def differing(before: Settings, after: Settings) -> tuple[str, ...]:
    """The keys in which two trees differ, such as `server.port`."""
    return tuple(_differing(before, after, ""))


def _differing(before: Section, after: Section, prefix: str) -> Iterator[str]:
    for name in type(before).model_fields:
        old, new = getattr(before, name), getattr(after, name)
        if isinstance(old, Section) and isinstance(new, Section):
            yield from _differing(old, new, f"{prefix}{name}.")
        elif old != new:
            yield f"{prefix}{name}"


def redacted(settings: Settings) -> dict[str, Any]:
    """The tree as plain data for showing: lists for tuples, secrets masked."""
    return _plain(settings)  # type: ignore[no-any-return]


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Secret | SecretStr):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return value
