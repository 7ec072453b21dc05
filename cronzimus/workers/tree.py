"""Find and kill everything a run has started, however it hides: group, descendants, environment cookie."""

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import psutil

RUN_COOKIE = "CRONZIMUS_RUN"
OWNER_COOKIE = "CRONZIMUS_OWNER"

_HAS_PROC = os.path.exists("/proc/self/environ")
_ROUNDS = 100
_ROUND_SECONDS = 0.01
_DEAD = frozenset("ZXx")


@dataclass(frozen=True, slots=True)
class Process:
    """One living process: who made it and which group it is in."""

    pid: int
    parent: int
    group: int


def send(signum: int, cookie: str, leader: int | None = None) -> int:
    """Signal every process of a tree; how many there were.

    A tree is the leader's group, its descendants, and whoever carries `cookie` (NAME=value) in its
    environment: `setsid` leaves the group, a double fork the descendants, but both keep the environment.
    """
    found, _ = _look(cookie, leader)
    for pid in found:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signum)
    return len(found)


def sweep(cookie: str, leader: int | None = None) -> bool:
    """Kill the tree until nobody is left, and look again while there may be more; whether it worked.

    1. A dying tree may still fork: it is empty only when a look found nobody.
    2. In the middle of an `exec` a process has no environment to be known by: such a one is waited for.
    """
    for _ in range(_ROUNDS):
        found, unknown = _look(cookie, leader)
        if not found and not unknown:
            return True
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_ROUND_SECONDS)
    return False


def members(cookie: str, leader: int | None = None) -> set[int]:
    """The living processes of a tree, never the caller."""
    return _look(cookie, leader)[0]


def _look(cookie: str, leader: int | None) -> tuple[set[int], int]:
    """The members of a tree, and how many processes cannot be told yet."""
    living = _living()
    carriers = {process.pid: _carries(process.pid, cookie) for process in living}
    seeds = {process.pid for process in living if carriers[process.pid] or process.group == leader}
    found = _descendants(living, seeds if leader is None else seeds | {leader})
    unknown = [pid for pid, carries in carriers.items() if carries is None and pid not in found]
    # A leader that is dead already is a root to find others by, not a member.
    return (found & carriers.keys()) - {os.getpid()}, len(unknown)


def _descendants(living: Iterable[Process], seeds: set[int]) -> set[int]:
    """The seeds and all they have started, who only dropped the environment on the way included."""
    children: dict[int, list[int]] = {}
    for process in living:
        children.setdefault(process.parent, []).append(process.pid)
    found, line = set(seeds), list(seeds)
    while line:
        fresh = [pid for pid in children.get(line.pop(), ()) if pid not in found]
        found.update(fresh)
        line.extend(fresh)
    return found


def _living() -> list[Process]:
    if _HAS_PROC:
        return [process for pid in _pids() if (process := _read_stat(pid)) is not None]
    return _living_by_psutil()


def _pids() -> Iterable[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _read_stat(pid: int) -> Process | None:
    try:
        state, parent, group, *_ = _read(pid, "stat").rpartition(b")")[2].split(maxsplit=3)
    except (OSError, ValueError):
        return None
    return None if state.decode() in _DEAD else Process(pid, int(parent), int(group))


def _living_by_psutil() -> list[Process]:
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.status() != psutil.STATUS_ZOMBIE:
                found.append(Process(process.pid, process.ppid(), os.getpgid(process.pid)))
    return found


def _carries(pid: int, cookie: str) -> bool | None:
    """Whether a process has the cookie in its environment; None while it is between two programs."""
    if not _HAS_PROC:
        name, _, value = cookie.partition("=")
        with suppress(psutil.Error, OSError):
            return psutil.Process(pid).environ().get(name) == value
        return False
    try:
        environment = _read(pid, "environ")
        if environment:
            return f"\0{cookie}\0".encode() in b"\0" + environment
        return None if _is_between_programs(pid) else False
    except OSError:
        return False


def _is_between_programs(pid: int) -> bool:
    """A program without an environment still has words and a file; the kernel's own threads have no file."""
    if _read(pid, "cmdline"):
        return False
    with suppress(OSError):
        return bool(os.readlink(f"/proc/{pid}/exe"))
    return False


def _read(pid: int, name: str) -> bytes:
    with open(f"/proc/{pid}/{name}", "rb") as file:
        return file.read()
