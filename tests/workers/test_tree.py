import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from uuid import uuid4

import psutil
import pytest

from cronzimus.workers import tree
from cronzimus.workers.tree import RUN_COOKIE, members, send, sweep
from tests.workers.support import is_alive, wait_gone

NOBODY = 2**22 + 1  # beyond the highest pid there can be
SLEEP = "import signal; signal.pause()"
DEAF = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); signal.pause()"
)
PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], **eval(sys.argv[1]))
print(child.pid, flush=True)
child.wait()
"""


@pytest.fixture
def cookie() -> str:
    return f"{RUN_COOKIE}={uuid4()}:1"


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    """Processes to be ended after the test."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def run(
    processes: list[subprocess.Popen[str]], *words: str, cookie: str | None = None, group: bool = True
) -> subprocess.Popen[str]:
    name, _, value = (cookie or "").partition("=")
    env = {**os.environ, name: value} if cookie else dict(os.environ)
    command = [sys.executable, "-c", *words]
    process = subprocess.Popen(command, env=env, start_new_session=group, stdout=subprocess.PIPE, text=True)
    processes.append(process)
    return process


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def family(processes: list[subprocess.Popen[str]], cookie: str, options: str) -> tuple[int, int]:
    """A leader and its child, started with options of their own."""
    leader = run(processes, PARENT, options, cookie=cookie)
    return leader.pid, int(first_line(leader))


def test_members_finds_the_leader_itself(started: list[subprocess.Popen[str]], cookie: str) -> None:
    process = run(started, SLEEP)
    assert members(cookie, process.pid) == {process.pid}


@pytest.mark.parametrize(
    "options", ["{}", "{'start_new_session': True}", "{'env': {}}", "{'env': {}, 'start_new_session': True}"]
)
def test_members_finds_children_however_they_were_started(
    started: list[subprocess.Popen[str]], cookie: str, options: str
) -> None:
    leader, child = family(started, cookie, options)
    assert members(cookie, leader) == {leader, child}
    assert sweep(cookie, leader)
    assert wait_gone(child)


def test_members_finds_orphans_by_their_cookie(started: list[subprocess.Popen[str]], cookie: str) -> None:
    leader, child = family(started, cookie, "{'start_new_session': True}")
    started[0].kill()
    started[0].wait()
    assert members(cookie) == {child}
    assert sweep(cookie)
    assert wait_gone(child)


def test_members_finds_what_a_carrier_has_started(started: list[subprocess.Popen[str]], cookie: str) -> None:
    """A child that dropped the cookie is found by its parent, which has it, though nobody names a leader."""
    leader, child = family(started, cookie, "{'env': {}, 'start_new_session': True}")
    assert members(cookie) == {leader, child}


def test_members_finds_orphans_by_their_group(started: list[subprocess.Popen[str]], cookie: str) -> None:
    leader, child = family(started, cookie, "{'env': {}}")
    os.kill(leader, signal.SIGKILL)
    assert wait_gone(leader)
    assert members(cookie, leader) == {child}
    assert sweep(cookie, leader)


def test_members_leaves_other_cookies_alone(started: list[subprocess.Popen[str]], cookie: str) -> None:
    mine = run(started, SLEEP, cookie=cookie)
    run(started, SLEEP, cookie=f"{cookie}1")
    run(started, SLEEP, cookie=f"X{cookie}")
    run(started, SLEEP)
    assert members(cookie) == {mine.pid}


def test_members_never_names_the_caller(started: list[subprocess.Popen[str]]) -> None:
    process = run(started, SLEEP, group=False)
    found = members("NOTHING=at all", os.getpid())
    assert process.pid in found and os.getpid() not in found


def test_members_leaves_the_dead_out(started: list[subprocess.Popen[str]], cookie: str) -> None:
    process = run(started, SLEEP, cookie=cookie)
    process.kill()
    assert wait_gone(process.pid)
    assert members(cookie, process.pid) == set(), "it is a zombie until somebody waits for it"


def test_send_signals_everyone_and_counts(started: list[subprocess.Popen[str]], cookie: str) -> None:
    leader, child = family(started, cookie, "{'start_new_session': True}")
    assert send(signal.SIGTERM, cookie, leader) == 2
    assert wait_gone(leader) and wait_gone(child)


def test_send_to_nobody_is_harmless(cookie: str) -> None:
    assert send(signal.SIGTERM, cookie) == 0


def test_sweep_kills_who_ignores_everything_else(started: list[subprocess.Popen[str]], cookie: str) -> None:
    process = run(started, DEAF, cookie=cookie)
    assert first_line(process) == "ready"
    send(signal.SIGTERM, cookie, process.pid)
    assert is_alive(process.pid)
    assert sweep(cookie, process.pid)
    assert wait_gone(process.pid)


def test_sweep_kills_a_stopped_process(started: list[subprocess.Popen[str]], cookie: str) -> None:
    process = run(started, SLEEP, cookie=cookie)
    os.kill(process.pid, signal.SIGSTOP)
    assert sweep(cookie, process.pid)
    assert wait_gone(process.pid)


def test_sweep_looks_again_until_nobody_is_left(monkeypatch: pytest.MonkeyPatch, cookie: str) -> None:
    """A tree that forks while it dies has members the first look did not see."""
    looks: list[tuple[set[int], int]] = [({NOBODY}, 0), ({NOBODY + 1}, 0), (set(), 0)]
    monkeypatch.setattr(tree, "_look", lambda *facts: looks.pop(0))
    assert sweep(cookie, 1)
    assert looks == []


def test_sweep_waits_for_who_cannot_be_told_yet(monkeypatch: pytest.MonkeyPatch, cookie: str) -> None:
    looks: list[tuple[set[int], int]] = [(set(), 1), ({NOBODY}, 0), (set(), 0)]
    monkeypatch.setattr(tree, "_look", lambda *facts: looks.pop(0))
    assert sweep(cookie, 1)
    assert looks == []


def test_sweep_gives_up_on_what_cannot_be_killed(monkeypatch: pytest.MonkeyPatch, cookie: str) -> None:
    monkeypatch.setattr(tree, "_look", lambda *facts: ({NOBODY}, 0))
    monkeypatch.setattr(tree, "_ROUND_SECONDS", 0)
    assert not sweep(cookie, 1)


@pytest.mark.skipif(sys.platform != "linux", reason="about /proc")
@pytest.mark.parametrize(
    ("environment", "words", "carries"),
    [
        (b"A=1\0{}\0", b"python\0", True),
        (b"A=1\0", b"python\0", False),
        (b"", b"python\0", False),
        (b"", b"", None),
    ],
)
def test_process_in_the_middle_of_an_exec_is_told_later(
    monkeypatch: pytest.MonkeyPatch, cookie: str, environment: bytes, words: bytes, carries: bool | None
) -> None:
    facts = {"environ": environment.replace(b"{}", cookie.encode()), "cmdline": words}
    monkeypatch.setattr(tree, "_read", lambda pid, name: facts[name])
    assert tree._carries(os.getpid(), cookie) is carries


@pytest.mark.skipif(sys.platform != "linux", reason="about /proc")
def test_threads_of_the_kernel_are_not_waited_for(monkeypatch: pytest.MonkeyPatch, cookie: str) -> None:
    monkeypatch.setattr(tree, "_read", lambda pid, name: b"")
    assert tree._carries(NOBODY, cookie) is False


def test_living_agrees_with_psutil() -> None:
    """Where there is no /proc the same facts come from psutil."""
    me = os.getpid()
    for facts in (tree._living(), tree._living_by_psutil()):
        (found,) = [process for process in facts if process.pid == me]
        assert (found.parent, found.group) == (os.getppid(), os.getpgid(0))


@pytest.mark.skipif(sys.platform != "linux", reason="compares with /proc")
def test_tree_is_found_without_proc(
    started: list[subprocess.Popen[str]], cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "_HAS_PROC", False)
    leader, child = family(started, cookie, "{'start_new_session': True}")
    assert members(cookie, leader) == {leader, child}
    assert members(cookie) == {leader, child}


def test_process_that_vanishes_while_looked_at_is_no_error() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert not psutil.pid_exists(gone.pid)
    assert tree._read_stat(gone.pid) is None
    assert not tree._carries(gone.pid, "A=b")
