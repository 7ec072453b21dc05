"""One process in a session of its own, followed to its end: output, deadline, cancel, nobody left behind."""

import os
import selectors
import signal
import subprocess  # nosec B404  # argv lists only, never a shell
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import IO, Any

from cronzimus.models.log_line import Stream
from cronzimus.workers.capture import writer
from cronzimus.workers.context import RunContext
from cronzimus.workers.guard import Guard
from cronzimus.workers.tree import RUN_COOKIE, send, sweep

TERM_SECONDS = 2.0
# What a run with a process of its own may take to end: TERM, KILL, and reading what it still said.
GRACE_SECONDS = TERM_SECONDS + 3.0

_CHUNK = 65_536
_LAST_WORDS_SECONDS = 1.0

Reader = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a process ended: its exit code, negative for a signal, and whether we ended it."""

    exit_code: int
    stopped: bool


@dataclass(slots=True)
class Supervised:
    """A process under way; `follow` must be called and returns when it and all it started are gone."""

    process: subprocess.Popen[bytes]
    cookie: str
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    _stopped: bool = False
    _exited: bool = False
    _kill_at: float | None = None

    def follow(self, run: RunContext, readers: Mapping[IO[bytes], Reader]) -> Ending:
        """Read its output until it ends, then close the readers' ends.

        On the run's cancel or deadline: TERM, two seconds, KILL. What outlives the process is killed too.
        """
        bell, ring = os.pipe()
        exit_fd = _exit_fd(self.process)
        try:
            for source, reader in readers.items():
                self._selector.register(source, selectors.EVENT_READ, reader)
            self._selector.register(bell, selectors.EVENT_READ, self._stop)
            self._selector.register(exit_fd, selectors.EVENT_READ)
            with run.on_cancel(_ringing(ring)):
                self._until_exit(run.deadline)
            self._clean_up()
            for fd in (bell, exit_fd):
                self._selector.unregister(fd)
            self._last_words()
        finally:
            self._clean_up()
            self._selector.close()
            for fd in (bell, ring, exit_fd):
                os.close(fd)
            for source in readers:
                source.close()
        return Ending(self.process.returncode, self._stopped)

    def printing(self) -> dict[IO[bytes], Reader]:
        """Its output as readers for `follow`: into the log of this run, as it comes."""
        streams = ((self.process.stdout, Stream.STDOUT), (self.process.stderr, Stream.STDERR))
        return {pipe: writer(stream) for pipe, stream in streams if pipe is not None}

    def expect_exit(self) -> None:
        """It has said all it had to say: kill it when it does not end by itself in two seconds."""
        self._kill_at = time.monotonic() + TERM_SECONDS

    def _until_exit(self, deadline: float | None) -> None:
        while not self._exited:
            moments = (self._kill_at, None if self._stopped else deadline)
            self._handle(_until(min((m for m in moments if m is not None), default=None)))
            now = time.monotonic()
            if deadline is not None and now >= deadline:
                self._stop()
            if self._kill_at is not None and now >= self._kill_at:
                send(signal.SIGKILL, self.cookie, self.process.pid)
                self._kill_at = now + TERM_SECONDS

    def _handle(self, timeout: float | None) -> None:
        for key, _ in self._selector.select(timeout):
            if key.data is None:
                self._exited = True
            elif data := os.read(key.fd, _CHUNK):
                key.data(data)
            else:
                self._selector.unregister(key.fileobj)

    def _stop(self, _: bytes = b"") -> None:
        if not self._stopped:
            self._stopped = True
            self._kill_at = time.monotonic() + TERM_SECONDS
            send(signal.SIGTERM, self.cookie, self.process.pid)

    def _clean_up(self) -> None:
        """Kill what is left before the leader is reaped: until then nobody else can get its number."""
        if self.process.returncode is None:
            sweep(self.cookie, self.process.pid)
            self.process.wait()

    def _last_words(self) -> None:
        """What the pipes still hold; a writer that escaped every kill cannot keep us."""
        until = time.monotonic() + _LAST_WORDS_SECONDS
        while self._selector.get_map() and time.monotonic() < until:
            self._handle(_until(until))


def start(command: Sequence[str], run: RunContext, env: Mapping[str, str], **options: Any) -> Supervised:
    """Start a command as the leader of a new session, marked so that everything it starts can be found.

    From here on the run may take longer to end: its processes are asked first and killed then.
    """
    cookie = f"{run.id}:{run.attempt}"
    run.grace_seconds = max(run.grace_seconds, GRACE_SECONDS)
    marked = {**env, **_guard().cookie(), RUN_COOKIE: cookie}
    process = subprocess.Popen(command, env=marked, start_new_session=True, **options)  # nosec B603
    return Supervised(process, f"{RUN_COOKIE}={cookie}")


@cache
def _guard() -> Guard:
    return Guard()


def _ringing(fd: int) -> Callable[[], None]:
    def _ring() -> None:
        os.write(fd, b".")

    return _ring


def _until(moment: float | None) -> float | None:
    return None if moment is None else max(0.0, moment - time.monotonic())


def _exit_fd(process: subprocess.Popen[bytes]) -> int:
    """A descriptor that becomes readable when the process ends, without reaping it where that is possible."""
    if hasattr(os, "pidfd_open"):
        return os.pidfd_open(process.pid)
    watched, told = os.pipe()

    def _wait() -> None:
        process.wait()
        os.close(told)

    threading.Thread(target=_wait, name=f"cronzimus-wait-{process.pid}", daemon=True).start()
    return watched
