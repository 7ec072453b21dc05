"""`cronzimus jobs add`, `update` and `remove`."""

import json
from typing import Any

import pytest

from cronzimus.jobs.job_factory import JobFactory
from tests.api.fakes import FakeHouse, document
from tests.cli.line import Line
from tests.fixtures.project import Project

FUNC = document()["params"]["func"]
HOURLY = ("jobs", "add", "hourly", "--every", "1h", "--func", FUNC)


def stored(house: FakeHouse, job_id: str = "hourly") -> dict[str, Any]:
    return house.timetable.jobs[job_id].definition


def test_add_by_options(line: Line, house: FakeHouse) -> None:
    said = line.out(*HOURLY, "--max-attempts", "3", "--overlap", "queue", "--timeout", "90s", "--tag", "a")
    assert said.startswith("added hourly (version 1, active, due 20") and said.endswith("Z)\n")
    job = stored(house)
    assert job["trigger"]["seconds"] == 3600 and job["tags"] == ["a"]
    assert (job["policy"]["max_attempts"], job["policy"]["overlap"], job["policy"]["timeout"]) == (
        3,
        "queue",
        90,
    )


def test_add_answers_with_the_job(line: Line, house: FakeHouse) -> None:
    assert line.json(*HOURLY)["id"] == "hourly"


def test_add_by_hand_only(line: Line, house: FakeHouse) -> None:
    said = line.out("jobs", "add", "manual", "--manual", "--func", FUNC)
    assert said == "added manual (version 1, active, never due by itself)\n"


def test_add_of_several_triggers(line: Line, house: FakeHouse) -> None:
    line.out(*HOURLY, "--cron", "0 2 * * *", "--dst", "both", "--timezone", "Europe/Berlin")
    interval, cron = stored(house)["trigger"]
    assert (interval["type"], cron["type"], cron["dst"]) == ("interval", "cron", "both")
    assert stored(house)["timezone"] == "Europe/Berlin"


def test_add_of_another_kind(line: Line, house: FakeHouse) -> None:
    line.out(
        "jobs",
        "add",
        "ping",
        "--kind",
        "http",
        "--param",
        "url=http://h/",
        "--param",
        "expect=[200]",
        "--every",
        "5m",
    )
    assert (stored(house, "ping")["params"]["url"], stored(house, "ping")["params"]["expect"]) == (
        "http://h/",
        [200],
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["x"], "say when the job is due: --every, --cron, --at or --manual"),
        ([], "give the ID of the job and when it is due, or --file"),
        (["../x", "--manual"], "'../x' cannot be the id of a job"),
        (["x", "--manual", "--func", "os:system"], "params.func: functions of 'os' are not allowed"),
        (["x", "--cron", "61 * * * *", "--func", FUNC], "trigger.expression: minute: '61' is not allowed"),
        (["x", "--cron", "0 0 31 2 *", "--func", FUNC], "never fires"),
        (["x", "--every", "0", "--func", FUNC], "trigger.seconds: the interval must last at least 1 second"),
        (["x", "--at", "2020-01-01", "--func", FUNC], "has passed"),
        (["x", "--every", "1h", "--timezone", "Europe/Berln", "--func", FUNC], "did you mean"),
        (
            ["x", "--every", "1h", "--overlap", "never"],
            "'never' is not one of 'allow', 'skip', 'queue', 'replace'",
        ),
        (["x", "--every", "1h", "--priority", "high"], "'high' is not a valid integer"),
    ],
)
def test_add_refuses(words: list[str], said: str, line: Line, house: FakeHouse) -> None:
    complaint = line.complaint("jobs", "add", *words, code=2)
    assert complaint.startswith("cronzimus: ") and said in complaint
    assert house.timetable.jobs == {}


def test_add_twice(line: Line, house: FakeHouse) -> None:
    line.out(*HOURLY)
    assert line.complaint(*HOURLY, code=1) == "cronzimus: a job 'hourly' exists already\n"


def test_add_by_file(line: Line, house: FakeHouse, project: Project) -> None:
    project.write(
        "jobs.yaml", f"jobs:\n  a:\n    params: {{func: '{FUNC}'}}\n    trigger: {{type: manual}}\n"
    )
    assert line.out("jobs", "add", "--file", "jobs.yaml") == "added a\n"
    assert stored(house, "a")["trigger"] == {"type": "manual"}


def test_add_by_file_on_standard_input(line: Line, house: FakeHouse) -> None:
    line.out("jobs", "add", "--file", "-", given=json.dumps([document("a"), document("b")]))
    assert set(house.timetable.jobs) == {"a", "b"}


def test_add_by_file_names_the_line_of_each_fault(line: Line, house: FakeHouse, project: Project) -> None:
    text = f"""
        - id: good
          params: {{func: '{FUNC}'}}
          trigger: {{type: manual}}
        - id: bad
          params: {{func: '{FUNC}'}}
          trigger:
            type: interval
            seconds: 0
        - id: worse
          params: {{func: '{FUNC}'}}
          quue: q
          trigger: {{type: manual}}
          priority: high
        """
    project.write("jobs.yaml", text)
    result = line("jobs", "add", "--file", "jobs.yaml")
    assert (result.exit_code, result.stdout) == (2, "added good\n")
    bad, worse, *faults = result.stderr.splitlines()
    assert bad.startswith("cronzimus: jobs.yaml:8: trigger.seconds: the interval must last")
    assert worse == "cronzimus: jobs.yaml:9: 2 faults in job worse"
    assert sorted(fault.strip().partition(" ")[0] for fault in faults) == ["jobs.yaml:11:", "jobs.yaml:13:"]


def test_add_by_file_as_json(line: Line, house: FakeHouse, project: Project) -> None:
    project.write("a.json", json.dumps(document("a")) * 2)
    answer = line.json("jobs", "add", "--file", "a.json", code=1)
    assert [job["id"] for job in answer["items"]] == ["a"]
    assert [error["code"] for error in answer["errors"]] == ["JOB_EXISTS"]


def test_an_id_may_name_the_job_of_a_file(line: Line, house: FakeHouse, project: Project) -> None:
    nameless = document()
    del nameless["id"]
    project.write("x.json", json.dumps(nameless))
    assert line.out("jobs", "add", "mine", "--file", "x.json") == "added mine\n"
    assert line.out("jobs", "update", "mine", "--file", "x.json") == "updated mine\n"


@pytest.mark.parametrize(
    ("words", "text", "said"),
    [
        (["--file", "x.json", "--every", "1h"], document("a"), "--file: holds the whole document"),
        (["other", "--file", "x.json"], document("a"), "x.json: holds a, not the one job other"),
        (["--file", "x.json"], {"trigger": {}}, "x.json:1: the job needs an id that is text"),
        (["--file", "x.json"], {"id": 7}, "x.json:1: the job needs an id that is text"),
        (["a", "--file", "x.json"], [document("a"), document("b")], "x.json: holds a, b, not the one job a"),
        (["--file", "gone.json"], {}, "gone.json: cannot be read"),
    ],
)
def test_files_are_checked_before_anything_is_sent(
    words: list[str], text: Any, said: str, line: Line, house: FakeHouse, project: Project
) -> None:
    project.write("x.json", json.dumps(text))
    assert said in line.complaint("jobs", "add", *words, code=2)
    assert house.timetable.jobs == {}


@pytest.fixture
def shorten(house: FakeHouse) -> tuple[str, ...]:
    """Options of a function that takes parameters."""
    house.factory = JobFactory(allowed_functions=("textwrap",))
    return ("--every", "1h", "--func", "textwrap:shorten", "--param", "text=long", "--param", "width=5")


def test_update_changes_what_it_names(line: Line, house: FakeHouse, shorten: tuple[str, ...]) -> None:
    line.out("jobs", "add", "hourly", *shorten, "--tag", "a", "--max-attempts", "3")
    said = line.out("jobs", "update", "hourly", "--cron", "@daily", "--timeout", "5s", "--description", "new")
    assert said.startswith("updated hourly (version 2, active, due ")
    job = stored(house)
    assert job["trigger"]["expression"] == "@daily" and "seconds" not in job["trigger"]
    assert (job["tags"], job["policy"]["max_attempts"], job["policy"]["timeout"]) == (["a"], 3, 5)
    assert (job["params"]["kwargs"], job["description"]) == ({"text": "long", "width": 5}, "new")


def test_update_of_parameters_follows_the_kind(
    line: Line, house: FakeHouse, shorten: tuple[str, ...]
) -> None:
    line.out("jobs", "add", "hourly", *shorten)
    line.out("jobs", "update", "hourly", "--param", "width=7")
    assert stored(house)["params"]["kwargs"] == {"text": "long", "width": 7}
    line.out("jobs", "add", "ping", "--kind", "http", "--param", "url=http://a/", "--every", "5m")
    line.out("jobs", "update", "ping", "--param", "url=http://b/")
    assert stored(house, "ping")["params"]["url"] == "http://b/"


def test_update_takes_tags_away(line: Line, house: FakeHouse) -> None:
    line.out(*HOURLY, "--tag", "a")
    line.out("jobs", "update", "hourly", "--tag", "")
    assert stored(house)["tags"] == []


def test_update_by_file_replaces_everything(line: Line, house: FakeHouse, project: Project) -> None:
    line.out(*HOURLY, "--tag", "a", "--max-attempts", "3")
    project.write("x.json", json.dumps(document()))
    assert line.out("jobs", "update", "--file", "x.json") == "updated hourly\n"
    assert (stored(house)["tags"], stored(house)["policy"]["max_attempts"]) == ([], 1)


@pytest.mark.parametrize("how", [["--every", "2h"], ["--file", "x.json"]])
def test_update_insists_on_a_version(how: list[str], line: Line, house: FakeHouse, project: Project) -> None:
    project.write("x.json", json.dumps(document()))
    line.out(*HOURLY)
    line.out("jobs", "update", "hourly", *how, "--if-version", "1")
    complaint = line.complaint("jobs", "update", "hourly", *how, "--if-version", "1", code=1)
    assert "is at version 2" in complaint and house.timetable.jobs["hourly"].version == 2


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["hourly"], 2, "say what to change"),
        ([], 2, "give the ID of the job and what to change, or --file"),
        (["gone", "--every", "1h"], 1, "there is no job 'gone'"),
        (["gone", "--param", "x=1"], 1, "there is no job 'gone'"),
        (["hourly", "--every", "0"], 2, "trigger.seconds: "),
        (["hourly", "--kind", "sql"], 2, "statement"),
        (
            ["--file", "two.json", "--if-version", "1"],
            2,
            "--if-version: is the version of one job, two.json holds 2",
        ),
    ],
)
def test_update_refuses(
    words: list[str], code: int, said: str, line: Line, house: FakeHouse, project: Project
) -> None:
    project.write("two.json", json.dumps([document("a"), document("b")]))
    line.out(*HOURLY)
    assert said in line.complaint("jobs", "update", *words, code=code)
    assert house.timetable.jobs["hourly"].version == 1


def test_remove_wants_a_yes(line: Line, house: FakeHouse) -> None:
    line.out(*HOURLY)
    assert "say --yes" in line.complaint("jobs", "remove", "hourly", code=2)
    assert "hourly" in house.timetable.jobs
    assert line.out("jobs", "remove", "hourly", "--yes") == "removed hourly\n"
    assert house.timetable.jobs == {}


def test_remove_takes_a_no(line: Line, house: FakeHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    line.out(*HOURLY)
    monkeypatch.setattr("cronzimus.cli.define.confirmed", lambda question, already: False)
    assert line("jobs", "remove", "hourly").exit_code == 1
    assert "hourly" in house.timetable.jobs


def test_remove_of_several(line: Line, house: FakeHouse) -> None:
    line.out(*HOURLY)
    answer = line.json("jobs", "remove", "hourly", "gone", "--yes", code=1)
    assert answer["items"] == [{"id": "hourly"}] and answer["errors"][0]["code"] == "JOB_NOT_FOUND"
