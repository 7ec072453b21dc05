"""A junction in front of a standard stream."""

import io

import pytest

from cronzimus.common.streams import RoutedStream, Write, routed, unrouted


class Points:
    """A route that can be set, and what went along it."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.away = False

    def __call__(self) -> Write | None:
        return self.taken.append if self.away else None


@pytest.fixture
def original() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="backslashreplace")


def said(original: io.TextIOWrapper) -> bytes:
    original.flush()
    buffer = original.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue()


def test_text_goes_to_the_original_or_its_own_way(original: io.TextIOWrapper) -> None:
    points = Points()
    stream = routed(original, points)
    print("to the house", file=stream)
    points.away = True
    print("Grüße", file=stream)
    stream.writelines(["a", "b"])
    stream.flush()
    points.away = False
    stream.writelines(["c"])
    stream.flush()
    assert said(original) == b"to the house\nc"
    assert b"".join(points.taken) == "Grüße\nab".encode()


def test_bytes_take_the_same_way(original: io.TextIOWrapper) -> None:
    points = Points()
    stream = routed(original, points)
    assert stream.buffer.write(b"one") == 3
    stream.buffer.flush()
    points.away = True
    assert stream.buffer.write(memoryview(b"\xff\xfe")) == 2
    stream.buffer.flush()
    assert (said(original), points.taken) == (b"one", [b"\xff\xfe"])
    assert stream.buffer.writable()


def test_text_that_is_no_text_is_refused_as_ever(original: io.TextIOWrapper) -> None:
    points = Points()
    stream = routed(original, points)
    for points.away in (False, True):
        with pytest.raises(TypeError, match="must be str"):
            stream.write(b"bytes")  # type: ignore[arg-type]


def test_half_a_surrogate_pair_does_not_fail(original: io.TextIOWrapper) -> None:
    points = Points()
    points.away = True
    assert routed(original, points).write("a\ud800") == 2
    assert points.taken == [b"a?"]


def test_everything_else_is_the_originals(original: io.TextIOWrapper) -> None:
    stream = routed(original, Points())
    assert (stream.encoding, stream.errors) == ("ascii", "backslashreplace")
    assert stream.isatty() is False
    with pytest.raises(io.UnsupportedOperation):
        stream.fileno()
    with pytest.raises(AttributeError):
        stream.nothing  # type: ignore[attr-defined]


def test_way_of_its_own_is_no_terminal() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    points = Points()
    stream = routed(Terminal(), points)
    assert stream.isatty() is True
    points.away = True
    assert stream.isatty() is False


def test_junction_is_put_in_once_and_can_be_seen_through(original: io.TextIOWrapper) -> None:
    points = Points()
    stream = routed(original, points)
    assert routed(stream, points) is stream and isinstance(stream, RoutedStream)
    assert unrouted(stream) is original and unrouted(original) is original
