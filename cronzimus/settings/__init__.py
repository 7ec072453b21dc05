"""The settings tree: every key, its type, its default and what it means."""

from cronzimus.settings.jobs import FileJob
from cronzimus.settings.sections import (
    ApiSettings,
    ApiToken,
    AppSettings,
    AuthSettings,
    DatabaseSettings,
    HistorySettings,
    LoggingSettings,
    SchedulerSettings,
    ServerSettings,
    WorkerSettings,
)
from cronzimus.settings.tree import Settings, redacted
from cronzimus.settings.types import Dsn, Environment, Scope

__all__ = [
    "ApiSettings",
    "ApiToken",
    "AppSettings",
    "AuthSettings",
    "DatabaseSettings",
    "Dsn",
    "Environment",
    "FileJob",
    "HistorySettings",
    "LoggingSettings",
    "SchedulerSettings",
    "Scope",
    "ServerSettings",
    "Settings",
    "WorkerSettings",
    "redacted",
]
