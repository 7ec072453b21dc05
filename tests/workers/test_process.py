import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cronzimus.workers import process as module
from cronzimus.workers.context import RunContext
from cronzimus.workers.process import GRACE_SECONDS, Ending, Supervised, start
from cronzimus.workers.tree import OWNER_COOKIE, RUN_COOKIE, members
from tests.workers.support import Fifo, context, is_alive, wait_gone

DEAF = "import signal, sys\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('ready', flush=True)\nsignal.pause()"


@pytest.fixture
def fifo(tmp_path: Path) -> Iterator[Fifo]:
    one = Fifo(tmp_path / "fifo")
    yield one
    one.close()


def python(run: RunContext, text: str, *words: str, **options: Any) -> Supervised:
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return start([sys.executable, "-c", text, *words], run, dict(os.environ), **pipes)


def follow(supervised: Supervised, run: RunContext) -> tuple[Ending, bytes, bytes]:
    """The ending and what was written on both streams."""
    out, err = bytearray(), bytearray()
    streams = {supervised.process.stdout: out.extend, supervised.process.stderr: err.extend}
    ending = supervised.follow(run, {pipe: read for pipe, read in streams.items() if pipe is not None})
    return ending, bytes(out), bytes(err)


def in_thread(
    supervised: Supervised, run: RunContext
) -> tuple[threading.Thread, list[tuple[Ending, bytes, bytes]]]:
    answers: list[tuple[Ending, bytes, bytes]] = []
    thread = threading.Thread(target=lambda: answers.append(follow(supervised, run)), daemon=True)
    thread.start()
    return thread, answers


def wait_until_ready(supervised: Supervised) -> None:
    """Its first line is `ready`."""
    pipe, seen = supervised.process.stdout, b""
    assert pipe is not None
    while not seen.endswith(b"\n"):
        seen += os.read(pipe.fileno(), 1)
    assert seen == b"ready\n"


@pytest.mark.parametrize(
    ("text", "code"), [("", 0), ("raise SystemExit(3)", 3), ("import os; os.kill(os.getpid(), 9)", -9)]
)
def test_follow_tells_how_it_ended(text: str, code: int) -> None:
    run = context()
    assert follow(python(run, text), run)[0] == Ending(code, stopped=False)


def test_follow_reads_both_streams() -> None:
    run = context()
    _, out, err = follow(python(run, "import sys; print('out'); print('err', file=sys.stderr)"), run)
    assert (out, err) == (b"out\n", b"err\n")


def test_follow_reads_more_than_a_pipe_holds() -> None:
    run = context()
    text = "import sys; sys.stdout.write('x' * 3_000_000); sys.stderr.write('y' * 3_000_000)"
    _, out, err = follow(python(run, text), run)
    assert (len(out), len(err)) == (3_000_000, 3_000_000)


def test_start_gives_the_process_a_session_of_its_own() -> None:
    run = context()
    _, out, _ = follow(python(run, "import os; print(os.getsid(0) == os.getpid())"), run)
    assert out == b"True\n"


def test_start_marks_the_process() -> None:
    run = context(attempt=2, max_attempts=2)
    text = f"import os; print(os.environ['{RUN_COOKIE}']); print('{OWNER_COOKIE}' in os.environ)"
    _, out, _ = follow(python(run, text), run)
    assert out.decode().split() == [f"{run.id}:2", "True"]


def test_start_asks_for_the_time_a_kill_takes() -> None:
    run = context()
    follow(python(run, ""), run)
    assert run.grace_seconds == GRACE_SECONDS


def test_start_leaves_a_longer_grace_alone() -> None:
    run = context()
    run.grace_seconds = 60
    follow(python(run, ""), run)
    assert run.grace_seconds == 60


def test_cancel_ends_the_process(fifo: Fifo) -> None:
    run = context()
    supervised = python(
        run, "import signal; open(__import__('sys').argv[1], 'w').write('up\\n'); signal.pause()", fifo.path
    )
    thread, answers = in_thread(supervised, run)
    assert fifo.line() == "up"
    run.cancel()
    thread.join(20)
    assert answers[0][0] == Ending(-signal.SIGTERM, stopped=True)


def test_cancel_before_the_start_ends_the_process_too() -> None:
    run = context()
    run.cancel()
    assert follow(python(run, "import signal; signal.pause()"), run)[0].stopped


def test_process_that_ignores_the_signal_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TERM_SECONDS", 0.2)
    run = context()
    supervised = python(run, DEAF)
    wait_until_ready(supervised)
    run.cancel()
    assert follow(supervised, run)[0] == Ending(-signal.SIGKILL, stopped=True)


def test_process_may_use_its_time_to_clean_up() -> None:
    run = context()
    text = (
        "import signal, sys\n"
        "signal.signal(signal.SIGTERM, lambda *a: (print('cleaned', flush=True), sys.exit(5)))\n"
        "print('ready', flush=True)\nsignal.pause()"
    )
    supervised = python(run, text)
    wait_until_ready(supervised)
    run.cancel()
    assert follow(supervised, run)[:2] == (Ending(5, stopped=True), b"cleaned\n")


def test_deadline_ends_the_process() -> None:
    run = context(deadline=time.monotonic() + 0.1)
    assert follow(python(run, "import signal; signal.pause()"), run)[0].stopped


def test_deadline_that_is_not_reached_changes_nothing() -> None:
    run = context(deadline=time.monotonic() + 60)
    assert follow(python(run, ""), run)[0] == Ending(0, stopped=False)


@pytest.mark.parametrize("options", ["", ", start_new_session=True"])
def test_what_outlives_the_process_is_killed(fifo: Fifo, options: str) -> None:
    run = context()
    text = (
        "import subprocess, sys\n"
        f"p = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()']{options})\n"
        "open(sys.argv[1], 'w').write(f'{p.pid}\\n')\nimport os; os._exit(0)"
    )
    supervised = python(run, text, fifo.path)
    ending, _, _ = follow(supervised, run)
    assert ending == Ending(0, stopped=False)
    assert wait_gone(fifo.number())
    assert members(supervised.cookie) == set()


def test_streams_held_open_by_a_survivor_do_not_hold_us(monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that escaped every kill: here, one that nobody tries to kill."""
    monkeypatch.setattr(module, "_LAST_WORDS_SECONDS", 0.1)
    run = context()
    escaped, keeper = os.pipe()
    supervised = python(run, "print('said')", stdout=keeper)
    os.set_blocking(escaped, False)
    out = bytearray()
    ending = supervised.follow(run, {os.fdopen(escaped, "rb", buffering=0): out.extend})
    os.close(keeper)
    assert ending.exit_code == 0 and bytes(out) == b"said\n"
    assert supervised.process.stderr is not None
    supervised.process.stderr.close()


def test_process_that_has_said_all_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TERM_SECONDS", 0.2)
    run = context()
    supervised = python(run, "import signal; print('all', flush=True); signal.pause()")
    pipe = supervised.process.stdout
    assert pipe is not None and supervised.process.stderr is not None
    ending = supervised.follow(run, {pipe: lambda data: supervised.expect_exit()})
    supervised.process.stderr.close()
    assert ending == Ending(-signal.SIGKILL, stopped=False)


def test_follow_leaves_no_descriptor_open() -> None:
    run = context()
    follow(python(run, ""), run)  # the guard starts with the first one
    before = set(os.listdir("/dev/fd"))
    for _ in range(5):
        follow(python(run, ""), run)
    assert len(set(os.listdir("/dev/fd"))) <= len(before)


def test_follow_cleans_up_when_a_reader_fails() -> None:
    run = context()
    supervised = python(run, "import signal; print('x', flush=True); signal.pause()")

    def fail(data: bytes) -> None:
        raise RuntimeError("cannot store")

    pipes = [pipe for pipe in (supervised.process.stdout, supervised.process.stderr) if pipe is not None]
    with pytest.raises(RuntimeError, match="cannot store"):
        supervised.follow(run, dict.fromkeys(pipes, fail))
    assert supervised.process.returncode == -signal.SIGKILL
    assert not is_alive(supervised.process.pid)


def test_follow_works_without_pidfd(monkeypatch: pytest.MonkeyPatch, fifo: Fifo) -> None:
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    run = context()
    assert follow(python(run, "print('hello'); raise SystemExit(4)"), run)[:2] == (
        Ending(4, stopped=False),
        b"hello\n",
    )
    supervised = python(run, "import signal; signal.pause()")
    thread, answers = in_thread(supervised, run)
    run.cancel()
    thread.join(20)
    assert answers[0][0] == Ending(-signal.SIGTERM, stopped=True)


def test_start_of_a_missing_program_leaves_nothing() -> None:
    with pytest.raises(FileNotFoundError):
        start(["/no/such/program"], context(), {}, stdin=subprocess.DEVNULL)
