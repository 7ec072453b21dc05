"""Names of jobs and ids of runs as arguments."""

import click
import pytest
from click.testing import CliRunner

from cronzimus.cli.command import Session
from cronzimus.cli.names import JOB, RUN
from tests.api.fakes import FakeHouse, document
from tests.cli.line import Line


def completed(incomplete: str) -> list[str]:
    context = click.Context(click.Command("show"), obj=Session())
    return [item.value for item in JOB.shell_complete(context, click.Argument(["job"]), incomplete)]


@pytest.mark.parametrize("name", ["a", "nightly-2", "a_b"])
def test_job_names_pass(name: str) -> None:
    assert JOB.convert(name, None, None) == name


@pytest.mark.parametrize("name", ["", "A", "../x", "a b", "ü", "-x"])
def test_job_names_are_checked(name: str) -> None:
    with pytest.raises(click.BadParameter, match="cannot be the id of a job"):
        JOB.convert(name, None, None)


def test_run_ids_are_uuids() -> None:
    command = click.Command(
        "show", params=[click.Argument(["run_id"], type=RUN)], callback=lambda run_id: None
    )
    assert "'x' is not a valid UUID" in CliRunner().invoke(command, ["x"]).output


def test_jobs_are_completed_by_the_service(house: FakeHouse, line: Line) -> None:
    for name in ("nightly", "hourly", "not-nightly"):
        line.out("jobs", "add", name, "--every", "1h", "--func", document()["params"]["func"])
    assert completed("n") == ["nightly", "not-nightly"]
    assert completed("ni") == ["nightly"]
    assert completed("") == ["hourly", "nightly", "not-nightly"]


def test_completion_without_a_service_is_silent(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRONZIMUS_URL", "http://127.0.0.1:9")
    assert completed("n") == []
    monkeypatch.setenv("CRONZIMUS_URL", "nonsense")
    assert completed("n") == []
