"""Every failure has a line and an exit code."""

import click
import pytest

from cronzimus.cli.failures import TimedOut, exit_code_of, lines_of, note, printable, report, survive_any_text
from cronzimus.errors import (
    ConfigError,
    Conflict,
    CronzimusError,
    DatabaseUnavailable,
    Fault,
    Forbidden,
    Invalid,
    NotFound,
    Unavailable,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CronzimusError("x"), 1),
        (NotFound("x"), 1),
        (Conflict("x"), 1),
        (Forbidden("x"), 1),
        (Invalid("x"), 2),
        (Unavailable("x"), 69),
        (DatabaseUnavailable("x"), 69),
        (ConfigError("x"), 78),
        (ConfigError("x", code="SCHEMA_TOO_NEW"), 1),
        (TimedOut("x"), 124),
        (click.UsageError("x"), 2),
        (click.ClickException("x"), 1),
        (click.Abort(), 130),
        (RuntimeError("x"), 1),
    ],
)
def test_exit_code_of(error: BaseException, code: int) -> None:
    assert exit_code_of(error) == code


def test_lines_name_the_field_of_the_one_fault() -> None:
    error = Invalid("os is not allowed", faults=[Fault("params.func", "os is not allowed")])
    assert lines_of(error) == ["params.func: os is not allowed"]


def test_lines_do_not_name_a_field_twice() -> None:
    error = Invalid("trigger.seconds: too short", faults=[Fault("trigger.seconds", "too short")])
    assert lines_of(error) == ["trigger.seconds: too short"]


def test_lines_tell_every_fault_once() -> None:
    faults = [Fault("id", "is required"), Fault("queue", "is too long"), Fault("", "and more")]
    assert lines_of(Invalid("id: is required", faults=faults)) == [
        "id: is required",
        "  queue: is too long",
        "  and more",
    ]


def test_lines_of_something_unforeseen_say_how_to_see_more() -> None:
    assert lines_of(KeyError("name")) == ["unexpected KeyError: 'name' (--debug shows where)"]
    assert lines_of(RuntimeError()) == ["unexpected RuntimeError (--debug shows where)"]
    assert lines_of(RuntimeError("first\nsecond")) == ["unexpected RuntimeError: first (--debug shows where)"]


def test_lines_of_usage_name_the_command() -> None:
    context = click.Context(click.Command("list"), info_name="cronzimus jobs list")
    error = click.UsageError("Missing argument 'ID'.", ctx=context)
    assert lines_of(error) == ["missing argument 'ID' (see 'cronzimus jobs list --help')"]
    assert lines_of(click.UsageError("Alone.")) == ["Alone."]
    assert lines_of(click.ClickException("Alone.")) == ["Alone."]


def test_report_is_one_line_without_debug(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(NotFound("there is no job 'x'"), debug=False) == 1
    assert capsys.readouterr() == ("", "cronzimus: there is no job 'x'\n")


def test_report_shows_where_with_debug(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise KeyError("name")
    except KeyError as error:
        assert report(error, debug=True) == 1
    said = capsys.readouterr().err
    assert said.startswith("Traceback") and "test_failures.py" in said and said.endswith("where)\n")


def test_report_never_tells_the_token(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise RuntimeError("header Bearer s3cretvalue refused")
    except RuntimeError as error:
        report(error, debug=True, secret="s3cretvalue")
    assert "s3cretvalue" not in capsys.readouterr().err


def test_report_of_an_interrupt_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(click.Abort(), debug=False) == 130
    assert capsys.readouterr() == ("", "")


def test_report_disarms_what_a_terminal_would_obey(capsys: pytest.CaptureFixture[str]) -> None:
    report(NotFound("\x1b[2Jgone\u202e\r"), debug=False)
    assert capsys.readouterr().err == "cronzimus: \\x1b[2Jgone\\u202e\\r\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("plain", "plain"), ("häßlich 日本", "häßlich 日本"), ("a\nb", "a\\nb"), ("\x07", "\\x07"), ("", "")],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_printable_keeps_what_it_is_told_to() -> None:
    assert printable("a\nb\tc", keep="\n") == "a\nb\\tc"


def test_note_goes_to_the_error_stream(capsys: pytest.CaptureFixture[str]) -> None:
    note("by the way")
    assert capsys.readouterr() == ("", "by the way\n")


def test_survive_any_text_leaves_streams_it_cannot_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", object())
    survive_any_text()
