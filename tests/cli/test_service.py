"""`cronzimus serve`: the options it hands on, and the whole command line on a service that lives."""

import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from cronzimus.cli import service
from cronzimus.settings import Settings
from tests.cli.line import Line
from tests.fixtures.project import Project

TASK = "cronzimus.controller.task:task"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings that `serve` would serve with."""
    seen: list[Settings] = []
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(service, "serve_app", lambda settings: seen.append(settings) or 143)
    monkeypatch.setattr("cronzimus.config.init_logger", lambda *_: None)
    return seen


def test_flags_win_over_variables(line: Line, project: Project, served: list[Settings]) -> None:
    project.set(CRONZIMUS_SERVER__PORT="7000", LOG_LEVEL="INFO")
    words = ("--port", "9000", "--host", "::1", "--log-level", "debug", "--no-scheduler", "--no-worker")
    assert line("serve", *words).exit_code == 143
    (settings,) = served
    assert settings.listen == ("::1", 9000) and settings.logging.level == "DEBUG"
    assert not settings.scheduler.enabled
    assert not settings.scheduler.local_runs and not settings.worker.enabled


def test_without_flags_settings_stay(line: Line, project: Project, served: list[Settings]) -> None:
    project.write("cfg/config.yaml", "server: {port: 7000}\nscheduler: {enabled: false}\n")
    assert line("serve", "--config-path", "cfg", "--environment", "staging").exit_code == 143
    (settings,) = served
    assert (settings.server.port, settings.environment, settings.logging.format) == (7000, "staging", "text")
    assert not settings.scheduler.enabled
    assert settings.scheduler.local_runs and not settings.worker.enabled


@pytest.mark.parametrize(
    ("words", "enabled", "local"),
    [((), False, True), (("--worker",), True, True), (("--worker", "--no-worker"), False, False)],
)
def test_worker_is_asked_for(
    line: Line, served: list[Settings], words: tuple[str, ...], enabled: bool, local: bool
) -> None:
    line("serve", *words)
    assert (served[0].worker.enabled, served[0].scheduler.local_runs) == (enabled, local)


def test_the_log_can_be_json(line: Line, served: list[Settings]) -> None:
    line("serve", "-o", "json")
    assert served[0].logging.format == "json"


def test_functions_of_the_working_folder_can_be_named(
    line: Line, project: Project, served: list[Settings]
) -> None:
    line("serve")
    assert sys.path[-1] == str(project.root)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--port", "70000"], 2, "70000 is not in the range"),
        (["--port", "http"], 2, "'http' is not a valid int"),
        (["--log-level", "LOUD"], 78, "logging.level: "),
        (["--environment", "moon"], 78, "expected one of development, staging, production"),
        (["--config-path", "nowhere"], 78, "config path nowhere does not exist"),
    ],
)
def test_serve_refuses(words: list[str], code: int, said: str, line: Line, served: list[Settings]) -> None:
    assert said in line.complaint("serve", *words, code=code)
    assert served == []


class Process:
    """A real service in a process of its own, and the real command line beside it."""

    def __init__(self, project: Project, database_url: str) -> None:
        self.environment = {
            **os.environ,
            "DATABASE_URL": database_url,
            "CRONZIMUS_SCHEDULER__SAMPLE_JOB": "no",
        }
        command = [sys.executable, "-m", "cronzimus", "serve", "--port", "0"]
        self.process = subprocess.Popen(
            command, cwd=project.root, env=self.environment, stderr=subprocess.PIPE, text=True
        )
        self.log: list[str] = []
        self.environment["CRONZIMUS_URL"] = self._wait_for(r"http://127\.0\.0\.1:\d+")

    def __call__(self, *words: str, code: int = 0) -> Any:
        """What a command answers in JSON."""
        command = [sys.executable, "-m", "cronzimus", *words, "-o", "json"]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == code, f"{words}: {done.stdout}{done.stderr}{''.join(self.log)}"
        return json.loads(done.stdout) if done.stdout else done.stderr

    def stop(self, number: int) -> int:
        """Ask it to stop; its exit code."""
        self.process.send_signal(number)
        try:
            self.process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
        return self.process.returncode

    def _wait_for(self, pattern: str) -> str:
        assert self.process.stderr is not None
        while select.select([self.process.stderr], [], [], 60)[0] and (
            said := self.process.stderr.readline()
        ):
            self.log.append(said)
            if match := re.search(pattern, said):
                return match[0]
        raise AssertionError(f"the service never said {pattern}: {''.join(self.log)}")


@pytest.fixture
def living(project: Project, database_url: str) -> Iterator[Process]:
    """A service that fires and runs, on a database of its own."""
    process = Process(project, database_url)
    yield process
    if process.process.poll() is None:
        process.stop(signal.SIGKILL)


def explained(living: Process, firing: Mapping[str, Any]) -> str:
    return str(living("why", "ticker", "--at", firing["due_at"])["sentence"])


@pytest.mark.e2e
def test_a_job_from_the_first_word_to_the_last(living: Process) -> None:
    assert living("jobs", "list")["items"] == []
    assert living("jobs", "add", "ticker", "--every", "1s", "--func", TASK)["version"] == 1
    started = living("jobs", "run", "ticker", "--wait", "--timeout", "30s")
    assert (started["state"], started["cause"]) == ("success", "manual")
    runs = living("runs", "list", "--job", "ticker", "--cause", "schedule", "--all")["items"]
    while not runs:
        runs = living("runs", "list", "--job", "ticker", "--cause", "schedule", "--all")["items"]
    assert living("runs", "wait", runs[-1]["id"], "--timeout", "30s")["state"] == "success"
    assert living("runs", "show", runs[-1]["id"])["attempts"][0]["state"] == "success"
    firing = living("firings", "list", "--job", "ticker", "--decision", "fired")["items"][-1]
    assert "fired" in explained(living, firing)
    assert living("verify", "--from", "-5m")["ok"] is True
    assert living("jobs", "pause", "ticker")["items"][0]["status"] == "paused"
    assert "paused" in living("jobs", "run", "ticker", code=1)
    assert living("jobs", "update", "ticker", "--cron", "@daily", "--if-version", "1")["version"] == 2
    assert [version["version"] for version in living("jobs", "versions", "ticker")["items"]] == [1, 2]
    assert (
        living("runs", "retry", started["id"], "--wait", "--timeout", "30s")["parent_run_id"] == started["id"]
    )
    assert "os" in living("jobs", "add", "evil", "--manual", "--func", "os:system", code=2)
    assert living("db", "current")["is_current"] is True
    assert living("jobs", "remove", "ticker", "--yes")["errors"] == []
    assert "there is no job" in living("jobs", "show", "ticker", code=1)
    assert living("verify", "--from", "-5m", "--job", "ticker")["ok"] is True


@pytest.mark.e2e
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_is_the_exit_code(number: int, code: int, living: Process) -> None:
    assert living.stop(number) == code
    assert "nothing answers at" in living("jobs", "list", code=69)


@pytest.mark.e2e
def test_a_run_is_cancelled(living: Process) -> None:
    living("jobs", "add", "sleepy", "--manual", "--kind", "shell", "--param", 'command=["sleep", "60"]')
    run_id = living("jobs", "run", "sleepy")["run_id"]
    assert "has not ended after 0.3 s" in living("runs", "wait", run_id, "--timeout", "0.3s", code=124)
    living("runs", "cancel", run_id)
    assert living("runs", "wait", run_id, "--timeout", "30s", code=1)["state"] == "cancelled"
