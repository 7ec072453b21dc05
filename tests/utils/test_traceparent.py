"""The line of W3C trace context is read strictly and written right."""

import pytest

from cronzimus.utils.ids import new_id
from cronzimus.utils.traceparent import Trace, is_trace_id, new_span_id, parse, span_id_of

TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
LINE = f"00-{TRACE_ID}-{SPAN_ID}-01"


@pytest.mark.parametrize("line", [LINE, f" {LINE} ", f"01-{TRACE_ID}-{SPAN_ID}-01-what-comes-later"])
def test_line_is_read(line: str) -> None:
    assert parse(line) == Trace(TRACE_ID, SPAN_ID, True)


def test_flag_says_whether_it_is_recorded() -> None:
    assert parse(f"00-{TRACE_ID}-{SPAN_ID}-00") == Trace(TRACE_ID, SPAN_ID, False)
    assert parse(f"00-{TRACE_ID}-{SPAN_ID}-03") == Trace(TRACE_ID, SPAN_ID, True)


@pytest.mark.parametrize(
    "line",
    [
        None,
        "",
        "00",
        LINE.upper(),
        f"00-{'0' * 32}-{SPAN_ID}-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
        f"ff-{TRACE_ID}-{SPAN_ID}-01",
        f"{LINE}-more",
        f"00-{TRACE_ID[:-1]}-{SPAN_ID}-01",
        f"{LINE}\r\nX-Evil: 1",
        LINE * 1000,
    ],
)
def test_other_lines_are_none(line: str | None) -> None:
    assert parse(line) is None


@pytest.mark.parametrize("trace", [Trace(TRACE_ID, SPAN_ID), Trace(TRACE_ID, SPAN_ID, False)])
def test_what_is_written_is_read_again(trace: Trace) -> None:
    assert parse(str(trace)) == trace


def test_next_span_is_another_of_the_same_trace() -> None:
    following = Trace(TRACE_ID, SPAN_ID, False).next()
    assert following.trace_id == TRACE_ID and following.span_id != SPAN_ID and not following.sampled


def test_ids_are_ids() -> None:
    run_id = new_id()
    assert is_trace_id(run_id.hex) and not is_trace_id("0" * 32) and not is_trace_id("short")
    assert parse(f"00-{run_id.hex}-{span_id_of(run_id)}-01") is not None
    assert len(new_span_id()) == 16
