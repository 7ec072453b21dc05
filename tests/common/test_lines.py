"""Bytes as lines: put together, tamed, masked, cut."""

from collections.abc import Iterable

import pytest

from cronzimus.common.lines import Lines, tame
from cronzimus.common.masking import register_secret


def lines_of(parts: Iterable[bytes], longest: int = 200) -> list[str]:
    """Every line of a stream that arrives in these parts."""
    lines = Lines(longest)
    return [line for part in parts for line in lines.feed(part)] + lines.end()


def byte_by_byte(data: bytes) -> list[bytes]:
    return [data[place : place + 1] for place in range(len(data))]


@pytest.mark.parametrize(
    ("printed", "lines"),
    [
        (b"", []),
        (b"a\nb\n", ["a", "b"]),
        (b"a\n\nb", ["a", "", "b"]),
        (b"dos\r\nline\r\n", ["dos", "line"]),
        ("Grüße €\n".encode(), ["Grüße €"]),
        (b"\xff half \xc3", ["\ufffd half \ufffd"]),
        (b"\xc3\nA", ["\ufffd", "A"]),
        (b" 10%\r 50%\r100%\n", ["100%"]),
        (b" 10%\r 50%\r", [" 50%"]),
        (b"\x1b[1;31mred\x1b[0m\n", ["red"]),
        (b"\x1b]0;title\x07text \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\n", ["text link"]),
        (b"\x1b(Bplain\x1b=\x1b7\n", ["plain"]),
        (b"\x1bPdevice\x1b\\said\x1b[\n", ["said"]),
        (b"nul\x00 bell\x07 tab\t.\n", ["nul bell\ufffd tab\t."]),
    ],
)
def test_stream_becomes_lines_however_it_arrives(printed: bytes, lines: list[str]) -> None:
    assert lines_of([printed]) == lines
    assert lines_of(byte_by_byte(printed)) == lines


def test_marks_that_turn_or_break_text_are_taken_out() -> None:
    said = "a\u202eb\u2028c\ud800d\x9b1mé"
    assert tame(said) == "a\ufffdb\ufffdc\ufffddé"


def test_text_that_is_tame_stays_as_it_is() -> None:
    assert tame("naïve – 漢字 🙂") == "naïve – 漢字 🙂"


def test_long_line_is_cut_and_says_so() -> None:
    assert lines_of([b"x" * 1000 + b"\nnext\n"], longest=100) == [
        "x" * 100 + " [... 900 characters cut]",
        "next",
    ]


def test_endless_line_costs_no_memory() -> None:
    lines = Lines(100)
    for _ in range(2000):
        assert lines.feed(b"y" * 10_000) == []
    assert len(lines._rest) < 10_000
    assert lines.end() == ["y" * 100 + " [... 19999900 characters cut]"]


def test_endless_progress_bar_shows_its_last_state() -> None:
    lines = Lines(100)
    for percent in range(50_000):
        assert lines.feed(b"\r[%d]" % percent) == []
    assert lines.end() == ["[49999]"]


def test_secret_is_masked_wherever_the_line_was_torn() -> None:
    register_secret("hunter2xyz")
    printed = b"the password is hunter2xyz.\nand hun\x1b[0mter2xyz, hun\x00ter2xyz\n"
    for parts in ([printed], byte_by_byte(printed)):
        assert lines_of(parts) == ["the password is ***.", "and ***, ***"]


@pytest.mark.parametrize("before", range(60, 120))
def test_cut_leaves_no_part_of_a_secret(before: int) -> None:
    register_secret("hunter2xyz")
    printed = b"-" * before + b"hunter2xyz" + b"-" * 9000
    (line,) = lines_of([printed], longest=100)
    assert "hun" not in line
    (line,) = lines_of([b"-" * (4000 + before) + b"hunter2xyz" + b"-" * 9000], longest=100)
    assert "hun" not in line
