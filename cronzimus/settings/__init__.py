"""The settings tree: every key, its type, its default and what it means."""

from cronzimus.settings.access import ApiToken, AuthSettings, OidcSettings
from cronzimus.settings.alerts import AlertsSettings, ChannelSettings, DeadMansSwitchSettings
from cronzimus.settings.jobs import FileJob
from cronzimus.settings.message_queue import MessageQueueSettings
from cronzimus.settings.sections import (
    ApiSettings,
    AppSettings,
    DatabaseSettings,
    HistorySettings,
    LoggingSettings,
    SchedulerSettings,
    ServerSettings,
    WorkerSettings,
)
from cronzimus.settings.telemetry import TelemetrySettings
from cronzimus.settings.tree import Settings, differing, redacted
from cronzimus.settings.types import Dsn, Environment, Scope

__all__ = [
    "AlertsSettings",
    "ApiSettings",
    "ApiToken",
    "AppSettings",
    "AuthSettings",
    "ChannelSettings",
    "DatabaseSettings",
    "DeadMansSwitchSettings",
    "Dsn",
    "Environment",
    "FileJob",
    "HistorySettings",
    "LoggingSettings",
    "MessageQueueSettings",
    "OidcSettings",
    "SchedulerSettings",
    "Scope",
    "ServerSettings",
    "Settings",
    "TelemetrySettings",
    "WorkerSettings",
    "differing",
    "redacted",
]
