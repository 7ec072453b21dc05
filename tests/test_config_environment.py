"""Which environment and which folder: the most specific name decides, and a contradiction is refused."""

from pathlib import Path

import pytest

from tests.fixtures.project import Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("variables", "environment"),
    [
        ({}, "development"),
        ({"env": "prod"}, "production"),
        ({"env": "prod", "environment": "stage"}, "staging"),
        ({"environment": "stage", "ENVIRONMENT": "dev"}, "development"),
        ({"ENVIRONMENT": "dev", "CRONZIMUS_ENV": "production"}, "production"),
    ],
)
def test_environment_comes_from_the_most_specific_variable(
    project: Project, variables: dict[str, str], environment: str
) -> None:
    project.set(**variables)
    assert project.load().environment == environment


def test_environment_argument_wins_over_variables(project: Project) -> None:
    project.set(CRONZIMUS_ENV="production")
    assert project.load(environment="dev").environment == "development"


def test_environment_of_the_process_wins_over_the_one_of_the_env_file(project: Project) -> None:
    project.write(".env", "CRONZIMUS_ENV=staging\n")
    assert project.load().environment == "staging"
    project.set(env="prod")
    assert project.load().environment == "production"


def test_environment_that_is_unknown_is_refused(project: Project) -> None:
    project.set(ENVIRONMENT="prodution")
    (fault,) = project.faults()
    assert fault.startswith("ENVIRONMENT: expected one of development, staging, production, got 'prodution'")
    assert fault.endswith("; did you mean 'production'?")


def test_config_path_that_ends_in_an_environment_means_base_and_that_environment(project: Project) -> None:
    project.write("config/base/config.yaml", "server: {port: 1, threads: 2}")
    project.write("config/production/config.yaml", "server: {port: 3}")
    project.set(CONFIG_PATH="config/production")
    settings = project.load()
    assert (settings.environment, settings.server.port, settings.server.threads) == ("production", 3, 2)


def test_config_path_that_contradicts_the_environment_is_refused(project: Project) -> None:
    project.write("config/base/config.yaml")
    project.write("config/production/config.yaml")
    project.set(CONFIG_PATH="config/production", CRONZIMUS_ENV="staging")
    assert project.faults() == ["the config path ends in production, but CRONZIMUS_ENV says staging"]


def test_config_path_argument_may_be_anything_that_names_a_path(project: Project) -> None:
    project.write("elsewhere/config.yaml", "server: {port: 1}")
    for path in ("elsewhere", project.root / "elsewhere", "elsewhere/config.yaml"):
        assert project.load(config_path=path).server.port == 1


def test_config_path_may_come_from_the_env_file(project: Project) -> None:
    project.write("elsewhere/config.yaml", "server: {port: 1}")
    project.write(".env", "CRONZIMUS_CONFIG_PATH=elsewhere\n")
    assert project.load().server.port == 1


def test_a_file_may_hold_a_secret_and_nothing_else(project: Project) -> None:
    project.write("port", "80")
    project.set(CRONZIMUS_SERVER__PORT_FILE="port")
    (fault,) = project.faults()
    assert fault.startswith("server.port_file: unknown key; did you mean 'port'?")
