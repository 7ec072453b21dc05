import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cronzimus.workers import child
from cronzimus.workers.guard import python_environment, python_module
from cronzimus.workers.request import Request
from tests.workers.support import JOBS, NOWHERE, Fifo, claim, is_alive, settings, wait_gone

# A service in small: one worker, a run in a process of its own, and a shell command in a thread.
SERVICE = """
import sys, threading
from tests.workers.support import Ledger, definition, start_run, working
isolated = definition("family", id="isolated", args=[sys.argv[1]], policy={"isolation": "process"})
sleep = "import os, signal, sys; open(sys.argv[1], 'w').write(f'{os.getpid()}\\\\n'); signal.pause()"
shell = definition(kind="shell", id="shell", params={"command": [sys.executable, "-c", sleep, sys.argv[2]]})
ledger = Ledger(isolated, shell)
with working(ledger) as (worker, engine):
    start_run(ledger, engine, "isolated")
    start_run(ledger, engine, "shell")
    threading.Event().wait()
"""


@pytest.fixture
def fifos(tmp_path: Path) -> Iterator[tuple[Fifo, Fifo]]:
    pair = Fifo(tmp_path / "one"), Fifo(tmp_path / "two")
    yield pair
    for fifo in pair:
        fifo.close()


class Started:
    """A child as its parent starts it, with the pipes in the test's hands."""

    def __init__(self, function: str, *args: Any, memory: int = 0) -> None:
        self.answers, theirs = os.pipe()
        request = Request.of(
            f"{JOBS}:{function}",
            list(args),
            {},
            (JOBS,),
            claim(),
            worker_id="w1",
            deadline=None,
            database_url=NOWHERE,
            settings=settings(),
        )
        self.process = subprocess.Popen(
            [*python_module("cronzimus.workers.child"), str(theirs), str(memory)],
            env=python_environment(),
            stdin=subprocess.PIPE,
            pass_fds=(theirs,),
            start_new_session=True,
        )
        os.close(theirs)
        assert self.process.stdin is not None
        self.control = self.process.stdin
        self.control.write(request.text().encode() + b"\n")
        self.control.flush()

    def said(self) -> list[Any]:
        """Everything it answers until it closes the pipe."""
        with os.fdopen(self.answers, "rb") as pipe:
            return [json.loads(line) for line in pipe.read().splitlines() if line]

    def close(self) -> None:
        self.control.close()
        self.process.kill()
        self.process.wait()


def test_child_answers_in_lines_of_json() -> None:
    started = Started("give", "x")
    (answer,) = started.said()
    assert (answer["state"], answer["result"]) == ("success", "x")
    assert started.process.wait(20) == 0
    started.close()


def test_child_ends_with_exit_code_0_after_a_failure_it_could_tell() -> None:
    started = Started("boom")
    (answer,) = started.said()
    assert answer["error"]["type"] == "ValueError"
    assert started.process.wait(20) == 0
    started.close()


def test_child_dies_when_its_parent_hangs_up(fifos: tuple[Fifo, Fifo]) -> None:
    started = Started("family", fifos[0].path)
    pids = [fifos[0].number() for _ in range(4)]
    started.control.close()
    assert all(wait_gone(pid) for pid in pids)
    assert started.process.wait(20) == -signal.SIGKILL
    os.close(started.answers)
    started.close()


def test_child_of_a_busy_function_dies_too(fifos: tuple[Fifo, Fifo]) -> None:
    started = Started("deaf", fifos[0].path)
    pid = fifos[0].number()
    started.control.close()
    assert wait_gone(pid)
    os.close(started.answers)
    started.close()


def test_answer_pipe_is_not_inherited_by_what_the_function_starts(fifos: tuple[Fifo, Fifo]) -> None:
    started = Started("leave_behind", fifos[0].path)
    (answer,) = started.said()
    left = fifos[0].number()
    assert answer["result"] == "done" and is_alive(left)
    os.kill(left, signal.SIGKILL)
    started.close()


@pytest.mark.e2e
def test_kill_of_the_service_leaves_nothing(fifos: tuple[Fifo, Fifo]) -> None:
    """kill -9: the child, its setsid and double-forked descendants, and a shell command are all gone."""
    isolated, shell = fifos
    service = subprocess.Popen(
        [sys.executable, "-c", SERVICE, isolated.path, shell.path], env=python_environment()
    )
    pids = [*(isolated.number() for _ in range(4)), shell.number()]
    assert all(is_alive(pid) for pid in pids)
    service.kill()
    service.wait()
    assert all(wait_gone(pid) for pid in pids)


@pytest.mark.skipif(sys.platform != "linux", reason="macOS does not enforce RLIMIT_AS")
def test_limit_memory_leaves_room_from_where_the_process_is(monkeypatch: pytest.MonkeyPatch) -> None:
    set_to: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda which, limits: set_to.append(limits))
    child.limit_memory(64)
    ((soft, hard),) = set_to
    assert soft > 64 * 1024 * 1024
    assert hard == resource.getrlimit(resource.RLIMIT_AS)[1]


def test_limit_memory_of_zero_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "setrlimit", lambda *facts: pytest.fail("no limit was asked for"))
    child.limit_memory(0)
