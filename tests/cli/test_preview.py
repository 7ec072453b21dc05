"""`cronzimus next`: previews without a service."""

import json
from datetime import datetime
from typing import Any

import pytest

from tests.cli.line import Line
from tests.fixtures.project import Project

BERLIN = ("--timezone", "Europe/Berlin")


def due(line: Line, *words: str) -> list[dict[str, Any]]:
    return list(line.json("next", *words)["next"])


def test_a_table_of_local_time_and_utc(line: Line) -> None:
    text = line.out("next", "--cron", "30 2 * * *", *BERLIN, "--from", "2026-03-28", "-n", "3")
    assert text.splitlines() == [
        "At 02:30 every day",
        "",
        "LOCAL                         UTC                   DST",
        "Sat 2026-03-28 02:30:00+0100  2026-03-28 01:30:00Z  -",
        "Sun 2026-03-29 03:00:00+0200  2026-03-29 01:00:00Z  gap",
        "Mon 2026-03-30 02:30:00+0200  2026-03-30 00:30:00Z  -",
    ]


@pytest.mark.parametrize(
    ("policy", "seen"),
    [
        ("skip", []),
        ("shift", [("2026-03-29T03:30:00+02:00", "gap")]),
        ("first", [("2026-03-29T03:00:00+02:00", "gap")]),
        ("both", [("2026-03-29T03:00:00+02:00", "gap")]),
    ],
)
def test_a_missing_hour_follows_the_policy(policy: str, seen: list[tuple[str, str]], line: Line) -> None:
    words = ("--cron", "30 2 29 3 *", *BERLIN, "--from", "2026-03-01", "-n", "1", "--dst", policy)
    found = [(d["local"], d["dst"]) for d in due(line, *words) if d["local"].startswith("2026")]
    assert found == seen


@pytest.mark.parametrize(
    ("policy", "marks"),
    [
        ("first", ["repeated, first"]),
        ("second", ["repeated, second"]),
        ("both", ["repeated, first", "repeated, second"]),
    ],
)
def test_a_repeated_hour_follows_the_policy(policy: str, marks: list[str], line: Line) -> None:
    words = ("--cron", "30 2 25 10 *", *BERLIN, "--from", "2026-10-01", "-n", "2", "--dst", policy)
    assert [d["dst"] for d in due(line, *words) if d["local"].startswith("2026")] == marks


def test_json_tells_everything(line: Line) -> None:
    answer = line.json("next", "--every", "90m", "--from", "2026-03-01T00:00Z", "-n", "2", "--id", "nightly")
    assert (answer["id"], answer["timezone"]) == ("nightly", "UTC")
    assert answer["triggers"] == [{"type": "interval", "words": "Every 1 hour 30 minutes"}]
    assert [d["due_at"] for d in answer["next"]] == ["2026-03-01T00:00:00Z", "2026-03-01T01:30:00Z"]
    assert answer["next"][0]["delay_seconds"] == 0


def test_jitter_is_shown_as_a_delay(line: Line) -> None:
    words = ("--every", "1h", "--jitter", "60", "--from", "2026-03-01", "-n", "3")
    delays = [d["delay_seconds"] for d in due(line, *words, "--id", "a")]
    assert all(0 < delay <= 60 for delay in delays) and len(set(delays)) == 3
    assert delays != [d["delay_seconds"] for d in due(line, *words, "--id", "b")]


def test_places_of_h_depend_on_the_job(line: Line) -> None:
    times = {
        due(line, "--cron", "H H * * *", "-n", "1", "--id", name)[0]["due_at"][11:]
        for name in ("a", "b", "c")
    }
    assert len(times) > 1


def test_begins_at_now_and_shows_ten(line: Line) -> None:
    found = due(line, "--every", "1h")
    assert len(found) == 10 and datetime.fromisoformat(found[0]["due_at"]) > datetime.now().astimezone()


def test_several_triggers_are_one_timetable(line: Line) -> None:
    words = (
        "--cron",
        "0 12 * * *",
        "--cron",
        "0 6 * * *",
        "--at",
        "2026-03-01T08:00",
        "--from",
        "2026-03-01",
        "-n",
        "4",
    )
    assert [d["due_at"][8:13] for d in due(line, *words)] == ["01T06", "01T08", "01T12", "02T06"]


def test_the_end_is_told(line: Line) -> None:
    text = line.out("next", "--at", "2030-01-01T12:00", *BERLIN, "--from", "2029-12-31")
    assert "Tue 2030-01-01 12:00:00+0100  2030-01-01 11:00:00Z" in text and text.endswith(
        "then never again\n"
    )


def test_the_end_of_the_calendar_is_no_accident(line: Line) -> None:
    found = due(
        line, "--cron", "@hourly", "--timezone", "Asia/Tokyo", "--from", "9999-12-31T20:00+09:00", "-n", "99"
    )
    assert 0 < len(found) < 99


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--cron", "61 * * * *"], "trigger.expression: minute: '61' is not allowed"),
        (["--cron", "0 0 31 2 *"], "trigger: '0 0 31 2 *' never fires"),
        (["--cron", "* * * *"], "'* * * *' has 4 fields"),
        (["--cron", "@reboot"], "'@reboot' has no time"),
        (["--every", "0"], "trigger.seconds: the interval must last at least 1 second"),
        (["--every", "11y"], "expected a duration"),
        (["--every", "-5s"], "expected a duration"),
        (["--every", "400000d"], "trigger.seconds: must be between"),
        (
            ["--at", "2020-01-01"],
            "trigger.run_date: the job would never fire: 2020-01-01T00:00:00Z has passed",
        ),
        (["--at", "soon"], "trigger.run_date: must be a date and time in ISO 8601"),
        (["--cron", "@daily", "--end", "2020-01-01"], "trigger.end_date: the job would never fire"),
        (["--cron", "@daily", "--timezone", "Europe/Berln"], "did you mean 'Europe/Berlin'?"),
        (["--cron", "@daily", "--from", "x"], "--from: expected now"),
        (["--cron", "@daily", "--id", "../x"], "--id: '../x' cannot be the id of a job"),
        (["--cron", "@daily", "-n", "0"], "0 is not in the range"),
        (["--every", "1h", "--jitter", "2h"], "trigger.jitter: must be shorter than the interval"),
        (["--every", "1h", "--dst", "both"], "--dst: belongs to --cron"),
        ([], "give a trigger: --cron, --every, --at or --file"),
    ],
)
def test_a_bad_trigger_is_an_error_that_names_the_field(words: list[str], said: str, line: Line) -> None:
    complaint = line.complaint("next", *words, code=2)
    assert complaint.startswith("cronzimus: ") and said in complaint


def test_every_fault_is_told(line: Line) -> None:
    complaint = line.complaint("next", "--cron", "61 * * * *", "--every", "0", code=2)
    assert "trigger.0.seconds" in complaint and "trigger.1.expression" in complaint


def a_job(**more: Any) -> dict[str, Any]:
    return {
        "id": "a",
        "params": {"func": "a:b"},
        "trigger": {"type": "cron", "expression": "0 2 * * *"},
        **more,
    }


def test_jobs_of_a_file(line: Line, project: Project) -> None:
    own = a_job(id="b", trigger={"type": "cron", "expression": "0 2 * * *", "timezone": "Asia/Tokyo"})
    project.write(
        "jobs.json",
        json.dumps([a_job(timezone="Europe/Berlin"), own, a_job(id="c", trigger={"type": "manual"})]),
    )
    text = line.out("next", "--file", "jobs.json", "--from", "2026-03-01", "-n", "1")
    assert [row for row in text.splitlines() if row and not row.startswith("LOCAL")] == [
        "a: At 02:00 every day",
        "Sun 2026-03-01 02:00:00+0100  2026-03-01 01:00:00Z  -",
        "b: At 02:00 every day (Asia/Tokyo)",
        "Mon 2026-03-02 02:00:00+0900  2026-03-01 17:00:00Z  -",
        "c: Only when started by hand or by another job",
    ]
    answer = line.json("next", "--file", "jobs.json", "-n", "2")
    assert [(job["id"], job["timezone"], len(job["next"])) for job in answer["items"]] == [
        ("a", "Europe/Berlin", 2),
        ("b", "Asia/Tokyo", 2),
        ("c", "UTC", 0),
    ]


def test_a_bad_job_of_a_file_does_not_hide_the_others(line: Line, project: Project) -> None:
    project.write(
        "jobs.json", "\n".join(map(json.dumps, [a_job(trigger={"type": "corn"}), a_job(id="good")]))
    )
    result = line("next", "--file", "jobs.json")
    assert result.exit_code == 2 and result.stdout.startswith("good: ")
    assert result.stderr.startswith(
        "cronzimus: jobs.json:1: trigger: unknown trigger type 'corn'; did you mean cron?"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--cron", "@daily"], "--file: holds the triggers"), ([], "gone.yaml: cannot be read")],
)
def test_a_file_stands_alone(words: list[str], said: str, line: Line) -> None:
    assert said in line.complaint("next", "--file", "gone.yaml", *words, code=2)


def test_blackouts_of_a_job_are_noted(line: Line, project: Project) -> None:
    shut = {"start": "01:00", "end": "03:00", "days": ["sun"], "reason": "backups"}
    project.write("jobs.json", json.dumps(a_job(blackouts=[shut])))
    text = line.out("next", "--file", "jobs.json", "--from", "2026-02-28", "-n", "2").splitlines()
    assert text[2].split() == ["LOCAL", "UTC", "DST", "NOTE"]
    assert text[4].endswith("the blackout 'backups' until Sun 2026-03-01 03:00:00 UTC")
    sat, sun = line.json("next", "--file", "jobs.json", "--from", "2026-02-28", "-n", "2")["items"][0]["next"]
    assert (sat["fires"], sat["notes"], sun["fires"]) == (True, [], False)


def test_a_changed_clock_is_noted(line: Line) -> None:
    words = ("--cron", "30 2 29 3 *", *BERLIN, "--from", "2026-03-01", "-n", "1")
    assert due(line, *words)[0]["notes"] == ["dst gap: stands for a time from 02:00 to before 03:00"]
    assert due(line, *words, "--dst", "shift")[0]["notes"] == ["dst gap: moved from 02:30"]
    autumn = ("--cron", "30 2 25 10 *", *BERLIN, "--from", "2026-10-01", "-n", "2", "--dst", "both")
    assert [one["notes"] for one in due(line, *autumn)] == [
        ["dst repeated hour, first"],
        ["dst repeated hour, second"],
    ]
