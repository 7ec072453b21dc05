"""A small process that outlives its owner by a moment and kills what that left running.

`python -m cronzimus.workers.guard OWNER`; the owner holds the only write end of its standard input, so the
end of that input means that the owner has ended, by whatever signal.
"""

import os
import signal
import subprocess  # nosec B404  # argv lists only, never a shell
import sys
import threading
from contextlib import suppress
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
    pid: int = 0
    _owner_pid: int = 0
    _line: int = -1
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def cookie(self) -> dict[str, str]:
        """The environment entry by which the guard knows whom to kill; the guard runs from here on."""
        with self._lock:
            if self._owner_pid != os.getpid():  # after a fork the guard watches the parent, not us
                self._owner_pid, self.owner, self.pid = os.getpid(), uuid4().hex, 0
            if not self._is_alive():
                self._start()
        return {OWNER_COOKIE: self.owner}

    def close(self) -> None:
        """Let the guard do its work now and end."""
        with self._lock:
            if self.pid:
                os.close(self._line)
                with suppress(ChildProcessError):
                    os.waitpid(self.pid, 0)
                self.pid = 0

    def _is_alive(self) -> bool:
        if not self.pid:
            return False
        with suppress(ChildProcessError):
            if os.waitpid(self.pid, os.WNOHANG) == (0, 0):
                return True
        os.close(self._line)
        return False

    def _start(self) -> None:
        listened, self._line = os.pipe()
        process = subprocess.Popen(  # nosec B603
            [*python_module(__name__), self.owner],
            env=python_environment(),
            stdin=listened,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(listened)
        self.pid = process.pid
        # The guard outlives us on purpose: without this the object would complain when it is collected.
        process.returncode = 0


def main(owner: str) -> None:
    """Wait for the owner's end, then kill everything that carries its cookie."""
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    while os.read(0, 1):
        pass
    sweep(f"{OWNER_COOKIE}={owner}")


if __name__ == "__main__":
    main(sys.argv[1])
