"""One log for everything in the process: flat, masked, unforgeable, and set up as often as one likes."""

import io
import json
import logging
import re
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from loguru import logger as loguru_logger

from cronzimus.common import logger as log
from cronzimus.errors import ConfigError

Lines = Callable[[], list[str]]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    return lambda: capsys.readouterr().err.splitlines()


@pytest.fixture
def objects(lines: Lines) -> Callable[[], list[dict[str, Any]]]:
    return lambda: [json.loads(line) for line in lines()]


Objects = Callable[[], list[dict[str, Any]]]


def test_text_line_has_time_level_logger_and_message(lines: Lines) -> None:
    log.init_logger()
    log.get_logger("cronzimus.x").info("hello {}", "world")
    (line,) = lines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO     cronzimus\.x: hello world", line)


def test_text_line_ends_with_the_fields_of_its_context(lines: Lines) -> None:
    log.init_logger()
    with log.log_context(job_id="a", run_id=7):
        log.get_logger("x").info("inside")
    log.get_logger("x").info("outside")
    inside, outside = lines()
    assert inside.endswith("x: inside job_id=a run_id=7")
    assert outside.endswith("x: outside")


def test_json_line_is_one_flat_object(objects: Objects) -> None:
    log.init_logger(format="json")
    with log.log_context(job_id="a", run_id=7, trace_id="t"):
        log.get_logger("cronzimus.x").bind(share=0.5).warning("line one\nline two ü")
    (line,) = objects()
    assert line.pop("ts").endswith("Z")
    assert line == {
        "level": "WARNING",
        "logger": "cronzimus.x",
        "message": "line one\nline two ü",
        "job_id": "a",
        "run_id": 7,
        "trace_id": "t",
        "share": 0.5,
    }


def test_json_line_carries_an_exception_as_one_text(objects: Objects) -> None:
    log.init_logger(format="json")
    try:
        int("abc")
    except ValueError:
        log.get_logger("x").exception("failed")
    (line,) = objects()
    assert line["message"] == "failed"
    assert line["exception"].startswith("Traceback (most recent call last):\n")
    assert line["exception"].endswith("ValueError: invalid literal for int() with base 10: 'abc'")


def test_json_line_keeps_extras_from_overwriting_its_own_fields(objects: Objects) -> None:
    log.init_logger(format="json")
    log.get_logger("x").bind(message="other", level=3, exception="none").info("mine")
    (line,) = objects()
    assert (line["message"], line["level"]) == ("mine", "INFO")
    assert (line["extra_message"], line["extra_level"], line["extra_exception"]) == ("other", 3, "none")


def test_json_line_carries_any_value(objects: Objects) -> None:
    log.init_logger(format="json")
    log.get_logger("x").bind(a=float("nan"), b={1: {2}}, c=object, d=(None, True), e=float("-inf")).info("m")
    (line,) = objects()
    assert (line["a"], line["b"], line["d"], line["e"]) == ("nan", {"1": [2]}, [None, True], "-inf")
    assert line["c"] == "<class 'object'>"


def test_message_with_braces_and_markup_is_left_alone(lines: Lines) -> None:
    log.init_logger()
    log.get_logger("x").info("{not} a <red>format</red> {0}")
    assert lines()[0].endswith("x: {not} a <red>format</red> {0}")


def test_message_cannot_forge_a_line_in_text(lines: Lines) -> None:
    log.init_logger()
    log.get_logger("x").info("user\n2026-01-01T00:00:00.000Z INFO     x: forged\r\x1b[2K\u2028end")
    first, second = lines()
    assert first.endswith("x: user")
    assert second.startswith("    2026-01-01")
    assert second.endswith(r"\x0d\x1b[2K\x2028end")


def test_traceback_shows_no_values_and_is_bounded(lines: Lines) -> None:
    def deep(left: int, password: str) -> None:
        if not left:
            raise RuntimeError("bottom")
        deep(left - 1, password)

    log.init_logger()
    try:
        deep(100, "unregistered-value")
    except RuntimeError:
        log.get_logger("x").exception("failed")
    text = lines()
    assert len(text) < 110
    assert "unregistered-value" not in "\n".join(text)


def test_level_drops_what_is_below(lines: Lines) -> None:
    log.init_logger("WARNING")
    log.get_logger("x").info("dropped")
    log.get_logger("x").error("kept")
    (line,) = lines()
    assert line.endswith("x: kept")


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("info", "INFO"),
        (" Warn ", "WARNING"),
        ("FATAL", "CRITICAL"),
        ("trace", "TRACE"),
        ("success", "SUCCESS"),
    ],
)
def test_level_name_accepts_any_case_and_common_aliases(text: str, level: str) -> None:
    assert log.level_name(text) == level


def test_init_logger_lists_the_levels_when_one_is_unknown() -> None:
    with pytest.raises(ConfigError) as refused:
        log.init_logger("DEBG")
    assert refused.value.message == (
        "logging.level: expected one of TRACE, DEBUG, INFO, SUCCESS, WARNING, ERROR, CRITICAL, "
        "got 'DEBG'; did you mean 'DEBUG'?"
    )


def test_init_logger_refuses_an_unknown_format() -> None:
    with pytest.raises(ConfigError, match="logging.format: expected text or json, got 'xml'"):
        log.init_logger(format="xml")


def test_init_logger_twice_writes_each_line_once(lines: Lines) -> None:
    for _ in range(3):
        log.init_logger("INFO", "text")
    log.get_logger("x").info("once")
    assert len(lines()) == 1


def test_init_logger_again_replaces_the_format(objects: Objects) -> None:
    log.init_logger("INFO", "text")
    log.init_logger("INFO", "json")
    log.get_logger("x").info("m")
    assert [line["message"] for line in objects()] == ["m"]


def test_init_logger_leaves_the_sinks_of_others(lines: Lines) -> None:
    theirs: list[str] = []
    handler = loguru_logger.add(theirs.append, format="{message}")
    log.init_logger("INFO", "text")
    log.init_logger("INFO", "json")
    log.get_logger("x").info("m")
    loguru_logger.remove(handler)
    assert theirs == ["m\n"]


def test_log_file_gets_the_same_lines(tmp_path: Path, lines: Lines) -> None:
    file = tmp_path / "logs" / "cronzimus.log"
    log.init_logger("INFO", "json", file, "1 MB", 3)
    log.get_logger("x").info("ü")
    log._remove_sinks()
    assert file.read_text("utf-8").splitlines() == lines()


def test_log_file_takes_text_that_is_not_valid_unicode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    log.init_logger("INFO", "json", tmp_path / "x.log")
    log.get_logger("x").info("name \udc80")
    log._remove_sinks()
    assert json.loads((tmp_path / "x.log").read_text("utf-8"))["message"] == "name \udc80"


def test_log_file_rotates(tmp_path: Path) -> None:
    file = tmp_path / "x.log"
    log.init_logger("INFO", "text", str(file), "200 B", 2)
    for number in range(20):
        log.get_logger("x").info("number {}", number)
    log._remove_sinks()
    assert 1 < len(list(tmp_path.iterdir())) <= 3


def test_log_file_that_cannot_be_written_is_a_config_error(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    with pytest.raises(ConfigError, match=r"logging.file: cannot write .*plain/x.log"):
        log.init_logger("INFO", "text", tmp_path / "plain" / "x.log")


def test_log_file_with_a_rotation_nobody_understands_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="logging.rotation or logging.retention: .*whenever"):
        log.init_logger("INFO", "text", tmp_path / "x.log", "whenever")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({"NO_COLOR": ""}, True)],
)
def test_colours_are_for_terminals_that_want_them(
    variables: dict[str, str], coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    log.init_logger()
    log.get_logger("x").error("m")
    assert ("\x1b[31mERROR" in terminal.getvalue()) is coloured


def test_json_is_never_coloured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    log.init_logger(format="json")
    log.get_logger("x").error("m")
    assert "\x1b" not in terminal.getvalue()


def test_missing_standard_error_stream_is_survived(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    log.init_logger()
    log.get_logger("x").error("m")


def test_context_stays_in_its_thread(objects: Objects) -> None:
    log.init_logger(format="json")
    with log.log_context(run_id=1):
        other = threading.Thread(target=log.get_logger("x").info, args=("other",))
        other.start()
        other.join()
    assert "run_id" not in objects()[0]


# --- listeners --------------------------------------------------------------------------------------


@pytest.fixture
def heard() -> Iterator[list[log.Spoken]]:
    spoken: list[log.Spoken] = []
    log.listen(spoken.append, lambda run_id: run_id != "unwanted")
    yield spoken
    log.listen(spoken.append, lambda run_id: False)


def test_listener_gets_every_record_with_its_run(heard: list[log.Spoken]) -> None:
    log.init_logger()
    log.get_logger("ours").bind(run_id="r1").warning("number {}", 1)
    logging.getLogger("theirs").error("number %d", 2)
    with log.log_context(run_id="unwanted"):
        log.get_logger("ours").info("not for these ears")
    assert heard == [
        log.Spoken("WARNING", "ours", "number 1", "r1"),
        log.Spoken("ERROR", "theirs", "number 2", None),
    ]


@pytest.mark.parametrize(("level", "said"), [("DEBUG", 3), ("INFO", 2), ("ERROR", 1)])
def test_listener_hears_at_the_level_of_the_log(heard: list[log.Spoken], level: str, said: int) -> None:
    log.init_logger(level)
    for name in ("debug", "info", "error"):
        getattr(log.get_logger("ours"), name)("said")
    assert len(heard) == said


def test_levels_of_the_users_own_are_told_as_the_next_lower_one(heard: list[log.Spoken]) -> None:
    log.init_logger()
    log.get_logger("ours").log(33, "between warning and error")
    logging.getLogger("theirs").log(25, "between info and warning")
    assert [one.level for one in heard] == ["WARNING", "SUCCESS"]


def test_process_that_writes_no_log_hands_everything_over(heard: list[log.Spoken], lines: Lines) -> None:
    relayed: list[log.Spoken] = []
    log.init_relay("WARNING", relayed.append)
    logging.getLogger("theirs").warning("said %s", "there")
    log.get_logger("ours").info("too quiet")
    assert [(one.level, one.logger, one.text) for one in relayed] == [("WARNING", "theirs", "said there")]
    assert lines() == []


def test_what_another_process_said_is_repeated_as_it_is(objects: Objects) -> None:
    log.init_logger(format="json")
    with log.log_context(run_id="r1"):
        log.repeat("ERROR", "theirs", "{not} a <template>")
    (said,) = objects()
    assert (said["level"], said["logger"], said["run_id"]) == ("ERROR", "theirs", "r1")
    assert said["message"] == "{not} a <template>"
