"""`export` and `drift`: a file that says what stands, and what stands otherwise."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from cronzimus.common import yaml
from cronzimus.house import House
from tests.cli.line import Line
from tests.fixtures.project import Project
from tests.heart import definition

JOBS = """
    jobs:
      nightly:
        params: {func: "cronzimus.controller.task:task"}
        trigger: {type: cron, expression: "0 2 * * *"}
"""


@pytest.fixture
def real(database_url: str, front: Flask, front_url: str, project: Project) -> Iterator[House]:
    """A house with one job of a file, in which nothing moves by itself, behind the front."""
    project.write("config/base/jobs.yaml", JOBS)
    project.set(CRONZIMUS_URL=front_url)
    house = House(project.load({"scheduler.sample_job": False}), url=database_url)
    house.timetable.synchronise(house.config.declared())
    front.extensions["cronzimus"] = house
    yield house
    del front.extensions["cronzimus"]
    house.stop()


def test_an_export_comes_back_as_it_was(line: Line, real: House, tmp_path: Path) -> None:
    real.timetable.add(definition("mine", tags=["x"]), by="me")
    text = line.out("export")
    assert list(yaml.load(text).data["jobs"]) == ["mine", "nightly"]
    assert line.json("export") == yaml.load(text).data
    assert list(line.json("export", "--tag", "x")["jobs"]) == ["mine"]
    file = tmp_path / "out.yaml"
    assert f"2 jobs written to {file}" in line("export", "--out", file).stderr
    assert file.read_text() == text
    assert "0 create, 0 change, 0 remove, 2 unchanged" in line.out("plan", file, "--prune")
    assert line("drift", file).exit_code == 0
    assert "cannot be written" in line.complaint("export", "--out", tmp_path / "no" / "way", code=2)


def test_drift_ends_with_1(line: Line, real: House, project: Project) -> None:
    assert line("drift").exit_code == 0
    assert "is what is declared" in line("drift").stderr
    real.timetable.replace(definition("nightly", trigger={"type": "manual"}), by="ann")
    real.timetable.add(definition("mine"), by="ann")
    found = line("drift")
    assert found.exit_code == 1
    assert "nightly  changed" in found.stdout and "trigger.type: cron -> manual" in found.stdout
    assert "mine     undeclared" in found.stdout and "ann" in found.stdout
    assert [one["id"] for one in line.json("drift", "--declared-only", code=1)["drifted"]] == ["nightly"]


def test_drift_from_a_file(line: Line, real: House, project: Project) -> None:
    other = project.write(
        "other.yaml",
        JOBS.replace("0 2 *", "0 4 *") + JOBS.replace("    jobs:\n", "").replace("nightly", "weekly"),
    )
    found = line.json("drift", str(other), code=1)["drifted"]
    assert [(one["id"], one["kind"]) for one in found] == [("nightly", "changed"), ("weekly", "missing")]
    assert found[0]["fields"][0] == {
        "field": "trigger.expression",
        "before": "0 4 * * *",
        "after": "0 2 * * *",
    }


def test_a_service_reads_its_files_again(line: Line, real: House, project: Project) -> None:
    project.write("config/base/jobs.yaml", JOBS.replace("nightly", "weekly"))
    project.write("config/base/config.yaml", "server: {port: 5999}")
    done = line("config", "reload")
    assert done.stdout == "reloaded: 1 jobs are declared\n"
    assert "waiting for a restart: server.port" in done.stderr
    assert "weekly" in line.out("jobs", "list")
    project.write("config/base/jobs.yaml", JOBS.replace("0 2 *", "61 2 *"))
    assert "jobs.yaml:2" in line.complaint("config", "reload", code=2)
    assert "weekly" in line.out("jobs", "list")
