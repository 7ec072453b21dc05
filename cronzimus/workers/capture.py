"""Who speaks, speaks into the log of the run it belongs to: prints by context, log lines also by their run's id."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

from cronzimus.common.logger import Spoken, listen
from cronzimus.common.streams import Write, routed, unrouted
from cronzimus.models.log_line import Stream
from cronzimus.workers.attempt_log import AttemptLog

_current: ContextVar[AttemptLog | None] = ContextVar("cronzimus_current_log", default=None)
_lock = threading.Lock()
_live: dict[str, AttemptLog] = {}


@contextmanager
def recorded(log: AttemptLog) -> Iterator[None]:
    """Within the block what this thread, and every task that inherits its context, says goes into `log`."""
    _open_ears()
    _live[log.run_id] = log
    token = _current.set(log)
    try:
        yield
    finally:
        _current.reset(token)
        if _live.get(log.run_id) is log:
            del _live[log.run_id]


def writer(stream: Stream) -> Callable[[bytes], None]:
    """Takes what a program of this run prints; outside of a run it goes where the process itself prints."""
    log = _current.get()
    if log is not None:
        return partial(log.write, stream)
    own = unrouted(sys.stdout if stream is Stream.STDOUT else sys.stderr)

    def _pass_on(data: bytes) -> None:
        own.buffer.write(data)
        own.flush()

    return _pass_on


def _open_ears() -> None:
    """Put the junctions in place, once; whoever exchanged a stream meanwhile gets one in front of his."""
    with _lock:
        if sys.stdout is not None:  # a process may be started without
            sys.stdout = routed(sys.stdout, _way_of_stdout)
        if sys.stderr is not None:
            sys.stderr = routed(sys.stderr, _way_of_stderr)
        listen(_hear, _concerns_a_run)


def _way_of_stdout() -> Write | None:
    log = _current.get()
    return None if log is None else partial(log.write, Stream.STDOUT)


def _way_of_stderr() -> Write | None:
    log = _current.get()
    return None if log is None else partial(log.write, Stream.STDERR)


def _concerns_a_run(run_id: str | None) -> bool:
    return _current.get() is not None or run_id in _live


def _hear(spoken: Spoken) -> None:
    log = _current.get() or _live.get(spoken.run_id or "")
    if log is not None:
        log.say(Stream.LOG, spoken.level, spoken.logger, spoken.text)
