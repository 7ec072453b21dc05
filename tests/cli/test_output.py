"""Tables for people, one JSON document for programs."""

import json
import os
import pty
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from cronzimus.cli.command import Session
from cronzimus.cli.output import (
    Column,
    as_json,
    cell,
    draw_fields,
    draw_table,
    instant,
    seconds,
    show,
    show_page,
)

NOON = datetime(2026, 3, 1, 12, 0, 0, 500_000, tzinfo=UTC)
NAME = Column("NAME", lambda row: row["name"])
STATE = Column("STATE", lambda row: row["state"])
NOTE = Column("NOTE", lambda row: row.get("note"), extra=True)
ROWS = [{"name": "a", "state": "success"}, {"name": "longer", "state": "failed", "note": "x"}]


@dataclass(frozen=True)
class Thing:
    name: str
    at: datetime


def page(items: list[Any], total: int, offset: int = 0) -> dict[str, Any]:
    return {"items": items, "total": total, "limit": 50, "offset": offset}


def on_a_terminal(columns: int, code: str, **variables: str) -> str:
    """What a program prints that believes to have a terminal of that width."""
    master, slave = pty.openpty()
    program = [sys.executable, "-c", f"from tests.cli.test_output import *\n{code}"]
    base = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    environment = {**base, "COLUMNS": str(columns), "TERM": "xterm", **variables}
    root = Path(__file__).parents[2]
    process = subprocess.Popen(program, stdout=slave, stderr=slave, env=environment, cwd=root)
    os.close(slave)
    said = b""
    while chunk := _read(master):
        said += chunk
    assert process.wait(60) == 0, said
    os.close(master)
    return said.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # the other side is closed
        return b""


def test_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    show(Session(as_json=True), {"name": "ü", "at": NOON}, lambda: pytest.fail("drawn"))
    assert json.loads(capsys.readouterr().out) == {"name": "ü", "at": "2026-03-01T12:00:00.500000Z"}


def test_people_get_a_drawing(capsys: pytest.CaptureFixture[str]) -> None:
    show(Session(), {"name": "x"}, lambda: print("drawn"))
    assert capsys.readouterr().out == "drawn\n"


def test_json_knows_the_nouns_of_the_house() -> None:
    uuid = UUID(int=7)
    said = json.loads(
        as_json({"id": uuid, "path": Path("a/b"), "thing": Thing("x", NOON), "pair": (1, None)})
    )
    assert said == {
        "id": str(uuid),
        "path": "a/b",
        "thing": {"name": "x", "at": "2026-03-01T12:00:00.500000Z"},
        "pair": [1, None],
    }


def test_json_refuses_what_has_no_form() -> None:
    with pytest.raises(TypeError, match="object has no form in JSON"):
        as_json({"x": object()})


def test_json_is_ascii_where_the_stream_knows_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", type("Stream", (), {"encoding": "latin-1"}))
    assert as_json("日") == '"\\u65e5"'


def test_plain_tables_are_aligned_and_whole(capsys: pytest.CaptureFixture[str]) -> None:
    draw_table(ROWS, [NAME, STATE, NOTE])
    assert capsys.readouterr().out.splitlines() == [
        "NAME    STATE    NOTE",
        "a       success  -",
        "longer  failed   x",
    ]


def test_plain_tables_know_how_wide_characters_are(capsys: pytest.CaptureFixture[str]) -> None:
    draw_table([{"name": "日本", "state": "x"}, {"name": "abcd", "state": "y"}], [NAME, STATE])
    assert capsys.readouterr().out.splitlines()[1:] == ["日本  x", "abcd  y"]


def test_an_empty_table_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    draw_table([], [NAME])
    assert capsys.readouterr().out == ""


def test_a_cell_cannot_break_out_of_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    draw_table([{"name": "a\nb\x1b[31m", "state": "x"}], [NAME, STATE])
    assert capsys.readouterr().out.splitlines()[1] == "a\\nb\\x1b[31m  x"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        ("", "-"),
        ("text", "text"),
        (0, "0"),
        (True, "true"),
        (False, "false"),
        (NOON, "2026-03-01 12:00:00Z"),
        ({"a": [1, "ü"]}, '{"a": [1, "ü"]}'),
        ((), "[]"),
    ],
)
def test_cell(value: object, text: str) -> None:
    assert cell(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        ("2026-03-01T12:00:00.5Z", "2026-03-01 12:00:00Z"),
        (datetime(2026, 3, 1, 14, tzinfo=timezone(timedelta(hours=2))), "2026-03-01 12:00:00Z"),
    ],
)
def test_instant_is_utc(value: datetime | str | None, text: str) -> None:
    assert instant(value) == text


@pytest.mark.parametrize(
    ("milliseconds", "text"), [(None, "-"), (0.4, "0 ms"), (999.0, "999 ms"), (61_250.0, "61.2 s")]
)
def test_seconds(milliseconds: float | None, text: str) -> None:
    assert seconds(milliseconds) == text


def test_fields_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    draw_fields([("id", "x"), ("longer", None)])
    assert capsys.readouterr().out == "id:      x\nlonger:  -\n"


def test_fields_of_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    draw_fields([])
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("items", "total", "offset", "said"),
    [
        (ROWS, 2, 0, ""),
        (ROWS, 7, 0, "5 more things: --all shows them, --offset 2 goes on\n"),
        (ROWS, 7, 3, "2 more things: --all shows them, --offset 5 goes on\n"),
        ([], 0, 0, "no things\n"),
        ([], 7, 9, "no things from 9 on\n"),
    ],
)
def test_a_page_says_what_it_leaves_out(
    items: list[Any], total: int, offset: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    show_page(Session(), page(items, total, offset), [NAME, STATE], "things")
    printed = capsys.readouterr()
    assert printed.err == said and len(printed.out.splitlines()) == (3 if items else 0)


def test_a_page_as_json_is_silent_about_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    show_page(Session(as_json=True), page(ROWS, 7), [NAME], "things")
    printed = capsys.readouterr()
    assert printed.err == "" and json.loads(printed.out)["total"] == 7


def test_a_terminal_gets_colour() -> None:
    said = on_a_terminal(80, "draw_table(ROWS, [NAME, STATE, NOTE])")
    assert "\x1b[32msuccess\x1b[0m" in said and "\x1b[31mfailed" in said and "NOTE" in said


def test_a_terminal_gets_no_colour_when_asked_not_to() -> None:
    said = on_a_terminal(80, "draw_table(ROWS, [NAME, STATE]); draw_fields([('id', 'x')])", NO_COLOR="1")
    assert "\x1b[3" not in said and "failed" in said


@pytest.mark.parametrize("width", [24, 40, 79])
def test_a_terminal_is_never_too_narrow(width: int) -> None:
    rows = "[{'name': 'a' * 30, 'state': 'success', 'note': 'n' * 300}]"
    said = on_a_terminal(width, f"draw_table({rows}, [NAME, STATE, NOTE])", NO_COLOR="1", TERM="dumb")
    lines = [line.rstrip() for line in said.splitlines()]
    assert max(map(len, lines)) <= width
    assert "NOTE" not in said and said.count("a") == 30


def test_a_terminal_shows_markup_as_it_is() -> None:
    said = on_a_terminal(80, "draw_table([{'name': '[red]x[/red]', 'state': 'y'}], [NAME, STATE])")
    assert "[red]x[/red]" in said
