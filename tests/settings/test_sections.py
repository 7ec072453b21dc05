"""The sections hold sane defaults and refuse values that cannot work."""

import hashlib
from typing import Any

import pytest
from pydantic import ValidationError

from cronzimus.settings import ApiToken, AuthSettings, DatabaseSettings, Settings
from cronzimus.settings.keys import keys
from cronzimus.settings.sections import WorkerSettings


def refused(section: str, **values: Any) -> str:
    with pytest.raises(ValidationError) as error:
        Settings.model_validate({section: values})
    return str(error.value)


@pytest.mark.parametrize(
    ("key", "default"),
    [
        ("server.host", "127.0.0.1"),
        ("server.port", 5000),
        ("server.threads", 32),
        ("server.workers", 1),
        ("api.request_timeout_seconds", 30),
        ("api.max_request_size_mb", 10),
        ("api.docs_url", "/docs"),
        ("logging.level", "INFO"),
        ("database.url", None),
        ("database.max_connections", 10),
        ("database.min_connections", 1),
        ("database.task_connections", 10),
        ("database.connection_timeout_seconds", 4),
        ("database.statement_timeout_seconds", 4),
        ("database.auto_migrate", True),
        ("scheduler.timezone", "UTC"),
        ("scheduler.misfire_grace_seconds", 300),
        ("scheduler.leader_term_seconds", 6),
        ("scheduler.poll_seconds", 1),
        ("scheduler.batch_size", 1000),
        ("scheduler.watchdog_seconds", 30),
        ("scheduler.allowed_functions", ("cronzimus.controller",)),
        ("worker.max_concurrent_tasks", 10),
        ("worker.lease_seconds", 15),
        ("worker.drain_seconds", 25),
        ("worker.isolation", "thread"),
        ("message_queue.task_queue", "task_queue"),
        ("message_queue.status_queue", "status_queue"),
        ("history.retention_days", 90),
        ("history.runs_per_job", None),
    ],
)
def test_section_has_the_default(key: str, default: Any) -> None:
    section, _, name = key.rpartition(".")
    assert getattr(getattr(Settings(), section), name) == default


def test_every_default_passes_its_own_check() -> None:
    plain = {
        name: getattr(Settings(), name).model_dump()
        for name in Settings.model_fields
        if name != "environment"
    }
    assert Settings.model_validate(plain) == Settings()


def test_every_key_has_a_description_that_is_a_sentence() -> None:
    missing = [key.path for key in keys().values() if not key.description.endswith(".")]
    assert missing == []


@pytest.mark.parametrize(
    ("section", "values"),
    [
        ("server", {"port": -1}),
        ("server", {"port": 65536}),
        ("server", {"port": True}),
        ("server", {"threads": 0}),
        ("server", {"workers": 0}),
        ("api", {"request_timeout_seconds": 0}),
        ("api", {"max_request_size_mb": 0}),
        ("api", {"docs_url": "docs"}),
        ("database", {"max_connections": 0}),
        ("database", {"min_connections": -1}),
        ("database", {"statement_timeout_seconds": float("nan")}),
        ("database", {"statement_timeout_seconds": float("inf")}),
        ("scheduler", {"poll_seconds": 0}),
        ("scheduler", {"batch_size": 0}),
        ("worker", {"isolation": "fork"}),
        ("worker", {"drain_seconds": -1}),
        ("history", {"retention_days": 0}),
        ("history", {"runs_per_job": 0}),
    ],
)
def test_section_refuses_values_that_cannot_work(section: str, values: dict[str, Any]) -> None:
    assert next(iter(values)) in refused(section, **values)


@pytest.mark.parametrize("values", [{"port": 0}, {"port": 1}, {"port": 65535}])
def test_server_accepts_the_ends_of_the_port_range(values: dict[str, int]) -> None:
    assert Settings.model_validate({"server": values}).server.port == values["port"]


def test_database_refuses_more_idle_connections_than_the_pool_holds() -> None:
    assert "min_connections (5) is above max_connections (2)" in refused(
        "database", min_connections=5, max_connections=2
    )


def test_database_accepts_equal_sizes() -> None:
    assert DatabaseSettings(min_connections=3, max_connections=3).min_connections == 3


def test_api_token_gives_the_digest_of_its_text() -> None:
    token = ApiToken.model_validate({"name": "ci", "token": "hunter2"})
    assert token.digest == hashlib.sha256(b"hunter2").hexdigest()


def test_api_token_gives_the_digest_it_was_given() -> None:
    assert ApiToken(name="ci", sha256="ab" * 32).digest == "ab" * 32


def test_api_token_may_only_read_unless_told_otherwise() -> None:
    assert ApiToken(name="ci", sha256="ab" * 32).scopes == ("read",)


@pytest.mark.parametrize(
    "values",
    [
        {"name": "ci"},
        {"name": "ci", "token": "x", "sha256": "ab" * 32},
        {"name": "ci", "sha256": "short"},
        {"name": "ci", "sha256": "AB" * 32},
        {"name": "", "token": "x"},
        {"token": "x"},
        {"name": "ci", "token": "x", "scopes": ()},
        {"name": "ci", "token": "x", "scopes": ("write",)},
        {"name": "ci", "token": "x", "scope": ("read",)},
    ],
)
def test_api_token_refuses_what_is_unclear(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ApiToken.model_validate(values)


def test_auth_refuses_two_tokens_of_one_name() -> None:
    one = ApiToken(name="ci", sha256="ab" * 32)
    with pytest.raises(ValidationError, match="more than one is called 'ci'"):
        AuthSettings(tokens=(one, one))


# --- workers -----------------------------------------------------------------------------------------


def test_hearts_must_beat_before_they_are_missed() -> None:
    with pytest.raises(ValidationError, match=r"heartbeat_interval_seconds \(15\) must be below"):
        WorkerSettings(heartbeat_interval_seconds=15, worker_timeout_seconds=15)
    assert WorkerSettings(heartbeat_interval_seconds=15, worker_timeout_seconds=16).labels == {}


@pytest.mark.parametrize("name", ["", " ", "a b", "a/b", "x" * 201])
def test_name_of_a_worker_can_stand_in_an_address(name: str) -> None:
    with pytest.raises(ValidationError):
        WorkerSettings(worker_id=name)
    assert WorkerSettings(worker_id="vm:17").worker_id == "vm:17"


@pytest.mark.parametrize("labels", [{"": "x"}, {"a b": "x"}, {"-a": "x"}, {"a": "x" * 201}, {"a": 1}])
def test_labels_are_as_jobs_ask_for_them(labels: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        WorkerSettings(labels=labels)
    assert WorkerSettings(labels={"zone/1": "", "gpu": "a100"}).labels["gpu"] == "a100"


def test_how_long_a_silence_is_follows_the_heartbeat() -> None:
    assert WorkerSettings().timeout_seconds == 15
    assert WorkerSettings(heartbeat_interval_seconds=30).timeout_seconds == 150
    assert WorkerSettings(heartbeat_interval_seconds=30, worker_timeout_seconds=31).timeout_seconds == 31
