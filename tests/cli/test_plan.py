"""`plan` and `apply` against a real timetable: what people see, what programs get, what is refused."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from cronzimus.house import House
from cronzimus.settings import Settings
from tests.cli.line import Line
from tests.fixtures.project import Project

JOBS = """
    jobs:
      nightly:
        params: {func: "cronzimus.controller.task:task"}
        trigger: {type: cron, expression: "0 2 * * *", timezone: Europe/Berlin}
"""


@pytest.fixture
def real(database_url: str, front: Flask, front_url: str, project: Project) -> Iterator[House]:
    """A house on PostgreSQL in which nothing moves by itself, behind the front."""
    settings = Settings.model_validate({"scheduler": {"sample_job": False}})
    house = House(settings, url=database_url)
    front.extensions["cronzimus"] = house
    project.set(CRONZIMUS_URL=front_url)
    for name in ("CRONZIMUS_REVISION", "GIT_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA"):
        project.set(**{name: ""})
    yield house
    del front.extensions["cronzimus"]
    house.stop()


@pytest.fixture
def file(project: Project) -> Path:
    return project.write("jobs.yaml", JOBS)


def test_a_plan_is_shown_and_applied_by_its_hash(line: Line, real: House, file: Path) -> None:
    told = line.out("plan", file, "--next", 3)
    assert "create nightly" in told and told.count("appears") == 4
    assert "nightly (Europe/Berlin)" in told and "02:00:00+0" in told
    assert "\x1b" not in told
    token = told.rpartition("plan ")[2].partition(":")[0]
    assert line.out("apply", file, "--plan", token) == "applied: 1 create, 0 change, 0 remove, 0 unchanged\n"
    assert [job.id for job in real.timetable.list().items] == ["nightly"]
    said = line.complaint("apply", file, "--plan", token, code=1)
    assert "nightly was created by api" in said and "plan again" in said


def test_a_change_shows_what_moves(line: Line, real: House, file: Path) -> None:
    line.out("apply", file, "--yes", "--revision", "abc123")
    assert real.history.versions("nightly")[0].changed_by == "api (abc123)"
    file.write_text(file.read_text().replace("0 2 *", "0 3 *"))
    told = line.out("plan", file)
    assert "change nightly\n  trigger.expression: 0 2 * * * -> 0 3 * * *\n" in told
    assert "moves" in told and "before  >" in told and "at most 1 at once" in told
    assert told.rstrip().endswith("0 create, 1 change, 0 remove, 0 unchanged")


def test_a_plan_reads_standard_input_and_writes_json(line: Line, real: House) -> None:
    job = {"id": "a", "params": {"func": "cronzimus.controller.task:task"}, "trigger": {"type": "manual"}}
    answer = json.loads(line.out("plan", "-", "--json", given=json.dumps(job)))
    assert answer["summary"]["create"] == 1 and answer["jobs"][0]["firings"] == []


def test_faults_are_told_by_their_line(line: Line, real: House, project: Project) -> None:
    bad = project.write(
        "bad.yaml",
        JOBS.replace("0 2 *", "61 2 *")
        + JOBS.replace("    jobs:\n", "").replace("nightly", "weekly").replace("func", "fun"),
    )
    said = line.complaint("plan", bad, code=2)
    assert "bad.yaml:4: trigger.expression:" in said and "bad.yaml:7: params" in said
    assert line.complaint("apply", bad, "--yes", code=2) == said


def test_nobody_is_asked_when_nothing_changes(line: Line, real: House, file: Path) -> None:
    assert "say --yes" in line("apply", file).stderr
    line.out("apply", file, "--yes")
    assert "0 create, 0 change, 0 remove, 1 unchanged" in line.out("apply", file)
    assert line.json("apply", str(file))["done"]["unchanged"] == 1


def test_pruning_removes_what_is_not_named(line: Line, real: House, file: Path, project: Project) -> None:
    line.out("apply", file, "--yes")
    other = project.write("other.yaml", JOBS.replace("nightly", "weekly"))
    kept = line("plan", other)
    assert "1 jobs of the timetable are not named here and stay" in kept.stderr
    assert "remove nightly" in line.out("plan", other, "--prune")
    line.out("apply", other, "--yes", "--prune")
    assert [job.id for job in real.timetable.list().items] == ["weekly"]


def test_a_commit_named_by_a_build_service_is_recorded(
    line: Line, real: House, file: Path, project: Project
) -> None:
    project.set(GITHUB_SHA="0123abcd")
    line.out("apply", file, "--yes")
    assert real.history.versions("nightly")[0].changed_by == "api (0123abcd)"


def test_a_job_without_an_id_has_a_place(line: Line, real: House, project: Project) -> None:
    nameless = project.write("nameless.yaml", "- {trigger: {type: manual}}\n")
    assert "nameless.yaml:1: the job needs an id" in line.complaint("plan", nameless, code=2)
