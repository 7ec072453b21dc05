"""Who speaks where: prints, loguru, logging and warnings of a run, and nothing of anybody else."""

import asyncio
import contextvars
import logging
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator

import pytest

from cronzimus.common.logger import get_logger, init_logger, log_context
from cronzimus.common.streams import unrouted
from cronzimus.models.log_line import Stream
from cronzimus.workers.attempt_log import AttemptLog, Limits
from cronzimus.workers.capture import recorded, writer
from tests.fixtures.process_log import restored_log
from tests.workers.support import claim
from tests.workers.test_attempt_log import Kept


@pytest.fixture(autouse=True)
def process_log() -> Iterator[None]:
    """The process's log as the service sets it up."""
    with restored_log():
        init_logger()
        yield


def new_log() -> tuple[AttemptLog, Kept]:
    kept = Kept()
    return AttemptLog(claim(), kept, Limits()), kept


def test_prints_of_a_run_go_into_its_log_and_nowhere_else(capsys: pytest.CaptureFixture[str]) -> None:
    log, kept = new_log()
    print("before")
    with recorded(log):
        print("out")
        print("err", file=sys.stderr)
        sys.stdout.buffer.write(b"bytes\n")
    print("after")
    assert [(line.stream, line.line) for line in kept.lines] == [
        (Stream.STDOUT, "out"),
        (Stream.STDERR, "err"),
        (Stream.STDOUT, "bytes"),
    ]
    assert capsys.readouterr().out == "before\nafter\n"


def test_every_kind_of_log_line_comes_with_level_and_name(capsys: pytest.CaptureFixture[str]) -> None:
    log, kept = new_log()
    with recorded(log):
        get_logger("mine").info("by {}", "loguru")
        logging.getLogger("theirs").warning("by %s", "logging")
        get_logger("mine").debug("too quiet")
        with pytest.warns(UserWarning):
            warnings.warn("shown by whoever asked for it", stacklevel=1)
    assert [(line.stream, line.level, line.logger, line.line) for line in kept.lines] == [
        (Stream.LOG, "INFO", "mine", "by loguru"),
        (Stream.LOG, "WARNING", "theirs", "by logging"),
    ]
    said = capsys.readouterr().err
    assert "by loguru" in said and "by logging" in said


def test_exception_is_logged_with_its_traceback() -> None:
    log, kept = new_log()
    with recorded(log):
        try:
            raise ValueError("wrong")
        except ValueError:
            logging.getLogger("theirs").exception("failed")
    assert kept.texts[0] == "failed" and kept.texts[-1] == "ValueError: wrong"


def test_runs_beside_each_other_do_not_mix() -> None:
    logs = [new_log() for _ in range(4)]
    started = threading.Barrier(4)

    def work(name: int) -> None:
        with recorded(logs[name][0]):
            started.wait(10)
            for number in range(200):
                print(name, number)
                get_logger("l").info("{} {}", name, number)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name, (_, kept) in enumerate(logs):
        assert len(kept.lines) == 400
        assert {text.split()[0] for text in kept.texts} == {str(name)}


def test_tasks_and_threads_that_inherit_the_context_belong_to_the_run() -> None:
    log, kept = new_log()

    async def child(name: str) -> None:
        print(name)
        await asyncio.to_thread(print, f"{name} thread")

    async def parent() -> None:
        await asyncio.gather(child("a"), child("b"))

    with recorded(log):
        asyncio.run(parent())
        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(print, "own thread"))
        thread.start()
        thread.join()
    assert sorted(kept.texts) == ["a", "a thread", "b", "b thread", "own thread"]


def test_line_that_names_the_run_finds_its_log_from_any_thread() -> None:
    log, kept = new_log()
    speak = get_logger("run").bind(run_id=log.run_id).info
    with recorded(log):
        thread = threading.Thread(target=speak, args=("from a thread of its own",))
        thread.start()
        thread.join()
    speak("too late")
    with log_context(run_id="another"):
        get_logger("run").info("not ours")
    assert kept.texts == ["from a thread of its own"]


def test_run_inside_a_run_is_its_own() -> None:
    (outer, outside), (inner, inside) = new_log(), new_log()
    with recorded(outer):
        with recorded(inner):
            print("inner")
        print("outer")
    assert (outside.texts, inside.texts) == (["outer"], ["inner"])


def test_exchanged_stream_gets_a_junction_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    with recorded(new_log()[0]):
        pass
    sys.stdout = unrouted(sys.stdout)
    log, kept = new_log()
    with recorded(log):
        print("heard")
    assert kept.texts == ["heard"] and capsys.readouterr().out == ""


def test_output_of_a_program_belongs_to_the_run_else_to_the_process() -> None:
    log, kept = new_log()
    with recorded(log):
        writer(Stream.STDERR)(b"of the run\n")
    assert [(line.stream, line.line) for line in kept.lines] == [(Stream.STDERR, "of the run")]
    code = (
        "from cronzimus.workers.capture import writer; from cronzimus.models.log_line import Stream;"
        "writer(Stream.STDOUT)(b'out'); writer(Stream.STDERR)(b'err')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"out", b"err")


def test_process_without_streams_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    log, kept = new_log()
    with recorded(log):
        print("to nobody")
        print("heard", file=sys.stderr)
    assert kept.texts == ["heard"] and sys.stdout is None
