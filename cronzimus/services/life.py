"""What a process can tell of itself, and of another one of the same machine."""

import os
from collections.abc import Sequence
from uuid import UUID

import psutil

from cronzimus.models.worker import Load

_MOST_RUNS = 100
_MEGABYTE = 1024 * 1024


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
