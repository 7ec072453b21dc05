"""`cronzimus runs logs`."""

import json
from dataclasses import replace

import pytest

from cronzimus.cli.logs import LEVELS, STREAMS
from cronzimus.common import logger
from cronzimus.models.log_line import Stream
from cronzimus.models.run import Run, RunState
from cronzimus.services.run_logs import LineFilter
from tests.api.fakes import NOW, FakeHouse, a_line, a_run
from tests.cli.line import Line


@pytest.fixture
def run(house: FakeHouse) -> Run:
    """A run that has ended and said something."""
    run = house.runs.put(replace(a_run("nightly"), state=RunState.SUCCESS, ended_at=NOW))
    logged = {"stream": Stream.LOG, "level": "WARNING", "logger": "mine"}
    house.operating.run_logs.lines = [
        a_line(run, 1, "printed\tthis \x9b\u202e"),
        a_line(run, 2, "logged", **logged),
        a_line(run, 3, "err", stream=Stream.STDERR),
    ]
    return run


ROWS = [
    "2026-03-01 12:00:00     stdout   printed\tthis \\x9b\\u202e",
    "2026-03-01 12:00:00     WARNING  logged",
    "2026-03-01 12:00:00     stderr   err",
]


def test_choices_are_those_of_the_models() -> None:
    assert set(STREAMS) == set(Stream) and LEVELS == logger.LEVELS


def test_log_is_shown_whole(line: Line, run: Run) -> None:
    assert line.out("runs", "logs", run.id).splitlines() == ROWS


def test_long_log_takes_several_pages(line: Line, run: Run, house: FakeHouse) -> None:
    house.operating.run_logs.lines = [a_line(run, seq, str(seq)) for seq in range(1, 2502)]
    said = line.out("runs", "logs", run.id).splitlines()
    assert [row.split()[-1] for row in said] == [str(seq) for seq in range(1, 2502)]


def test_end_of_a_log(line: Line, run: Run) -> None:
    assert line.out("runs", "logs", run.id, "--tail", 2).splitlines() == ROWS[1:]
    assert line("runs", "logs", run.id, "--tail", 0).stdout == ""


def test_log_as_json(line: Line, run: Run) -> None:
    items = line.json("runs", "logs", run.id)["items"]
    assert [item["seq"] for item in items] == [1, 2, 3]


def test_filters_reach_the_service(line: Line, run: Run, house: FakeHouse) -> None:
    line.out("runs", "logs", run.id, "--attempt", 2, "--level", "error", "--grep", "x y", "--stream", "log")
    assert house.operating.run_logs.asked["wanted"] == LineFilter("x y", "ERROR", Stream.LOG, 2)


def test_silence_is_told(line: Line, run: Run, house: FakeHouse) -> None:
    house.operating.run_logs.lines = []
    assert line("runs", "logs", run.id).stderr == f"run {run.id} said nothing\n"
    assert line("runs", "logs", run.id, "--grep", "x").stderr == f"run {run.id} said nothing like this\n"
    assert line.json("runs", "logs", run.id) == {"items": []}


def test_follow_goes_to_the_end_of_the_run(line: Line, run: Run) -> None:
    assert line.out("runs", "logs", run.id, "-f").splitlines() == ROWS
    said = line.out("runs", "logs", run.id, "-f", "-o", "json").splitlines()
    assert [json.loads(row)["seq"] for row in said] == [1, 2, 3]


@pytest.mark.parametrize(("tail", "rows"), [(0, []), (1, ROWS[2:]), (9, ROWS)])
def test_follow_begins_near_the_end(line: Line, run: Run, tail: int, rows: list[str]) -> None:
    assert line.out("runs", "logs", run.id, "-f", "--tail", tail).splitlines() == rows


@pytest.mark.parametrize("words", [[], ["-f"], ["--tail", "3"]])
def test_log_of_no_run(line: Line, house: FakeHouse, words: list[str]) -> None:
    nobody = "01890a5d-ac96-774b-bcce-b302099a8057"
    assert "there is no run" in line.complaint("runs", "logs", nobody, *words, code=1)


@pytest.mark.parametrize(
    "words", [["--level", "loud"], ["--tail", "-1"], ["--attempt", "0"], ["--stream", "tape"]]
)
def test_wrong_words_are_usage_errors(line: Line, run: Run, words: list[str]) -> None:
    assert words[0] in line.complaint("runs", "logs", run.id, *words, code=2)


def test_search_shows_whose_lines_they_are(line: Line, run: Run) -> None:
    assert line.out("logs", "x").splitlines() == [f"{run.id} nightly {row}" for row in ROWS]


def test_search_hands_its_filters_on(line: Line, run: Run, house: FakeHouse) -> None:
    line.out("logs", "x", "--job", "nightly", "--level", "info", "--stream", "log", "--since", "2026-03-01")
    asked = house.operating.run_logs.asked
    assert (asked["wanted"], asked["job_id"]) == (LineFilter("x", "INFO", Stream.LOG), "nightly")
    assert (asked["since"], asked["until"]) == (NOW.replace(hour=0), None)


def test_search_goes_on_until_it_has_enough(line: Line, run: Run, house: FakeHouse) -> None:
    house.operating.run_logs.stopped_at = (NOW, 9)
    items = line.json("logs", "--limit", 7)["items"]
    assert [item["seq"] for item in items] == [1, 2, 3, 1, 2, 3, 1]
    assert house.operating.run_logs.asked["before"] == (NOW, 9)


def test_search_that_finds_nothing_says_so(line: Line, house: FakeHouse) -> None:
    assert line("logs", "x").stderr == "no run said anything like this\n"


def test_run_is_started_and_followed(line: Line, run: Run, house: FakeHouse) -> None:
    complaint = line.complaint("-o", "json", "jobs", "run", "nightly", "--follow", code=2)
    assert "--follow" in complaint
