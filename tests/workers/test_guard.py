import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cronzimus.workers.guard import Guard, python_environment, python_module
from cronzimus.workers.tree import OWNER_COOKIE, members
from tests.workers.support import Fifo, is_alive, wait_gone

# A service in small: it starts two bodies that must not survive it, one of which leaves its session.
SERVICE = """
import os, subprocess, sys
from cronzimus.workers.guard import Guard
guard = Guard()
sleeper = [sys.executable, "-c", "import signal; signal.pause()"]
bodies = [subprocess.Popen(sleeper, env={**os.environ, **guard.cookie()}, start_new_session=bool(n)) for n in (0, 1)]
with open(sys.argv[1], "w") as fifo:
    fifo.write(f"{guard.pid}\\n" + "".join(f"{body.pid}\\n" for body in bodies))
bodies[0].wait()
"""


@pytest.fixture
def fifo(tmp_path: Path) -> Iterator[Fifo]:
    one = Fifo(tmp_path / "fifo")
    yield one
    one.close()


@pytest.fixture
def service(fifo: Fifo) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", SERVICE, fifo.path], env=python_environment())
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def guard() -> Iterator[Guard]:
    one = Guard()
    yield one
    one.close()


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_guard_kills_what_its_owner_left(service: subprocess.Popen[bytes], fifo: Fifo, signum: int) -> None:
    guard_pid, *bodies = [fifo.number() for _ in range(3)]
    assert all(is_alive(pid) for pid in (guard_pid, *bodies))
    service.send_signal(signum)
    assert all(wait_gone(pid) for pid in bodies)
    assert wait_gone(guard_pid)


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc whether the guard has set its handlers")
def test_guard_survives_the_signals_of_its_terminal(service: subprocess.Popen[bytes], fifo: Fifo) -> None:
    guard_pid, *bodies = [fifo.number() for _ in range(3)]
    wait_until_ready(guard_pid)
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(guard_pid, signum)
    service.kill()
    assert all(wait_gone(pid) for pid in bodies)


def wait_until_ready(pid: int) -> None:
    """Wait until the guard ignores SIGTERM: before that it is still starting."""
    pause = threading.Event()
    for _ in range(5000):
        ignored = int(Path(f"/proc/{pid}/status").read_text().split("SigIgn:\t")[1].split()[0], 16)
        if ignored & (1 << (signal.SIGTERM - 1)):
            return
        pause.wait(0.005)
    raise AssertionError("the guard never got ready")


def test_guard_is_in_a_session_of_its_own(guard: Guard) -> None:
    guard.cookie()
    assert os.getsid(guard.pid) != os.getsid(0)


def test_guard_starts_when_first_needed(guard: Guard) -> None:
    assert guard.pid == 0
    guard.cookie()
    assert is_alive(guard.pid)


def test_cookie_starts_one_guard(guard: Guard) -> None:
    first, pid = guard.cookie(), guard.pid
    assert guard.cookie() == first and guard.pid == pid
    assert first == {OWNER_COOKIE: guard.owner}


def test_cookie_replaces_a_guard_that_died(guard: Guard) -> None:
    first, pid = guard.cookie(), guard.pid
    os.kill(pid, signal.SIGKILL)
    assert wait_gone(pid)
    assert guard.cookie() == first, "what runs already carries it"
    assert guard.pid != pid and is_alive(guard.pid)


def test_cookie_of_a_fork_is_another(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    parents = Guard(owner="parent", pid=guard.pid, _owner_pid=-1)
    mine = parents.cookie()
    assert mine != {OWNER_COOKIE: "parent"}
    parents.close()


def test_close_lets_the_guard_end(guard: Guard) -> None:
    guard.cookie()
    pid = guard.pid
    guard.close()
    assert wait_gone(pid)
    guard.close()


def test_close_kills_what_is_left(guard: Guard) -> None:
    sleeper = [sys.executable, "-c", "import signal; signal.pause()"]
    left = subprocess.Popen(sleeper, env={**os.environ, **guard.cookie()}, start_new_session=True)
    guard.close()
    assert left.wait(20) == -signal.SIGKILL


def test_guard_leaves_processes_of_others_alone(guard: Guard) -> None:
    guard.cookie()
    assert members(f"{OWNER_COOKIE}={guard.owner}") == set()


def test_python_environment_lets_the_package_be_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    found: Any = subprocess.run(
        [sys.executable, "-c", "import cronzimus; print(cronzimus.__file__)"],
        cwd=tmp_path,
        env=python_environment(),
        capture_output=True,
        text=True,
    )
    assert found.stdout.strip().endswith("cronzimus/__init__.py")


def test_python_environment_keeps_the_path_that_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere/else")
    assert python_environment()["PYTHONPATH"].endswith(f"{os.pathsep}/somewhere/else")


def test_python_module_uses_this_interpreter() -> None:
    assert python_module("a.b") == [sys.executable, "-m", "a.b"]
