"""`cronzimus runs`."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cronzimus.cli.runs import CAUSES, STATES
from cronzimus.models.run import Cause, Run, RunState
from tests.api.fakes import NOW, FakeHouse, a_run
from tests.cli.line import Line

LATER = NOW + timedelta(seconds=1.5)


@pytest.fixture
def waiting(house: FakeHouse) -> Run:
    """A run nobody has claimed."""
    return house.runs.put(a_run())


@pytest.fixture
def failed(house: FakeHouse) -> Run:
    """A run that came to a bad end after two tries."""
    times = {"due_at": NOW, "started_at": NOW, "ended_at": LATER, "worker_id": "local"}
    error = {"type": "OSError", "message": "no space left\n\x1b[2J"}
    return house.runs.put(
        a_run("nightly", state=RunState.FAILED, attempt=2, max_attempts=2, error=error, **times)
    )


def test_choices_are_those_of_the_models() -> None:
    assert set(STATES) == set(RunState) and set(CAUSES) == set(Cause)


def test_list(line: Line, waiting: Run, failed: Run) -> None:
    titles, first, second = line.out("runs", "list").splitlines()
    assert titles.split() == ["ID", "JOB", "STATE", "DUE", "CAUSE", "TOOK", "TRY", "ERROR"]
    assert first.split()[:3] == [str(waiting.id), "hourly", "pending"] and first.endswith("0/1  -")
    assert "1.5 s  2/2  no space left\\n\\x1b[2J" in second


def test_list_as_json(line: Line, waiting: Run, failed: Run) -> None:
    assert [run["id"] for run in line.json("runs", "list")["items"]] == [str(waiting.id), str(failed.id)]


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["--job", "nightly"], {"job_id": "nightly"}),
        (["--state", "failed", "--cause", "retry"], {"state": "failed", "cause": "retry"}),
        (["--kind", "http", "--worker", "w1"], {"kind": "http", "worker_id": "w1"}),
        (
            ["--since", "2026-03-01T12:00+02:00", "--until", "2026-03-02"],
            {"since": datetime(2026, 3, 1, 10, tzinfo=UTC), "until": datetime(2026, 3, 2, tzinfo=UTC)},
        ),
    ],
)
def test_list_filters(words: list[str], asked: dict[str, Any], line: Line, house: FakeHouse) -> None:
    assert line("runs", "list", *words).stderr == "no runs\n"
    assert {name: value for name, value in house.history.asked.items() if value is not None} == asked


def test_list_since_a_while_ago(line: Line, house: FakeHouse) -> None:
    line.out("runs", "list", "--since", "-1h")
    passed = datetime.now(UTC) - house.history.asked["since"]
    assert timedelta(hours=1) <= passed < timedelta(hours=2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--since", "long ago"], "--since: expected now, -5m"),
        (["--until", "25:00"], "--until: expected"),
        (["--state", "done"], "'done' is not one of"),
        (["--job", "A b"], "cannot be the id of a job"),
    ],
)
def test_list_refuses(words: list[str], said: str, line: Line, house: FakeHouse) -> None:
    assert said in line.complaint("runs", "list", *words, code=2)


def test_show(line: Line, failed: Run) -> None:
    text = line.out("runs", "show", failed.id)
    fields = dict(row.split(":", 1) for row in text.partition("\n\n")[0].splitlines())
    said = {name: value.strip() for name, value in fields.items()}
    assert (said["job"], said["state"], said["attempt"]) == ("nightly (version 1)", "failed", "2 of 2")
    assert (said["started"], said["took"]) == ("2026-03-01 12:00:00Z", "1.5 s")
    assert "OSError" in said["error"] and "result" not in said
    assert [row.split()[0] for row in text.partition("\n\n")[2].splitlines()] == ["TRY", "1", "2"]


def test_show_before_the_first_attempt(line: Line, waiting: Run) -> None:
    assert "\n\n" not in line.out("runs", "show", waiting.id)


def test_show_as_json(line: Line, failed: Run) -> None:
    assert len(line.json("runs", "show", failed.id)["attempts"]) == 2


@pytest.mark.parametrize("verb", ["show", "cancel", "retry", "wait"])
def test_a_run_that_is_not_there(verb: str, line: Line, house: FakeHouse) -> None:
    unknown = "00000000-0000-7000-8000-000000000000"
    assert line.complaint("runs", verb, unknown, code=1) == f"cronzimus: there is no run {unknown}\n"
    assert "'7' is not a valid UUID" in line.complaint("runs", verb, "7", code=2)


def test_cancel(line: Line, waiting: Run) -> None:
    assert line.out("runs", "cancel", waiting.id) == f"run {waiting.id} of hourly ended cancelled\n"
    assert (
        line.complaint("runs", "cancel", waiting.id, code=1)
        == f"cronzimus: run {waiting.id} has ended already\n"
    )


def test_cancel_of_a_run_that_runs(line: Line, house: FakeHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    run = house.runs.put(a_run(state=RunState.RUNNING))
    monkeypatch.setattr(house.runs, "cancel", lambda run_id, by: run)
    assert line.out("runs", "cancel", run.id) == f"run {run.id} of hourly is running and was asked to stop\n"
    assert line.json("runs", "cancel", run.id)["state"] == "running"


def test_retry(line: Line, house: FakeHouse, failed: Run) -> None:
    said = line.out("runs", "retry", failed.id)
    new = next(run for run in house.runs.runs.values() if run.parent_run_id == failed.id)
    assert said == f"run {new.id} of nightly is pending\n"
    assert line.json("runs", "retry", failed.id)["run"]["cause"] == "retry"


def test_retry_of_a_run_that_is_not_over(line: Line, waiting: Run) -> None:
    assert "has not ended yet" in line.complaint("runs", "retry", waiting.id, code=1)


def test_retry_and_wait(line: Line, house: FakeHouse, failed: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    done = house.runs.put(a_run(state=RunState.SUCCESS, started_at=NOW, ended_at=LATER))
    monkeypatch.setattr(house.runs, "retry", lambda run_id, by: done)
    assert (
        line.out("runs", "retry", failed.id, "--wait")
        == f"run {done.id} of hourly ended success after 1.5 s\n"
    )
    assert "--timeout: says how long" in line.complaint("runs", "retry", failed.id, "--timeout", "1s", code=2)


def test_wait(line: Line, waiting: Run, failed: Run) -> None:
    complaint = line.complaint("runs", "wait", waiting.id, "--timeout", "0", code=124)
    assert complaint == f"cronzimus: run {waiting.id} has not ended after 0 s: pending\n"
    result = line("runs", "wait", failed.id)
    assert result.exit_code == 1 and "ended failed after 1.5 s: no space left" in result.stdout
    assert "\x1b" not in result.stdout


def test_wait_as_json(line: Line, failed: Run) -> None:
    assert line.json("runs", "wait", failed.id, code=1)["state"] == "failed"
