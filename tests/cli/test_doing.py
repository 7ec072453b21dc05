"""`cronzimus jobs pause`, `resume` and `run` with what came later: tags, moments, keys."""

import pytest

from cronzimus.cli.client import Client, ConnectionLost
from cronzimus.models.job import JobDefinition
from tests.api.fakes import FakeHouse, document
from tests.cli.line import Line


@pytest.fixture(autouse=True)
def hourly(house: FakeHouse) -> None:
    """A job that exists."""
    house.timetable.add(JobDefinition.model_validate(document()), by="test")


def test_jobs_with_a_tag_are_paused_together(line: Line, house: FakeHouse) -> None:
    for name in ("one", "two"):
        line.out("jobs", "add", name, "--manual", "--func", document()["params"]["func"], "--tag", "x")
    assert line.out("jobs", "pause", "--tag", "x", "--yes") == "paused 2 of 2 jobs\n"
    assert {name: job.status for name, job in house.timetable.jobs.items()}["one"] == "paused"
    assert line.out("jobs", "resume", "--tag", "x", "--yes") == "resumed 2 of 2 jobs\n"


def test_a_tag_and_names_are_not_both(line: Line) -> None:
    assert "not both" in line.complaint("jobs", "pause", "hourly", "--tag", "x", code=2)


def test_a_run_as_of_a_moment_with_parameters(line: Line, house: FakeHouse) -> None:
    line.out("jobs", "run", "hourly", "--as-of", "2026-03-01T00:00:00Z", "--params-json", '{"a": [1]}')
    (run,) = house.runs.runs.values()
    assert run.params == {"a": [1]} and run.due_at is not None and run.due_at.year == 2026


@pytest.mark.parametrize("text", ["{", "[1]", "5"])
def test_parameters_must_be_an_object(line: Line, text: str) -> None:
    assert "--params-json" in line.complaint("jobs", "run", "hourly", "--params-json", text, code=2)


def test_a_lost_connection_is_asked_again_under_the_same_key(monkeypatch: pytest.MonkeyPatch) -> None:
    keys: list[str] = []

    def ask(self: Client, *args: object, headers: dict[str, str], **more: object) -> object:
        keys.append(headers["Idempotency-Key"])
        if len(keys) < 3:
            raise ConnectionLost("gone")
        return {"ok": True}

    monkeypatch.setattr(Client, "_ask", ask)
    monkeypatch.setattr("cronzimus.cli.client.time.sleep", lambda seconds: None)
    assert Client().post_once("jobs", "a", "run") == {"ok": True}
    assert len(keys) == 3 and len(set(keys)) == 1
