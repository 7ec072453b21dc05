"""The whole way: files, variables and flags become settings, or one error that says everything."""

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cronzimus.common import logger as log
from cronzimus.config import bootstrap_app, redacted
from cronzimus.errors import ConfigError
from cronzimus.settings import Settings
from tests.fixtures.project import Project

LAYERS = [
    ("config/base/config.yaml", "server: {port: 1}\n", "config/base/config.yaml:1"),
    ("config/base/database.yaml", "server: {port: 2}\n", "config/base/database.yaml:1"),
    ("config/scheduler.toml", "[server]\nport = 3\n", "config/scheduler.toml"),
    ("config/staging/config.yaml", "\nserver:\n  port: 4\n", "config/staging/config.yaml:2"),
    ("config/staging.toml", "[server]\nport = 5\n", "config/staging.toml"),
    (".env", "CRONZIMUS_SERVER__PORT=6\n", ".env:1, CRONZIMUS_SERVER__PORT"),
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(tmp_path, monkeypatch)


def test_bootstrap_app_works_in_an_empty_folder(project: Project) -> None:
    settings = bootstrap_app()
    assert settings.model_dump() == Settings().model_dump()
    assert settings.origin("server.port") == "default"
    assert (settings.jobs, settings.warnings) == ((), ())


def test_bootstrap_app_twice_gives_the_same(project: Project) -> None:
    project.write("config/base/config.yaml", "server: {port: 8080}")
    assert bootstrap_app().model_dump() == bootstrap_app().model_dump()


def test_bootstrap_app_leaves_the_process_environment_alone(project: Project) -> None:
    project.write(".env", "LOG_LEVEL=ERROR\nCRONZIMUS_APP__NAME=x\n")
    before = dict(os.environ)
    bootstrap_app()
    assert dict(os.environ) == before


def test_each_layer_wins_over_those_before_it(project: Project) -> None:
    for number, (path, text, origin) in enumerate(LAYERS, 1):
        project.write(path, text)
        settings = project.load(environment="staging")
        assert (settings.server.port, settings.origin("server.port")) == (number, origin)
    project.set(CRONZIMUS_SERVER__PORT="7")
    settings = project.load(environment="staging")
    assert settings.origin("server.port") == "environment variable CRONZIMUS_SERVER__PORT"
    assert settings.server.port == 7
    settings = project.load({"server.port": 8}, environment="staging")
    assert (settings.server.port, settings.origin("server.port")) == (8, "override")


def test_maps_merge_key_by_key_and_lists_replace(project: Project) -> None:
    project.write(
        "config/base/config.yaml", "server: {port: 1, threads: 2}\nscheduler: {allowed_functions: [a, b]}"
    )
    project.write("config/development/config.yaml", "server: {port: 3}\nscheduler: {allowed_functions: [c]}")
    settings = project.load()
    assert (settings.server.port, settings.server.threads) == (3, 2)
    assert settings.scheduler.allowed_functions == ("c",)
    assert settings.origin("server.threads") == "config/base/config.yaml:1"


def test_null_in_a_later_layer_takes_an_optional_value_away(project: Project) -> None:
    project.write("config/base/config.yaml", "logging: {file: x.log, rotation: null}")
    project.write("config/development/config.yaml", "logging: {file: null}")
    settings = project.load()
    assert (settings.logging.file, settings.logging.rotation) == (None, None)


def test_values_that_mean_something_to_dynaconf_mean_nothing_here(project: Project) -> None:
    project.write("config/base/config.yaml", "app: {name: '@format {env[HOME]}', description: '@int 5'}")
    project.write("config/development/config.yaml", "app: {description: '@merge x'}")
    project.set(DYNACONF_APP__NAME="other", SETTINGS_FILE_FOR_DYNACONF="config/development/config.yaml")
    app = project.load().app
    assert (app.name, app.description) == ("@format {env[HOME]}", "@merge x")


def test_database_url_is_taken_from_the_well_known_variable(project: Project) -> None:
    project.write("config/base/database.yaml", "database: {url: 'postgresql://h/file'}")
    project.set(DATABASE_URL="postgresql://u:hunter2xyz@h/variable")
    settings = project.load()
    assert settings.database.url is not None
    assert settings.database.url.get_secret_value() == "postgresql://u:hunter2xyz@h/variable"
    assert settings.origin("database.url") == "environment variable DATABASE_URL"


def test_database_url_may_refer_to_a_variable(project: Project) -> None:
    project.write("config/base/database.yaml", "database: {url: 'postgresql://u:${DB_PASSWORD}@h/d'}")
    project.set(DB_PASSWORD="hunter2xyz")
    settings = project.load()
    assert settings.warnings == ()
    assert "hunter2xyz" not in str(redacted(settings)) + repr(settings)
    assert settings.database.url is not None
    assert settings.database.url.get_secret_value() == "postgresql://u:hunter2xyz@h/d"


def test_an_empty_override_takes_the_database_url_away(project: Project) -> None:
    project.set(DATABASE_URL="postgresql://h/d")
    assert project.load({"database.url": ""}).database.url is None
    assert project.load({"database.url": None}).database.url is not None


def test_api_token_joins_the_tokens_of_files(project: Project) -> None:
    project.write("config/base/config.yaml", "api: {auth: {tokens: [{name: a, token: '${A}'}]}}")
    project.set(A="first-token-text", CRONZIMUS_API_TOKEN="second-token-text")
    settings = project.load()
    assert [token.name for token in settings.api.auth.tokens] == ["a", "CRONZIMUS_API_TOKEN"]
    assert settings.api.auth.tokens[1].scopes == ("read", "operate", "admin")
    assert settings.origin("api.auth.tokens") == (
        "config/base/config.yaml:1, environment variable CRONZIMUS_API_TOKEN"
    )


def test_api_token_of_the_process_wins_over_the_one_of_the_env_file(project: Project) -> None:
    project.write(".env", "CRONZIMUS_API_TOKEN=token-of-the-file\n")
    project.set(CRONZIMUS_API_TOKEN="token-of-process")
    (token,) = project.load().api.auth.tokens
    assert token.token is not None and token.token.get_secret_value() == "token-of-process"


@pytest.mark.parametrize("value", ["abc", "1.5", "true"])
def test_a_variable_of_the_wrong_type_is_named(project: Project, value: str) -> None:
    project.set(CRONZIMUS_SERVER__PORT=value)
    assert project.faults() == [
        f"server.port: expected integer, got '{value}' (from environment variable CRONZIMUS_SERVER__PORT)"
    ]


def test_every_fault_of_every_layer_is_told_at_once(project: Project) -> None:
    project.write("config/base/config.yaml", "server:\n  prot: 1\n  port: -5\n")
    project.write("config/base/database.yaml", "database: {a: &x 1}\n")
    project.write("config/base/jobs.yaml", "jobs: {a: 5}\n")
    project.write("config/development.toml", "[worker]\nisolation = 'forks'\n")
    project.write(".env", "nonsense\nCRONZIMUS_LOGGING__LEVEL=loud\n")
    project.set(CRONZIMUS_HISTORY__RETENTION_DAYS="ever", CRONZIMUS_API_TOKEN="ü")
    faults = project.faults({"api.bind_address": "8080", "server.threads": 0})
    starts = (
        ".env:1: expected NAME=value",
        "config/base/database.yaml:1:15: anchor '&x' is not allowed",
        "server.prot: unknown key; did you mean 'port'? (from config/base/config.yaml:2)",
        "history.retention_days: expected number, got 'ever' (from environment variable",
        "CRONZIMUS_API_TOKEN: expected printable ASCII",
        "jobs.a: expected a job",
        "server.port: must be at least 0, got -5 (from config/base/config.yaml:3)",
        "server.threads: must be at least 1, got 0 (from override)",
        "api.bind_address: expected host:port",
        "logging.level: expected one of TRACE, DEBUG, INFO, SUCCESS, WARNING, ERROR, CRITICAL, got 'loud'",
        "worker.isolation: expected one of thread, process, got 'forks' (from config/development.toml)",
    )
    assert len(faults) == len(starts)
    for fault, start in zip(faults, starts, strict=True):
        assert fault.startswith(start)


def test_a_secret_never_reaches_an_error(project: Project) -> None:
    project.write(
        "config/base/config.yaml", "app: {name: ['${DB_PASSWORD}']}\nserver: {port: '${DB_PASSWORD}'}"
    )
    project.set(DB_PASSWORD="hunter2xyz", DATABASE_URL="mysql://u:hunter2xyz@h/d")
    assert "hunter2xyz" not in "".join(project.faults())


def test_misnamed_files_and_variables_are_warned_about(project: Project) -> None:
    project.write("config/base/settings.yaml", "server: {port: 1}")
    project.set(CRONZIMUS_SERVER_PORT="1")
    assert project.load().warnings == (
        "config/base/settings.yaml: not read; is it misnamed?",
        "environment variable CRONZIMUS_SERVER_PORT: not a setting; did you mean CRONZIMUS_SERVER__PORT?",
    )


def test_bootstrap_app_logs_what_it_warns_about(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.set(CRONZIMUS_SERVER_PORT="1", LOG_LEVEL="debug")
    bootstrap_app()
    err = capsys.readouterr().err
    assert "WARNING  cronzimus.config: environment variable CRONZIMUS_SERVER_PORT: not a setting" in err
    assert "DEBUG    cronzimus.config: configuration ready: environment development, 0 jobs in files" in err


def test_bootstrap_app_masks_what_it_knows_to_be_secret(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.set(
        DATABASE_URL="postgresql://u:p%40ss-word@h/d",
        CRONZIMUS_API_TOKEN="token-of-process",
        DB_PASSWORD="hunter2xyz",
    )
    bootstrap_app()
    logging.getLogger("library").error("p%%40ss-word p@ss-word token-of-process hunter2xyz %s", "")
    assert "library: *** *** *** ***" in capsys.readouterr().err


def test_bootstrap_app_does_not_mask_a_password_that_is_the_user_name(project: Project) -> None:
    project.set(DATABASE_URL="postgresql://postgres:postgres@h/d")
    bootstrap_app()
    assert log.mask("postgresql is up") == "postgresql is up"


def test_bootstrap_app_refuses_before_it_touches_the_log(project: Project) -> None:
    arguments = log._process.arguments
    project.set(LOG_LEVEL="loud")
    with pytest.raises(ConfigError, match="logging.level: expected one of TRACE, DEBUG"):
        bootstrap_app()
    assert log._process.arguments == arguments


def test_import_and_two_calls_work_in_a_fresh_process(tmp_path: Path) -> None:
    program = (
        "from cronzimus.config import bootstrap_app; bootstrap_app(); print(bootstrap_app().server.port)"
    )
    environ = {name: text for name, text in os.environ.items() if not name.startswith("CRONZIMUS_")}
    environ["PYTHONPATH"] = str(Path(__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "5000\n", "")


@pytest.mark.parametrize("overrides", [{"server.port": "0"}, {"server": {"port": 0}}, {"server.port": 0}])
def test_overrides_are_nested_or_dotted_values_or_texts(project: Project, overrides: dict[str, Any]) -> None:
    assert project.load(overrides).server.port == 0
