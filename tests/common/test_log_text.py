"""One record as text, in each of its forms."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from loguru import logger as loguru

from cronzimus.common.log_text import json_line, name_of, run_text, text_line
from cronzimus.common.masking import register_secret

Said = Callable[..., Any]


@pytest.fixture
def said() -> Said:
    """The record that comes of saying something."""

    def record_of(message: str, **fields: Any) -> Any:
        records: list[Any] = []
        handler = loguru.add(lambda text: records.append(text.record), format="{message}", catch=False)
        try:
            loguru.opt(exception=fields.pop("error", None)).bind(**fields).error(message)
        finally:
            loguru.remove(handler)
        return records[0]

    return record_of


def caught() -> ValueError:
    try:
        raise ValueError("wrong")
    except ValueError as error:
        return error


def test_record_is_named_after_its_logger_else_its_module(said: Said) -> None:
    assert name_of(said("x", logger="mine")) == "mine"
    assert name_of(said("x")) == __name__


def test_json_carries_the_fields_of_the_run(said: Said) -> None:
    line = json.loads(json_line(said("hello", logger="l", run_id="r", job_id="j", trace_id="t")))
    line.pop("ts")
    fields = {"run_id": "r", "job_id": "j", "trace_id": "t"}
    assert line == {"level": "ERROR", "logger": "l", "message": "hello", **fields}


def test_text_has_one_line_for_a_message_of_one(said: Said) -> None:
    line = text_line(said("two\nlines\x07", logger="l", n=1), False)
    assert line.split(" ", 1)[1] == "ERROR    l: two\n    lines\\x07 n=1"
    assert "\x1b[31m" in text_line(said("x"), True)


def test_log_of_a_run_does_not_repeat_what_the_run_says(said: Said) -> None:
    record = said("hello", logger="l", run_id="r", job_id="j", trace_id="t", n=1)
    assert run_text(record) == "hello n=1"


def test_log_of_a_run_has_the_traceback(said: Said) -> None:
    first, *rest = run_text(said("failed", error=caught())).splitlines()
    assert first == "failed" and rest[0].startswith("Traceback") and rest[-1] == "ValueError: wrong"


def test_lines_of_the_process_are_masked(said: Said) -> None:
    register_secret("hunter2xyz")
    for line in (json_line(said("hunter2xyz")), text_line(said("x", secret="hunter2xyz"), False)):
        assert "hunter2xyz" not in line and "***" in line
