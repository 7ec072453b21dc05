"""The timetable in code and files: who declares what, and who wins."""

from pathlib import Path
from typing import Any

import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from cronzimus.config import load_settings
from cronzimus.errors import ConfigError
from cronzimus.jobs import APSchedulerConfig
from cronzimus.jobs.job_factory import JobFactory

TASK = "cronzimus.controller.task:task"


def config(
    folder: Path, jobs: str = "", environment: str = "development", more: Any = ()
) -> APSchedulerConfig:
    base = folder / "config" / "base"
    base.mkdir(parents=True)
    (base / "jobs.yaml").write_text(jobs or "jobs: {}\n", encoding="utf-8")
    settings = load_settings(str(folder / "config"), environment)
    return APSchedulerConfig(settings, JobFactory(allowed_functions=["cronzimus.controller"]), more)


def test_sample_job_is_there_in_development_only(tmp_path: Path) -> None:
    (job,) = config(tmp_path).JOBS
    assert job["id"] == "sample_task"
    assert config(tmp_path / "b", environment="production").JOBS == []


def test_jobs_suit_plain_apscheduler(tmp_path: Path) -> None:
    scheduler = BackgroundScheduler(timezone="UTC")
    for job in config(tmp_path).JOBS:
        scheduler.add_job(**job)
    assert [job.id for job in scheduler.get_jobs()] == ["sample_task"]


def test_file_job_is_declared_with_its_source(tmp_path: Path) -> None:
    text = f"jobs:\n  nightly:\n    params: {{func: '{TASK}'}}\n    trigger: {{type: cron, expression: '0 2 * * *'}}\n"
    declared = {definition.id: source for definition, source in config(tmp_path, text).declared()}
    assert declared == {"sample_task": "code", "nightly": "file"}


def test_file_wins_over_code(tmp_path: Path) -> None:
    text = f"jobs:\n  sample_task:\n    params: {{func: '{TASK}'}}\n    trigger: {{type: manual}}\n"
    ((definition, source),) = config(tmp_path, text).declared()
    assert source == "file" and definition.triggers[0].type == "manual"


def test_more_jobs_from_code_are_declared(tmp_path: Path) -> None:
    more = [JobFactory.create_job(TASK, "interval", {"seconds": 9}, "mine")]
    assert {job["id"] for job in config(tmp_path, more=more).JOBS} == {"sample_task", "mine"}


def test_wrong_job_in_a_file_is_told_with_its_place(tmp_path: Path) -> None:
    text = f"jobs:\n  bad:\n    params: {{func: '{TASK}'}}\n    trigger: {{type: interval, seconds: -5}}\n"
    with pytest.raises(ConfigError, match=r"jobs\.yaml:2.*'bad'.*trigger\.seconds") as caught:
        config(tmp_path, text).declared()
    assert caught.value.code == "INVALID_TRIGGER"


def test_forbidden_function_in_a_file_is_told_too(tmp_path: Path) -> None:
    text = "jobs:\n  bad:\n    params: {func: 'os:system'}\n    trigger: {type: manual}\n"
    with pytest.raises(ConfigError, match="jobs.yaml") as caught:
        config(tmp_path, text).declared()
    assert caught.value.code == "FUNCTION_NOT_ALLOWED"


def test_date_that_has_come_does_not_stop_the_next_start(tmp_path: Path) -> None:
    date = "{type: date, run_date: '2020-01-01T00:00:00Z'}"
    text = f"jobs:\n  once:\n    params: {{func: '{TASK}'}}\n    trigger: {date}\n"
    assert {definition.id for definition, _ in config(tmp_path, text).declared()} == {"sample_task", "once"}


def test_stock_routes_stay_off(tmp_path: Path) -> None:
    assert config(tmp_path).SCHEDULER_API_ENABLED is False


MANUAL = "{kind: sql, params: {statement: SELECT 1}, trigger: {type: manual}}"


def test_files_are_read_again(tmp_path: Path) -> None:
    before = config(tmp_path, f"jobs:\n  a: {MANUAL}\n", environment="production")
    base = tmp_path / "config" / "base"
    (base / "jobs.yaml").write_text(f"jobs:\n  b: {MANUAL}\n")
    (base / "config.yaml").write_text("server: {port: 5999}\nlogging: {level: DEBUG}\n")
    again = before.read_again()
    assert [job["id"] for job in again.JOBS] == ["b"] and [job["id"] for job in before.JOBS] == ["a"]
    assert before.restart_needed(again) == ("server.port",)
    (base / "jobs.yaml").write_text("jobs:\n  b: {trigger: {type: monthly}}\n")
    with pytest.raises(ConfigError, match="'b'"):
        before.read_again()


def test_every_fault_of_the_files_is_told(tmp_path: Path) -> None:
    wrong = "{trigger: {type: monthly}}"
    faulty = config(tmp_path, f"jobs:\n  a: {wrong}\n  b: {MANUAL}\n  c: {wrong}\n")
    with pytest.raises(ConfigError, match="2 jobs in files cannot be used") as refused:
        faulty.declared()
    first, second = refused.value.faults
    assert "jobs.yaml:2" in first.message and "jobs.yaml:4" in second.message


def test_jobs_in_files_that_go_round_in_a_circle_are_refused(tmp_path: Path) -> None:
    job = "trigger: {type: manual}, params: {func: 'cronzimus.controller.task:task'}"
    text = f"jobs:\n  a: {{{job}, depends_on: [b]}}\n  b: {{{job}, depends_on: [a]}}\n"
    with pytest.raises(ConfigError, match="a → b → a") as caught:
        config(tmp_path, text).declared()
    assert caught.value.code == "DEPENDENCY_CYCLE"
