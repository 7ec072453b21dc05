"""`cronzimus verify`, on a real PostgreSQL."""

import io
import sys
from datetime import datetime, timedelta

import pytest

from cronzimus.cli.verify import _progress
from cronzimus.common.db import Database
from tests.cli.line import Line
from tests.fixtures.project import Project
from tests.heart import Heart

WINDOW = ("verify", "--from", "-10m")


@pytest.fixture
def proven(database: Database, database_url: str, project: Project) -> Heart:
    """A job of every second that exists since ten minutes, with a full ledger, in the project's database."""
    project.set(DATABASE_URL=database_url)
    heart = Heart(database)
    heart.lead()
    heart.add("ticker", policy={"catch_up_cap": 1000, "misfire_grace": 86_400.0})
    heart.make_old("ticker", 599)
    heart.fire()
    return heart


def victim_of(heart: Heart) -> datetime:
    """An instant from the middle of the ledger."""
    return heart.history.firings().items[40].due_at


def test_a_full_ledger(line: Line, proven: Heart) -> None:
    text = line.out(*WINDOW)
    assert text.endswith("all accounted for\n") and text.count("\n") == 1
    answer = line.json(*WINDOW, "--to", "now")
    assert answer["ok"] and answer["expected"] == answer["recorded"] > 500 and answer["gaps"] == []


def test_a_gap_is_named(line: Line, proven: Heart) -> None:
    victim = victim_of(proven)
    proven.database.execute("DELETE FROM cronzimus.firings WHERE due_at = %s", [victim])
    result = line(*WINDOW)
    titles, row, verdict = result.stdout.splitlines()
    assert result.exit_code == 1 and titles.split() == ["FINDING", "JOB", "DUE", "VERSION", "PROBLEM"]
    assert row.startswith(f"gap      ticker  {victim:%Y-%m-%d %H:%M:%SZ}  1        due, and no row")
    assert verdict.endswith("1 gaps, 0 surplus")
    (gap,) = line.json(*WINDOW, code=1)["gaps"]
    assert (gap["job_id"], gap["due_at"], gap["version"]) == ("ticker", f"{victim:%Y-%m-%dT%H:%M:%SZ}", 1)


def test_a_surplus_is_named(line: Line, proven: Heart) -> None:
    victim = victim_of(proven)
    moved = victim + timedelta(milliseconds=10)
    statement = "UPDATE cronzimus.firings SET due_at = %s, first_due_at = %s WHERE due_at = %s"
    proven.database.execute(statement, [moved, moved, victim])
    answer = line.json(*WINDOW, code=1)
    assert (len(answer["gaps"]), len(answer["surplus"])) == (1, 1)
    assert [row.split()[0] for row in line(*WINDOW).stdout.splitlines()[1:3]] == ["gap", "surplus"]


def test_a_window_without_the_gap_is_sound(line: Line, proven: Heart) -> None:
    victim = victim_of(proven)
    proven.database.execute("DELETE FROM cronzimus.firings WHERE due_at = %s", [victim])
    assert line.json("verify", "--from", "-10m", "--to", "-9m")["expected"] > 50


def test_one_job_alone(line: Line, proven: Heart) -> None:
    assert line.json(*WINDOW, "--job", "ticker")["expected"] > 500
    assert line.complaint(*WINDOW, "--job", "ticket", code=1) == "cronzimus: there never was a job 'ticket'\n"


def test_wall_times_are_read_in_their_zone(line: Line, proven: Heart) -> None:
    words = (
        "verify",
        "--from",
        "2026-03-01T02:00",
        "--to",
        "2026-03-01T03:00",
        "--timezone",
        "Europe/Berlin",
    )
    answer = line.json(*words)
    assert (answer["start"], answer["end"], answer["expected"]) == (
        "2026-03-01T01:00:00Z",
        "2026-03-01T02:00:00Z",
        0,
    )


def test_the_ledger_is_only_read(line: Line, proven: Heart) -> None:
    before = proven.database.fetch_all("SELECT xmin, * FROM cronzimus.jobs")
    line.out(*WINDOW)
    assert proven.database.fetch_all("SELECT xmin, * FROM cronzimus.jobs") == before
    assert proven.leadership.term is not None and proven.database.fetch_one(
        "SELECT epoch FROM cronzimus.leaders"
    ) == (1,)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "missing option '--from'"),
        (["--from", "x"], "--from: expected now"),
        (["--from", "-1h", "--to", "x"], "--to: expected now"),
        (["--from", "now", "--to", "-1h"], "the end of the window lies before its start"),
        (["--from", "-1h", "--timezone", "Mars"], "unknown time zone 'Mars'"),
    ],
)
def test_windows_are_checked(words: list[str], said: str, line: Line, proven: Heart) -> None:
    assert said in line.complaint("verify", *words, code=2)


def test_a_database_without_a_schema(line: Line, empty_database_url: str, project: Project) -> None:
    project.set(DATABASE_URL=empty_database_url)
    complaint = line.complaint(*WINDOW, code=1)
    assert "the schema is at revision none" in complaint and "`cronzimus db upgrade`" in complaint
    assert line.json("db", "current")["current"] is None


def test_a_database_that_is_away(line: Line, project: Project) -> None:
    project.set(DATABASE_URL="postgresql://nobody@127.0.0.1:9/none")
    assert line.complaint(*WINDOW, code=69).startswith("cronzimus: the database does not answer")


class Terminal(io.StringIO):
    """An error stream somebody looks at."""

    def isatty(self) -> bool:
        return True


def test_somebody_who_watches_sees_that_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    seen = Terminal()
    monkeypatch.setattr(sys, "stderr", seen)
    with _progress():
        pass
    monkeypatch.undo()
    assert "recomputing every due instant" in seen.getvalue()


def test_nobody_watches_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    with _progress():
        pass
    assert capsys.readouterr() == ("", "")
