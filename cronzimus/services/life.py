"""What a process can tell of itself, and of another one of the same machine."""

import os
import socket
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import psutil

from cronzimus.models.worker import Load

_MOST_RUNS = 100
_MEGABYTE = 1024 * 1024
# The kernel's own number of the namespace that a machine starts with.
_FIRST_PID_NAMESPACE = 0xEFFFFFFC
_PID_NAMESPACE = Path("/proc/self/ns/pid")


class Meter:
    """How much of the machine this process uses; the processor since the last look."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._process.cpu_percent()

    def read(self, runs: Sequence[UUID]) -> Load:
        """The load of this moment, with the runs that are executed."""
        memory = self._process.memory_info().rss / _MEGABYTE
        listed = tuple(str(run_id) for run_id in runs[:_MOST_RUNS])
        return Load(self._process.cpu_percent(), round(memory, 1), listed)


def machine() -> str:
    """Where the number of this process means something: the host, and on it the container.

    Containers on the host's network have the host's name, and the same numbers in each of them.
    """
    try:
        namespace = _PID_NAMESPACE.stat().st_ino
    except OSError:  # not every system has namespaces
        return socket.gethostname()
    inside = "" if namespace == _FIRST_PID_NAMESPACE else f"-{namespace & 0xFFFF:04x}"
    return f"{socket.gethostname()}{inside}"


def is_over(pid: int) -> bool:
    """Whether nobody lives under that number here but, by chance, ourselves."""
    if pid == os.getpid():
        return True
    try:
        return psutil.Process(pid).status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False
