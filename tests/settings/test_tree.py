"""The tree knows its environment, its address, its origins, and shows itself without secrets."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cronzimus.settings import FileJob, ServerSettings, Settings, differing, redacted
from tests.fixtures.project import Project

TOKEN = {"name": "ci", "token": "hunter2xyz", "scopes": ("read",)}
SECRETS = {
    "database": {"url": "postgresql://u:hunter2xyz@h/d"},
    "api": {"auth": {"tokens": (TOKEN,)}},
}


def settings(**values: Any) -> Settings:
    return Settings.model_validate(values)


def test_development_listens_on_loopback_and_runs_the_sample() -> None:
    tree = settings()
    assert (tree.server.host, tree.scheduler.sample_job) == ("127.0.0.1", True)
    assert tree.worker.allowed_commands == ("*",)


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_elsewhere_the_defaults_are_stricter(environment: str) -> None:
    tree = settings(environment=environment)
    assert (tree.server.host, tree.scheduler.sample_job) == ("0.0.0.0", False)
    assert tree.worker.allowed_commands == ()


def test_given_values_win_over_the_defaults_of_the_environment() -> None:
    tree = settings(
        environment="production",
        server={"host": "10.0.0.1"},
        scheduler={"sample_job": True},
        worker={"allowed_commands": ("ls",)},
    )
    assert (tree.server.host, tree.scheduler.sample_job) == ("10.0.0.1", True)
    assert tree.worker.allowed_commands == ("ls",)


def test_a_section_object_keeps_only_what_was_given_to_it() -> None:
    tree = Settings(environment="production", server=ServerSettings(port=0))
    assert (tree.server.host, tree.server.port) == ("0.0.0.0", 0)


def test_a_section_of_a_wrong_kind_is_still_refused() -> None:
    with pytest.raises(ValidationError, match="server"):
        settings(environment="production", server=5)


def test_an_unknown_environment_is_refused() -> None:
    with pytest.raises(ValidationError, match="environment"):
        settings(environment="moon")


def test_the_tree_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        settings().server.port = 1  # type: ignore[misc]


def test_listen_gives_host_and_port() -> None:
    assert settings(server={"host": "10.0.0.1", "port": 81}).listen == ("10.0.0.1", 81)


@pytest.mark.parametrize(
    ("address", "listen"), [("10.0.0.1:82", ("10.0.0.1", 82)), ("[::1]:82", ("::1", 82)), ("db:0", ("db", 0))]
)
def test_listen_prefers_the_bind_address(address: str, listen: tuple[str, int]) -> None:
    assert settings(server={"port": 81}, api={"bind_address": address}).listen == listen


@pytest.mark.parametrize(
    ("origins", "listen"),
    [
        ({"server.port": "override"}, ("10.0.0.1", 81)),
        ({"server.host": "override"}, ("127.0.0.1", 82)),
        ({"server.port": "override", "api.bind_address": "override"}, ("10.0.0.1", 82)),
        ({"server.port": "environment variable X"}, ("10.0.0.1", 82)),
    ],
)
def test_listen_lets_a_flag_win_over_a_file(origins: dict[str, str], listen: tuple[str, int]) -> None:
    values = {"server": {"port": 81}, "api": {"bind_address": "10.0.0.1:82"}}
    assert Settings.assembled(values, origins=origins).listen == listen


@pytest.mark.parametrize(
    ("values", "required"),
    [
        ({}, False),
        ({"server": {"host": "localhost"}}, False),
        ({"server": {"host": "::1"}}, False),
        ({"server": {"host": "127.0.0.9"}}, False),
        ({"server": {"host": "0.0.0.0"}}, True),
        ({"server": {"host": "example.org"}}, True),
        ({"api": {"bind_address": "0.0.0.0:80"}}, True),
        ({"environment": "staging", "server": {"host": "127.0.0.1"}}, True),
        ({"environment": "production", "server": {"host": "127.0.0.1"}}, True),
        ({"environment": "production", "api": {"auth": {"enabled": False}}}, True),
        ({"server": {"host": "0.0.0.0"}, "api": {"auth": {"enabled": False}}}, True),
        ({"api": {"auth": {"enabled": False}}}, False),
        ({"api": {"auth": {"enabled": True}}}, True),
    ],
)
def test_auth_is_required_beyond_development_on_loopback(values: dict[str, Any], required: bool) -> None:
    assert settings(**values).auth_required is required


def test_origin_is_default_when_nothing_is_known() -> None:
    assert settings().origin("server.port") == "default"


def test_origin_of_a_part_is_the_origin_of_the_whole() -> None:
    tree = Settings.assembled({}, origins={"api.auth.tokens": "a.yaml:3"})
    assert tree.origin("api.auth.tokens") == "a.yaml:3"
    assert tree.origin("api.auth.tokens.0") == "a.yaml:3"
    assert tree.origin("api.auth.enabled") == "default"


def test_assembled_carries_jobs_and_warnings() -> None:
    job = FileJob("a", {"id": "a"}, "jobs.yaml:2")
    tree = Settings.assembled({}, jobs=(job,), warnings=("careful",))
    assert (tree.jobs, tree.warnings) == ((job,), ("careful",))


def test_redacted_is_plain_data_without_secrets() -> None:
    plain = redacted(settings(**SECRETS))
    text = json.dumps(plain)
    assert "hunter2xyz" not in text
    assert plain["database"]["url"] == "postgresql://u:***@h/d"
    assert plain["api"]["auth"]["tokens"][0]["scopes"] == ["read"]
    assert plain["server"]["port"] == 5000


def test_redacted_shows_what_is_unset_as_nothing() -> None:
    assert redacted(settings())["database"]["url"] is None


def test_the_tree_prints_no_secret() -> None:
    tree = settings(**SECRETS)
    assert "hunter2xyz" not in repr(tree) + str(tree) + tree.model_dump_json() + repr(tree.api.auth.tokens)


def test_settings_are_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project(tmp_path, monkeypatch)
    project.write("config/base/config.yaml", "server: {port: 5001}")
    settings = project.load({"worker.lease_seconds": 30})
    project.write("config/base/config.yaml", "server: {port: 5002}")
    again = settings.read_again()
    assert (again.server.port, again.worker.lease_seconds) == (5002, 30)
    assert differing(settings, again) == ("server.port",)


def test_settings_made_by_hand_stay_as_they_are() -> None:
    settings = Settings.model_validate({"server": {"port": 5001}})
    assert settings.read_again() is settings
    assert differing(settings, Settings()) == ("server.port",)
