"""`cronzimus config check`: everything that would stop the start."""

import sys

import pytest

from tests.cli.line import Line
from tests.fixtures.project import Project

JOBS = "config/base/jobs.yaml"
TASK = "cronzimus.controller.task:task"


@pytest.fixture(autouse=True)
def path(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the check adds to the search path is taken away again."""
    monkeypatch.setattr(sys, "path", [*sys.path])


def faults(line: Line, *words: str) -> list[str]:
    result = line("config", "check", *words)
    assert result.exit_code == 78 and result.stderr == "", result.output
    return str(result.stdout).splitlines()


def test_an_empty_project_is_sound(line: Line) -> None:
    assert line.out("config", "check") == "the configuration is sound: development, 0 jobs in files\n"
    assert line.json("config", "check") == {
        "ok": True,
        "environment": "development",
        "jobs": 0,
        "faults": [],
        "warnings": [],
    }


def test_settings_are_checked(line: Line, project: Project) -> None:
    project.set(CRONZIMUS_SERVER__PORT="abc")
    sentence = "server.port: expected integer, got 'abc' (from environment variable CRONZIMUS_SERVER__PORT)"
    assert faults(line) == [sentence]
    answer = line.json("config", "check", code=78)
    assert answer["ok"] is False and answer["faults"] == [{"field": "server.port", "message": sentence}]


def test_every_fault_is_told_at_once(line: Line, project: Project) -> None:
    project.write("config/base/config.yaml", "server: {port: x, hots: y}\nlogging: {level: LOUD}\n")
    assert len(faults(line)) == 3


def test_jobs_are_checked_as_at_the_start(line: Line, project: Project) -> None:
    project.write(
        JOBS,
        f"""
        jobs:
          good:
            params: {{func: '{TASK}'}}
            trigger: {{type: cron, expression: '0 2 * * *'}}
          never:
            params: {{func: '{TASK}'}}
            trigger:
              type: cron
              expression: '0 99 * * *'
          forbidden:
            params:
              func: os:system
            trigger: {{type: manual}}
          odd:
            params: {{func: '{TASK}'}}
            trigger: {{type: manual}}
            quue: x
            priority: 7000
        """,
    )
    never, forbidden, *odd = faults(line)
    assert never.startswith(f"{JOBS}:9: jobs.never.trigger.expression: hour: '99' is not allowed")
    assert forbidden.startswith(f"{JOBS}:12: jobs.forbidden.params.func: ")
    assert sorted(fault.partition(": ")[2].partition(":")[0] for fault in odd) == [
        "jobs.odd.priority",
        "jobs.odd.quue",
    ]


def test_functions_of_the_working_folder_are_found(line: Line, project: Project) -> None:
    project.write("of_this_folder.py", "def work():\n    return 7\n")
    project.write(
        JOBS, "jobs:\n  mine:\n    params: {func: 'of_this_folder:work'}\n    trigger: {type: manual}\n"
    )
    assert "are not allowed" in faults(line)[0]
    project.set(CRONZIMUS_SCHEDULER__ALLOWED_FUNCTIONS="of_this_folder")
    assert line.out("config", "check").endswith("1 jobs in files\n")


def test_a_missing_token_is_told(line: Line, project: Project) -> None:
    project.set(CRONZIMUS_ENV="production")
    checked = line("config", "check")
    assert (
        checked.exit_code == 0
        and "without somebody in the database the service will not start" in checked.stderr
    )
    project.set(CRONZIMUS_API_TOKEN="a-token-that-is-long")
    assert line.out("config", "check") == "the configuration is sound: production, 0 jobs in files\n"


def test_a_file_that_cannot_be_read_as_yaml(line: Line, project: Project) -> None:
    project.write("config/base/config.yaml", "server: {port: 1\n")
    assert faults(line)[0].startswith("config/base/config.yaml:")


def test_warnings_stop_nothing(line: Line, project: Project) -> None:
    project.set(CRONZIMUS_SERVER_PORT="5000")
    result = line("config", "check")
    assert result.exit_code == 0
    assert result.stderr.startswith(
        "warning: environment variable CRONZIMUS_SERVER_PORT: not a setting; did you"
    )
    assert len(line.json("config", "check")["warnings"]) == 1
