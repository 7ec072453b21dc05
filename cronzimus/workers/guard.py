"""A small process that outlives its owner by a moment and kills what that left running.

`python -m cronzimus.workers.guard OWNER`; the owner holds the only write end of its standard input, so the
end of that input means that the owner has ended, by whatever signal.
"""

import os
import signal
import subprocess  # nosec B404  # argv lists only, never a shell
import sys
import threading
from dataclasses import dataclass, field
from uuid import uuid4

from cronzimus.workers.tree import OWNER_COOKIE, sweep

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def python_module(name: str) -> list[str]:
    """The command that runs one of our modules in a Python like this one."""
    return [sys.executable, "-m", name]


def python_environment() -> dict[str, str]:
    """This process's environment, with which `python_module` finds our package wherever it was started."""
    path = os.pathsep.join(part for part in (_ROOT, os.environ.get("PYTHONPATH")) if part)
    return {**os.environ, "PYTHONPATH": path}


@dataclass(slots=True)
class Guard:
    """The owner's end: starts the guard process when something is started that must not survive the owner."""

    owner: str = field(default_factory=lambda: uuid4().hex)
    _pid: int = 0
    _process: subprocess.Popen[bytes] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def cookie(self) -> dict[str, str]:
        """The environment entry by which the guard knows whom to kill; the guard runs from here on."""
        with self._lock:
            if self._pid != os.getpid():  # after a fork the guard watches the parent, not us
                self._pid, self.owner, self._process = os.getpid(), uuid4().hex, None
            if self._process is None or self._process.poll() is not None:
                self._process = self._started()
        return {OWNER_COOKIE: self.owner}

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # nosec B603
            [*python_module(__name__), self.owner],
            env=python_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


def main(owner: str) -> None:
    """Wait for the owner's end, then kill everything that carries its cookie."""
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    while os.read(0, 1):
        pass
    sweep(f"{OWNER_COOKIE}={owner}")


if __name__ == "__main__":
    main(sys.argv[1])
