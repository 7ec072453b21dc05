"""`cronzimus jobs diff`, `restore` and `preview`."""

import pytest

from cronzimus.models.job import JobDefinition
from tests.api.fakes import FakeHouse, document
from tests.cli.line import Line


@pytest.fixture(autouse=True)
def hourly(house: FakeHouse) -> None:
    """A job that exists."""
    house.timetable.add(JobDefinition.model_validate(document()), by="test")


def test_diff_and_restore(line: Line, house: FakeHouse) -> None:
    line.out("jobs", "update", "hourly", "--description", "changed")
    assert "description" in line.out("jobs", "diff", "hourly", "1", "2")
    said = line.out("jobs", "restore", "hourly", "1", "--if-version", "2")
    assert said == "restored hourly to version 1; it is version 3 now\n"
    assert house.timetable.jobs["hourly"].definition["description"] == ""


def test_restore_of_another_version_is_refused(line: Line) -> None:
    assert "version" in line.complaint("jobs", "restore", "hourly", "1", "--if-version", "9", code=1)


def test_preview_shows_the_instants_and_the_call(line: Line) -> None:
    said = line.out("jobs", "preview", "hourly", "--as-of", "2026-03-01T00:30:00Z")
    assert "2026-03-01 00:00:00Z" in said and "cronzimus.controller.task:task" in said
