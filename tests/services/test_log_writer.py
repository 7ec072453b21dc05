"""Lines on their way into the database: in order, in batches, bounded while it is away."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from cronzimus.common.db import Database
from cronzimus.common.loop import Loop
from cronzimus.errors import DatabaseUnavailable
from cronzimus.models.event import Event, Topic
from cronzimus.models.log_line import LogLine, Stream
from cronzimus.services import log_writer
from cronzimus.services.log_writer import LogWriter
from cronzimus.utils.ids import new_id
from tests.heart import until

RUN = new_id()


def lines(*texts: str, run_id: UUID = RUN, attempt: int = 1) -> list[LogLine]:
    now = datetime.now(UTC)
    return [LogLine(run_id, "job", attempt, now, Stream.STDOUT, None, None, text) for text in texts]


def stored(database: Database, run_id: UUID = RUN) -> list[str]:
    rows = database.fetch_all("SELECT line FROM cronzimus.run_logs WHERE run_id = %s ORDER BY seq", [run_id])
    return [line for (line,) in rows]


class Away:
    """A database that does not answer until it is told to."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.error: Exception | None = DatabaseUnavailable("away")
        self.asked = 0

    def execute(self, sql: str, params: Any = None) -> int:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self._database.execute(sql, params)


@contextmanager
def at_work(writer: LogWriter) -> Iterator[None]:
    loop = Loop("logs", writer.step, on_error=lambda name, error: None)
    writer.wake = loop.wake
    loop.start()
    try:
        yield
    finally:
        loop.stop()


def test_lines_are_stored_in_their_order_with_all_they_carry(database: Database) -> None:
    writer = LogWriter(database)
    odd = ['quo"te', "back\\slash", "{brace}", "NULL", "", "tab\tand – 漢字 🙂", "'; --", "%s"]
    now = datetime.now(UTC)
    writer.put([LogLine(RUN, "job", 2, now, Stream.LOG, "ERROR", "my.module", text) for text in odd])
    writer.step()
    assert stored(database) == odd
    row = database.fetch_one(
        "SELECT DISTINCT run_id, job_id, attempt, at, stream, level, logger FROM cronzimus.run_logs"
    )
    assert row == (RUN, "job", 2, now, "log", "ERROR", "my.module")


def test_every_run_that_spoke_is_announced_once_it_is_stored(database: Database) -> None:
    announced: list[Event] = []
    other = new_id()
    writer = LogWriter(database, announced.append)
    writer.put(lines("a", "b"))
    writer.put(lines("c", run_id=other))
    writer.step()
    assert {(event.topic, event.id, event.job_id) for event in announced} == {
        (Topic.LOG, str(RUN), "job"),
        (Topic.LOG, str(other), "job"),
    }
    assert len(announced) == 2 and stored(database, other) == ["c"]


def test_only_the_first_line_wakes_the_writer(database: Database) -> None:
    woken: list[bool] = []
    writer = LogWriter(database, wake=lambda: woken.append(True))
    writer.put([])
    assert woken == []
    writer.put(lines("a"))
    writer.put(lines("b"))
    assert woken == [True]


def test_lines_that_come_one_by_one_are_gathered(database: Database) -> None:
    writer = LogWriter(database)
    writer.put(lines("at once"))
    assert writer.step() is None
    writer.put(lines("a little later"))
    pause = writer.step()
    assert pause is not None and 0 < pause <= 0.1
    assert stored(database) == ["at once"]


def test_large_output_is_stored_in_several_batches(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_writer, "_LARGEST_BATCH", 3)
    writer = LogWriter(database)
    writer.put(lines(*"abcdefgh"))
    with at_work(writer):
        assert writer.flush(10)
    assert stored(database) == list("abcdefgh")


def test_flush_returns_when_everything_is_stored(database: Database) -> None:
    writer = LogWriter(database)
    with at_work(writer):
        for number in range(20):
            writer.put(lines(str(number)))
            assert writer.flush(10)
            assert stored(database)[-1] == str(number)


def test_flush_of_nothing_does_not_wait(database: Database) -> None:
    assert LogWriter(database).flush(60)


def test_flush_does_not_wait_for_a_database_that_is_away(database: Database) -> None:
    writer = LogWriter(Away(database))  # type: ignore[arg-type]
    writer.put(lines("a"))
    with pytest.raises(DatabaseUnavailable):
        writer.step()
    assert writer.flush(60) is False


def test_flush_gives_up_in_time(database: Database) -> None:
    writer = LogWriter(database)
    writer.put(lines("nobody stores this"))
    assert writer.flush(0.01) is False


def test_outage_is_waited_out(database: Database) -> None:
    away = Away(database)
    writer = LogWriter(away)  # type: ignore[arg-type]
    writer.put(lines("a"))
    for _ in range(3):
        with pytest.raises(DatabaseUnavailable):
            writer.step()
    writer.put(lines("b"))
    away.error = None
    while writer.step() is not None or stored(database) != ["a", "b"]:
        writer.flush(0)
    assert writer.flush(60)


def test_long_outage_costs_the_oldest_lines_and_says_how_many(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_writer, "_MOST_WAITING_BYTES", 10 * (256 + 1))
    away = Away(database)
    writer = LogWriter(away)  # type: ignore[arg-type]
    writer.put(lines("0"))
    with pytest.raises(DatabaseUnavailable):
        writer.step()
    for number in range(1, 1001):
        writer.put(lines(str(number % 10)))
    away.error = None
    with at_work(writer):
        until(lambda: writer.flush(1))
    assert stored(database) == [
        "0",
        "990 lines were lost here while the database did not answer.",
        *(str(number % 10) for number in range(991, 1001)),
    ]


def test_batch_that_cannot_be_stored_does_not_hold_up_the_next(database: Database) -> None:
    away = Away(database)
    away.error = ValueError("refused")
    writer = LogWriter(away)  # type: ignore[arg-type]
    writer.put(lines("poison"))
    with pytest.raises(ValueError):
        writer.step()
    away.error = None
    writer.put(lines("fine"))
    with at_work(writer):
        until(lambda: writer.flush(1))
    assert stored(database) == ["fine"]
