"""`cronzimus config show`."""

import pytest

from cronzimus.settings.keys import keys
from tests.cli.line import Line
from tests.fixtures.project import Project


def test_show_is_the_merged_tree(line: Line, project: Project) -> None:
    project.write("config/base/config.yaml", "server: {port: 7000, threads: 4}\n")
    project.set(CRONZIMUS_SERVER__PORT="9000")
    tree = line.json("config", "show")
    assert (tree["server"]["port"], tree["server"]["threads"], tree["environment"]) == (
        9000,
        4,
        "development",
    )


def test_show_is_a_table_for_people(line: Line, project: Project) -> None:
    rows = dict(row.split(maxsplit=1) for row in line.out("config", "show").splitlines())
    assert (
        rows["server.port"] == "5000" and rows["api.cors_enabled"] == "false" and rows["database.url"] == "-"
    )


def test_show_names_every_setting(line: Line) -> None:
    shown = {row.split()[0] for row in line.out("config", "show").splitlines()[1:]}
    assert {key for key in keys() if "[]" not in key} - shown <= {
        key for key in keys() if key.startswith("api.auth.tokens")
    }


def test_show_says_where_values_come_from(line: Line, project: Project) -> None:
    project.write("config/base/config.yaml", "server:\n  threads: 4\n")
    project.set(CRONZIMUS_SERVER__PORT="9000")
    rows = {row.split()[0]: row for row in line.out("config", "show", "--origin").splitlines()}
    assert rows["server.port"].endswith("environment variable CRONZIMUS_SERVER__PORT")
    assert rows["server.threads"].endswith("config/base/config.yaml:2") and rows["server.host"].endswith(
        "default"
    )
    tree = line.json("config", "show", "--origin")
    assert tree["server"]["port"] == {"value": 9000, "origin": "environment variable CRONZIMUS_SERVER__PORT"}
    assert tree["environment"]["value"] == "development"


def test_show_of_another_environment(line: Line, project: Project) -> None:
    project.write("config/base/config.yaml", "server: {port: 7000}\n")
    project.write("config/staging/config.yaml", "server: {port: 8000}\n")
    assert line.json("config", "show", "--environment", "staging")["server"]["port"] == 8000
    assert line.json("config", "show", "--config-path", "config/staging")["environment"] == "staging"


@pytest.mark.parametrize("form", ["table", "json"])
def test_show_masks_secrets(form: str, line: Line, project: Project) -> None:
    project.set(
        DATABASE_URL="postgresql://app:sw0rdfish@db/app", CRONZIMUS_API_TOKEN="t0ken-of-sixteen-chars"
    )
    text = line.out("config", "show", "--origin", "-o", form)
    assert "sw0rdfish" not in text and "t0ken-of-sixteen-chars" not in text and "app:***@db" in text


def test_show_of_what_cannot_be_used(line: Line, project: Project) -> None:
    project.set(CRONZIMUS_SERVER__PORT="abc", CRONZIMUS_SERVER__HOTS="x")
    head, *faults = line.complaint("config", "show", code=78).splitlines()
    assert head == "cronzimus: 2 faults in the configuration:" and len(faults) == 2
    assert (
        "server.port: expected integer, got 'abc' (from environment variable CRONZIMUS_SERVER__PORT)"
        in faults[1]
    )


def test_show_of_a_folder_that_is_not_there(line: Line) -> None:
    assert "config path nowhere does not exist" in line.complaint(
        "config", "show", "--config-path", "nowhere", code=78
    )


def test_environment_is_checked(line: Line) -> None:
    complaint = line.complaint("config", "show", "--environment", "prodd", code=78)
    assert "expected one of development, staging, production" in complaint
