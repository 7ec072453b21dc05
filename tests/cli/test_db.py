"""`cronzimus db`, on a real PostgreSQL."""

from pathlib import Path

import pytest

from cronzimus.common.db import Database
from cronzimus.common.migrate import Migrations
from tests.cli.line import Line
from tests.fixtures.project import Project
from tests.heart import change_by_a_later_version

HEAD = Migrations("").head


@pytest.fixture
def empty(empty_database_url: str, project: Project) -> str:
    """A database without any schema, which the project names."""
    project.set(DATABASE_URL=empty_database_url)
    return empty_database_url


@pytest.fixture
def filled(database_url: str, project: Project) -> str:
    """A database at the newest revision, which the project names."""
    project.set(DATABASE_URL=database_url)
    return database_url


def test_upgrade_and_current(line: Line, empty: str) -> None:
    assert line.out("db", "current") == f"no schema yet (the newest is {HEAD})\n"
    assert line.json("db", "current") == {"current": None, "head": HEAD, "is_current": False}
    assert line.out("db", "upgrade") == f"the schema was at none and is at {HEAD}\n"
    assert line.out("db", "current") == f"{HEAD} (the newest)\n"
    assert line.out("db", "upgrade") == f"the schema is at {HEAD} already\n"
    assert line.json("db", "upgrade") == {"before": HEAD, "current": HEAD, "head": HEAD, "is_current": True}


def test_upgrade_to_a_revision(line: Line, empty: str) -> None:
    assert line.json("db", "upgrade", "0001")["current"] == "0001"


def test_downgrade_and_back(line: Line, filled: str) -> None:
    answer = line.json("db", "downgrade")
    assert answer["before"] == HEAD and answer["current"] != HEAD
    assert line.json("db", "upgrade")["current"] == HEAD


def test_downgrade_of_everything_wants_a_yes(line: Line, filled: str) -> None:
    assert "say --yes" in line.complaint("db", "downgrade", "base", code=2)
    assert Migrations(filled).current() == HEAD
    assert line.json("db", "downgrade", "base", "--yes")["current"] is None


def test_downgrade_takes_a_no(line: Line, filled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cronzimus.cli.db.confirmed", lambda question, already: False)
    assert line("db", "downgrade", "base").exit_code == 1
    assert Migrations(filled).current() == HEAD


def test_history(line: Line, empty: str) -> None:
    titles, first, *_ = line.out("db", "history").splitlines()
    assert titles.split() == ["REVISION", "STATE", "DESCRIPTION"] and first.split()[:2] == ["0001", "pending"]
    line.out("db", "upgrade", "0001")
    items = line.json("db", "history")["items"]
    assert (items[0]["id"], items[0]["applied"], items[0]["down"]) == ("0001", True, None)


@pytest.mark.parametrize("words", [["-1"], ["--yes", "-1"], ["-1", "--yes"], ["--", "-1"]])
def test_a_step_back_is_no_option(words: list[str], line: Line, filled: str) -> None:
    assert line.json("db", "downgrade", *words)["before"] == HEAD


def test_a_slip_of_the_pen_is_no_step_back(line: Line, filled: str) -> None:
    assert "Did you mean '--yes'?" in line.complaint("db", "downgrade", "--yse", code=2)


@pytest.mark.parametrize("words", [["upgrade", "nonsense"], ["downgrade", "nonsense"], ["downgrade", "-99"]])
def test_a_revision_that_is_not_there(words: list[str], line: Line, filled: str) -> None:
    complaint = line.complaint("db", *words, code=1)
    assert complaint.count("\n") == 1 and ("nonsense" in complaint or "-99" in complaint)


def test_a_newer_schema_is_left_alone(line: Line, filled: str) -> None:
    database = Database(filled, 1)
    change_by_a_later_version(database)
    database.close()
    for verb in ("upgrade", "downgrade"):
        complaint = line.complaint("db", verb, code=1)
        assert "9999" in complaint and HEAD in complaint
    assert line.json("db", "current")["current"] == "9999"


def test_a_database_that_is_away(line: Line, project: Project) -> None:
    project.set(DATABASE_URL="postgresql://nobody@127.0.0.1:9/none")
    for verb in ("current", "upgrade", "history"):
        assert line.complaint("db", verb, code=69).startswith("cronzimus: the database does not answer")


def test_a_database_of_another_kind(line: Line, project: Project) -> None:
    project.set(DATABASE_URL="mysql://h/x")
    assert "unsupported scheme 'mysql'" in line.complaint("db", "current", code=78)


def test_no_database_at_all(line: Line, project: Project) -> None:
    for verb in ("current", "history", "downgrade"):
        assert "there is no database under data/postgres yet" in line.complaint("db", verb, code=69)
    assert not Path("data").exists()


def test_revision_writes_a_file(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        Migrations, "new_revision", lambda self, text: asked.append(text) or Path("0002_more.py")
    )
    assert line.out("db", "revision", "-m", "more of it") == "0002_more.py\n"
    assert line.json("db", "revision", "--message", "more of it") == {"path": "0002_more.py"}
    assert asked == ["more of it"] * 2
    assert "'--message'" in line.complaint("db", "revision", code=2)
