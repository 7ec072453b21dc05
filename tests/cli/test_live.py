"""Live answers: read as events, taken up again where they broke, given up when nobody comes back."""

from collections.abc import Iterator
from typing import Any

import pytest

from cronzimus.cli import live
from cronzimus.cli.client import Client
from cronzimus.cli.live import LiveEvent, events_of, log_of
from cronzimus.errors import NotFound, Unavailable
from tests.cli.test_waiting import Clock

RETRY = b"retry: 1000\n\n"


def line(seq: int) -> bytes:
    return b'id: %d\nevent: line\ndata: {"seq":%d}\n\n' % (seq, seq)


END = b'event: end\ndata: {"state":"success"}\n\n'


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(live, "time", clock)
    return clock


class Broken(Client):
    """A service whose streams are written in advance; each ends as a broken connection does."""

    def __init__(self, *streams: bytes | Exception) -> None:
        super().__init__()
        self.streams = list(streams)
        self.asked: list[Any] = []

    def stream(self, *path: object, **query: Any) -> Iterator[bytes]:
        self.asked.append((path, query))
        said = self.streams.pop(0) if len(self.streams) > 1 else self.streams[0]
        if isinstance(said, Exception):
            raise said
        yield from said.split(b"\n")[:-1]
        if said.endswith(END):
            return
        raise Unavailable("cut")


def seqs(client: Client, **query: Any) -> list[int]:
    return [said["seq"] for said in log_of(client, "r1", **query)]


def test_stream_is_read_as_events_and_signs_of_life() -> None:
    said = RETRY + b": still here\n\n" + b"event: a\r\ndata: 1\r\n\r\n" + line(7)
    found = [event for event in events_of(said.split(b"\n")) if event is not None]
    assert found == [LiveEvent("a", 1), LiveEvent("line", {"seq": 7})]
    assert None in list(events_of([b": still here", b""]))


def test_half_an_event_is_none() -> None:
    assert [event for event in events_of([b"event: line", b'data: {"seq"']) if event] == []


def test_log_ends_with_the_run() -> None:
    client = Broken(RETRY + line(1) + line(4) + END)
    assert seqs(client, level="INFO") == [1, 4]
    assert client.asked == [(("runs", "r1", "logs", "stream"), {"after": 0, "level": "INFO"})]


def test_broken_stream_goes_on_behind_the_last_line() -> None:
    client = Broken(
        RETRY + line(1) + line(4), Unavailable("away"), RETRY + line(5)[:-20], RETRY + line(5) + END
    )
    assert seqs(client) == [1, 4, 5]
    assert [query["after"] for _, query in client.asked] == [0, 4, 4, 4]


def test_service_that_does_not_come_back_is_given_up(clock: Clock) -> None:
    with pytest.raises(Unavailable):
        seqs(Broken(RETRY + line(1), Unavailable("away")))
    assert 30 < sum(clock.pauses) < 32


def test_quiet_stream_is_no_silence(clock: Clock) -> None:
    client = Broken(*[RETRY + b": still here\n\n"] * 200, RETRY + END)
    assert seqs(client) == [] and sum(clock.pauses) > 30


def test_refusal_ends_it_at_once(clock: Clock) -> None:
    with pytest.raises(NotFound):
        seqs(Broken(NotFound("no such run")))
    assert clock.pauses == []
