"""`cronzimus worker start`: the options it hands on."""

import sys
from pathlib import Path
from typing import Any

import pytest

from cronzimus.cli import work
from cronzimus.settings import Settings
from tests.cli.line import Line
from tests.fixtures.project import Project


@pytest.fixture
def worked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Settings, Path | None]]:
    """The settings that the worker would work with."""
    seen: list[tuple[Settings, Path | None]] = []

    def keep(settings: Settings, *, health: Path | None) -> int:
        seen.append((settings, health))
        return 143

    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(work, "work", keep)
    monkeypatch.setattr("cronzimus.config.init_logger", lambda *_: None)
    return seen


def test_options_win_over_variables(line: Line, project: Project, worked: list[Any]) -> None:
    project.set(CRONZIMUS_WORKER__WORKER_ID="other", CRONZIMUS_WORKER__LABELS="zone=us,disk=fast")
    words = ("--id", "w1", "--kinds", "shell,http", "--queues", "slow", "--labels", "zone=eu,gpu=")
    more = ("--concurrency", "4", "--isolation", "process", "--log-level", "debug", "--health-file", "ok")
    assert line("worker", "start", *words, *more).exit_code == 143
    ((settings, health),) = worked
    worker = settings.worker
    assert (worker.worker_id, worker.kinds, worker.queues) == ("w1", ("shell", "http"), ("slow",))
    assert (worker.labels, worker.max_concurrent_tasks) == ({"zone": "eu", "gpu": ""}, 4)
    assert (worker.isolation, settings.logging.level, health) == ("process", "DEBUG", Path("ok"))


def test_without_options_settings_stay(line: Line, project: Project, worked: list[Any]) -> None:
    project.write("config/base/config.yaml", "worker: {worker_id: w7, labels: {zone: eu}}\n")
    assert line("worker", "start", "-o", "json").exit_code == 143
    ((settings, health),) = worked
    assert (settings.worker.worker_id, settings.worker.labels) == ("w7", {"zone": "eu"})
    assert (settings.logging.format, health) == ("json", None)


def test_functions_of_the_working_folder_can_be_named(
    line: Line, project: Project, worked: list[Any]
) -> None:
    line("worker", "start")
    assert sys.path[-1] == str(project.root)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--concurrency", "0"], "worker.max_concurrent_tasks: must be at least 1"),
        (["--id", ""], "worker.worker_id: must not be empty"),
        (["--id", "a/b"], "worker.worker_id: must match"),
        (["--labels", "zone"], "'zone' is none"),
        (["--isolation", "moon"], "worker.isolation: expected one of thread, process"),
    ],
)
def test_what_cannot_be_is_refused(line: Line, worked: list[Any], words: list[str], said: str) -> None:
    assert said in line.complaint("worker", "start", *words, code=78)
    assert worked == []
