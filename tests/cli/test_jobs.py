"""`cronzimus jobs`: reading, pausing, running."""

import json
from dataclasses import replace
from typing import Any

import pytest

from cronzimus.cli.jobs import SOURCES, STATUSES
from cronzimus.models.job import JobStatus, Source
from cronzimus.models.run import RunState
from tests.api.fakes import FakeHouse, a_run, document
from tests.cli.line import Line

FUNC = document()["params"]["func"]


@pytest.fixture(autouse=True)
def jobs(house: FakeHouse, line: Line) -> None:
    """Two jobs."""
    line.out("jobs", "add", "hourly", "--every", "1h", "--func", FUNC, "--tag", "a")
    line.out("jobs", "add", "nightly", "--cron", "0 2 * * *", "--func", FUNC, "--timezone", "Europe/Berlin")


def test_choices_are_those_of_the_models() -> None:
    assert set(STATUSES) == set(JobStatus) and set(SOURCES) == set(Source)


def test_list_shows_where_jobs_stand(line: Line) -> None:
    titles, hourly, nightly = line.out("jobs", "list").splitlines()
    assert titles.split() == ["ID", "STATUS", "TRIGGER", "NEXT", "KIND", "SOURCE", "TAGS"]
    assert hourly.split()[:4] == ["hourly", "active", "every", "1h"] and hourly.endswith("  a")
    assert "cron 0 2 * * *" in nightly


def test_list_is_one_json_document(line: Line) -> None:
    page = line.json("jobs", "list")
    assert [job["id"] for job in page["items"]] == ["hourly", "nightly"]
    assert (page["total"], page["limit"], page["offset"]) == (2, 50, 0)


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (["--tag", "a"], ["hourly"]),
        (["--search", "night"], ["nightly"]),
        (["--kind", "shell"], []),
        (["--status", "paused"], []),
        (["--source", "api", "--kind", "function"], ["hourly", "nightly"]),
        (["--limit", "1"], ["hourly"]),
        (["--limit", "1", "--offset", "1"], ["nightly"]),
        (["--limit", "1", "--all"], ["hourly", "nightly"]),
    ],
)
def test_list_filters(words: list[str], ids: list[str], line: Line) -> None:
    assert [job["id"] for job in line.json("jobs", "list", *words)["items"]] == ids


def test_list_says_what_it_leaves_out(line: Line) -> None:
    assert (
        line("jobs", "list", "--limit", "1").stderr == "1 more jobs: --all shows them, --offset 1 goes on\n"
    )
    result = line("jobs", "list", "--tag", "none")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "no jobs\n")


def test_show_tells_everything(line: Line) -> None:
    text = line.out("jobs", "show", "nightly", "--next", "2")
    fields = dict(row.split(":", 1) for row in text.partition("\n\n")[0].splitlines())
    assert fields["trigger"].strip() == "cron 0 2 * * *" and fields["timezone"].strip() == "Europe/Berlin"
    assert "max_attempts=1" in fields["policy"] and "timeout" not in fields["policy"]
    assert (
        json.loads(fields["params"]) == {"func": FUNC, "args": [], "kwargs": {}} or FUNC in fields["params"]
    )
    assert len(text.partition("\n\n")[2].splitlines()) == 3


def test_show_as_json_is_what_the_service_says(line: Line) -> None:
    job = line.json("jobs", "show", "hourly", "--next", "3")
    assert job["definition"]["trigger"]["hours"] == 0 and job["definition"]["trigger"]["seconds"] == 3600
    assert len(job["next"]) == 3


def test_show_without_what_comes_next(line: Line, house: FakeHouse) -> None:
    house.timetable.jobs["hourly"] = replace(house.timetable.jobs["hourly"], status_reason="it is over")
    text = line.out("jobs", "show", "hourly", "--next", "0")
    assert "active (it is over)" in text and "LOCAL" not in text


def test_show_of_nothing(line: Line) -> None:
    assert line.complaint("jobs", "show", "gone", code=1) == "cronzimus: there is no job 'gone'\n"


@pytest.mark.parametrize("words", [["--next", "51"], ["--next", "-1"], ["--next", "x"]])
def test_show_refuses_too_far_a_look(words: list[str], line: Line) -> None:
    assert "--next" in line.complaint("jobs", "show", "hourly", *words, code=2)


def test_pause_and_resume(line: Line, house: FakeHouse) -> None:
    assert line.out("jobs", "pause", "hourly", "nightly") == "paused hourly\npaused nightly\n"
    assert {job.status for job in house.timetable.jobs.values()} == {JobStatus.PAUSED}
    assert line.out("jobs", "resume", "hourly") == "resumed hourly\n"
    assert house.timetable.jobs["hourly"].status == JobStatus.ACTIVE


def test_pause_goes_on_after_a_refusal(line: Line, house: FakeHouse) -> None:
    house.timetable.jobs["hourly"] = replace(house.timetable.jobs["hourly"], status=JobStatus.FINISHED)
    result = line("jobs", "pause", "gone", "hourly", "nightly")
    assert (result.exit_code, result.stdout) == (1, "paused nightly\n")
    assert result.stderr == "cronzimus: there is no job 'gone'\ncronzimus: job 'hourly' has finished\n"


def test_pause_as_json(line: Line) -> None:
    answer = line.json("jobs", "pause", "nightly", "gone", code=1)
    assert [(job["id"], job["status"]) for job in answer["items"]] == [("nightly", "paused")]
    assert [(error["id"], error["code"]) for error in answer["errors"]] == [("gone", "JOB_NOT_FOUND")]


def test_a_job_must_be_named(line: Line) -> None:
    assert "missing argument 'ID...'" in line.complaint("jobs", "remove", code=2)
    for verb in ("pause", "resume"):
        assert "give the IDs of jobs or --tag" in line.complaint("jobs", verb, code=2)


def test_run_answers_at_once(line: Line, house: FakeHouse) -> None:
    said = line.out("jobs", "run", "hourly", "--param", "n=5", "--param", "name=x")
    (run,) = house.runs.runs.values()
    assert said == f"run {run.id} of hourly is pending\n"
    assert run.params == {"n": 5, "name": "x"}


def test_run_as_json(line: Line, house: FakeHouse) -> None:
    answer = line.json("jobs", "run", "hourly")
    assert answer["run_id"] == answer["run"]["id"] == str(next(iter(house.runs.runs)))


def test_run_of_a_paused_job_wants_force(line: Line) -> None:
    line.out("jobs", "pause", "hourly")
    assert line.complaint("jobs", "run", "hourly", code=1) == "cronzimus: job 'hourly' is paused\n"
    line.out("jobs", "run", "hourly", "--force")


@pytest.mark.parametrize(
    ("state", "code"),
    [(RunState.SUCCESS, 0), (RunState.PARTIAL, 1), (RunState.FAILED, 1), (RunState.CANCELLED, 1)],
)
def test_run_and_wait(
    state: RunState, code: int, line: Line, house: FakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trigger(job_id: str, **_: Any) -> Any:
        return house.runs.put(a_run(job_id, state=state))

    monkeypatch.setattr(house.runs, "trigger", trigger)
    result = line("jobs", "run", "hourly", "--wait")
    assert result.exit_code == code and f"ended {state}" in result.stdout


def test_run_and_wait_in_vain(line: Line) -> None:
    complaint = line.complaint("jobs", "run", "hourly", "--wait", "--timeout", "0.2s", code=124)
    assert complaint.endswith("has not ended after 0.2 s: pending\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--timeout", "5s"], "--timeout: says how long to wait"),
        (["--param", "n"], "expected name=value"),
        (["--wait", "--timeout", "soon"], "expected a duration"),
    ],
)
def test_run_refuses(words: list[str], said: str, line: Line, house: FakeHouse) -> None:
    assert said in line.complaint("jobs", "run", "hourly", *words, code=2)
    assert house.runs.runs == {}


def test_versions(line: Line) -> None:
    line.out("jobs", "update", "hourly", "--every", "2h")
    line.out("jobs", "remove", "hourly", "--yes")
    rows = [row.split() for row in line.out("jobs", "versions", "hourly").splitlines()]
    assert [row[:2] for row in rows] == [
        ["VERSION", "CHANGE"],
        ["1", "create"],
        ["2", "replace"],
        ["3", "delete"],
    ]
    assert rows[2][-2:] == ["every", "2h"] and rows[3][-1] == "-"
    assert line.json("jobs", "versions", "hourly", "--limit", "2")["total"] == 3
