"""The log of one attempt: whole while it is short, head and tail when it is long, never half a secret."""

import os
import threading
import tracemalloc
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from cronzimus.common.masking import register_secret
from cronzimus.models.log_line import LogLine, Stream
from cronzimus.models.run import Ended, RunState
from cronzimus.workers.attempt_log import LINE_OVERHEAD, AttemptLog, Limits, Unwritten
from tests.fixtures.process_log import restored_log
from tests.workers.support import claim

OUT, ERR = Stream.STDOUT, Stream.STDERR


class Kept:
    """A sink that keeps everything."""

    def __init__(self) -> None:
        self.lines: list[LogLine] = []
        self.flushed: list[float] = []

    def put(self, lines: Sequence[LogLine]) -> None:
        self.lines += lines

    def flush(self, timeout: float) -> bool:
        self.flushed.append(timeout)
        return True

    @property
    def texts(self) -> list[str]:
        return [line.line for line in self.lines]

    @property
    def cost(self) -> int:
        return sum(LINE_OVERHEAD + len(line.line.encode()) for line in self.lines)


def new_log(limit: int = 1_048_576, line: int = 200) -> tuple[AttemptLog, Kept]:
    kept = Kept()
    return AttemptLog(claim(), kept, Limits(limit, line)), kept


def ended(log: AttemptLog, state: RunState = RunState.SUCCESS, **error: Any) -> None:
    now = datetime.now(UTC)
    log.end(Ended(claim().run_id, 1, state, now, now, error=error or None))


def test_lines_come_with_everything_known_about_them() -> None:
    held = claim(job_id="nightly", attempt=3)
    kept = Kept()
    log = AttemptLog(held, kept, Limits())
    before = datetime.now(UTC)
    log.write(OUT, b"printed\n")
    log.say(Stream.LOG, "WARNING", "my.module", "logged")
    printed, logged = kept.lines
    assert (printed.run_id, printed.job_id, printed.attempt) == (held.run_id, "nightly", 3)
    assert (printed.stream, printed.level, printed.logger, printed.line) == (OUT, None, None, "printed")
    assert (logged.stream, logged.level, logged.logger) == (Stream.LOG, "WARNING", "my.module")
    assert before <= printed.at <= logged.at <= datetime.now(UTC)


def test_line_goes_on_its_way_when_it_ends_and_its_rest_at_the_end() -> None:
    log, kept = new_log()
    log.write(OUT, b"one\ntw")
    assert kept.texts == ["one"]
    log.write(ERR, b"other\n")
    log.write(OUT, b"o\nrest")
    assert kept.texts == ["one", "other", "two"]
    ended(log)
    assert kept.texts == ["one", "other", "two", "rest"]
    assert kept.flushed


def test_message_of_several_lines_becomes_as_many() -> None:
    log, kept = new_log()
    log.say(Stream.LOG, "ERROR", "l", "failed\nTraceback\n  line")
    assert kept.texts == ["failed", "Traceback", "  line"]
    assert {line.level for line in kept.lines} == {"ERROR"}


def test_log_takes_nothing_after_its_end() -> None:
    log, kept = new_log()
    log.write(OUT, b"in time\n")
    ended(log)
    log.write(OUT, b"late\n")
    log.say(Stream.LOG, "INFO", "l", "late")
    ended(log, RunState.FAILED, type="E", message="late", traceback="")
    assert kept.texts == ["in time"]


def test_silent_attempt_waits_for_nothing() -> None:
    log, kept = new_log()
    ended(log)
    assert (kept.lines, kept.flushed) == ([], [])


def test_failure_is_the_last_thing_a_log_says() -> None:
    log, kept = new_log()
    ended(
        log, RunState.FAILED, type="ValueError", message="wrong", traceback="Traceback\nValueError: wrong\n"
    )
    assert kept.texts == ["Traceback", "ValueError: wrong"]
    assert {(line.stream, line.level) for line in kept.lines} == {(Stream.SYSTEM, "ERROR")}


def test_failure_without_a_traceback_is_said_in_a_line() -> None:
    log, kept = new_log()
    ended(log, RunState.TIMEOUT, type="TimeoutError", message="longer than 3 s", traceback="")
    assert kept.texts == ["TimeoutError: longer than 3 s"]


def test_cancelled_attempt_has_not_failed() -> None:
    log, kept = new_log()
    ended(log, RunState.CANCELLED, type="Cancelled", message="the run was cancelled", traceback="")
    assert kept.lines == []


def test_long_log_keeps_head_and_tail_and_counts_the_rest() -> None:
    log, kept = new_log(20_000)
    for number in range(10_000):
        log.write(OUT, b"line %05d\n" % number)
    ended(log)
    assert kept.cost <= 20_000 + 300
    texts = [line.line for line in kept.lines if line.stream is OUT]
    notes = [line.line for line in kept.lines if line.stream is Stream.SYSTEM]
    assert texts[0] == "line 00000" and texts[-1] == "line 09999" and texts == sorted(texts)
    missing = 10_000 - len(texts)
    assert [note for note in notes if "dropped" in note] == [
        f"{missing} lines ({missing * 11} bytes) were dropped here."
    ]
    gap = kept.texts.index(notes[-1])
    assert int(kept.texts[gap + 1][5:]) - int(kept.texts[gap - 2][5:]) == missing + 1


def test_log_that_just_exceeds_its_head_loses_nothing() -> None:
    log, kept = new_log(20_000)
    printed = [f"line {number}" for number in range(200)]
    for text in printed:
        log.write(OUT, f"{text}\n".encode())
    ended(log)
    assert [line.line for line in kept.lines if line.stream is OUT] == printed
    assert not any("dropped" in text for text in kept.texts)


@pytest.mark.parametrize("limit", [4096, 100_000])
@pytest.mark.parametrize("size", [1, 7, 4096, 1_000_000])
@pytest.mark.parametrize("line", [b"\n", b"y\n", b"x" * 79 + b"\n", b"z" * 5000 + b"\n"])
def test_log_is_bounded_however_it_is_printed(limit: int, size: int, line: bytes) -> None:
    log, kept = new_log(limit)
    printed = line * (400_000 // len(line)) if size > 7 else line * (30_000 // len(line) + 1)
    for start in range(0, len(printed), size):
        log.write(OUT, printed[start : start + size])
    ended(log)
    assert kept.cost <= limit * 1.3 + 1000
    lost = sum(int(text.split()[0]) for text in kept.texts if "dropped here" in text)
    stored = sum(1 for each in kept.lines if each.stream is OUT)
    assert lost + stored == printed.count(b"\n")


def test_streams_keep_apart_in_the_tail() -> None:
    log, kept = new_log(6000)
    for number in range(2000):
        log.write(OUT, b"out %d, " % number)
        log.write(ERR, b"err %d, " % number)
        log.write(OUT, b"more\n")
        log.write(ERR, b"more\n")
        log.say(Stream.LOG, "INFO", "l", f"log {number}")
    ended(log)
    for stream, word in ((OUT, "out"), (ERR, "err")):
        texts = [line.line for line in kept.lines if line.stream is stream]
        assert all(text.startswith(word) and text.endswith("more") for text in texts), texts
        assert texts[-1] == f"{word} 1999, more"
    assert kept.texts[-1] == "log 1999"


def test_end_of_a_failed_run_is_in_the_tail() -> None:
    log, kept = new_log(6000)
    log.write(OUT, b"noise\n" * 10_000)
    ended(log, RunState.FAILED, type="ValueError", message="wrong", traceback="")
    assert kept.texts[-1] == "ValueError: wrong"


def test_secret_is_masked_at_every_seam() -> None:
    with restored_log():
        register_secret("hunter2xyz")
        for shift in range(64):
            log, kept = new_log(4096)
            log.write(OUT, b"-" * shift + b"\n")
            for _ in range(400):
                log.write(OUT, b"pass hunt")
                log.write(OUT, b"er2xyz word\n")
            log.write(OUT, b"pass hunter2")
            ended(log)
            assert not any(part in text for text in kept.texts[:-1] for part in ("hunt", "er2", "xyz"))


def test_torn_character_is_put_together() -> None:
    log, kept = new_log()
    for byte in "Grüße 漢字\n".encode():
        log.write(OUT, bytes([byte]))
    assert kept.texts == ["Grüße 漢字"]


def test_chatty_program_costs_little_memory() -> None:
    log, kept = new_log()
    chunk = os.urandom(30_000).hex().encode() + b"\n" + b"y\n" * 2000
    tracemalloc.start()
    for _ in range(300):
        log.write(OUT, chunk)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    ended(log)
    assert peak < 12 * 1024 * 1024
    assert kept.cost <= 1_100_000


def test_many_threads_may_speak_at_once() -> None:
    log, kept = new_log(10_000_000)

    def speak(name: int) -> None:
        for number in range(500):
            log.write(OUT, f"{name} {number}\n".encode())
            log.say(Stream.LOG, "INFO", "l", f"{name} {number}")

    threads = [threading.Thread(target=speak, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ended(log)
    expected = sorted(f"{name} {number}" for name in range(4) for number in range(500))
    assert sorted(line.line for line in kept.lines if line.stream is OUT) == expected
    assert sorted(line.line for line in kept.lines if line.stream is Stream.LOG) == expected


def test_log_that_nobody_keeps_asks_for_nothing() -> None:
    log = AttemptLog(claim(), Unwritten(), Limits())
    log.write(OUT, b"line\n")
    ended(log)
    assert log.close() is True
