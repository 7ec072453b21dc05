"""The process of one attempt: `python -m cronzimus.workers.child ANSWER_FD MEMORY_MIB`, told by its input.

It ends with its parent: the parent holds the only write end of the input and keeps it open.
"""

import ctypes
import io
import json
import os
import resource
import signal
import sys
import threading
from contextlib import suppress
from dataclasses import asdict
from types import FrameType
from typing import Any, NoReturn
from urllib.parse import unquote, urlsplit

from cronzimus.common.db import Database
from cronzimus.common.logger import Spoken, init_relay, log_context, register_secret
from cronzimus.common.telemetry import end_telemetry
from cronzimus.services.tracing import begin_tracing, from_environment
from cronzimus.workers.context import RunContext
from cronzimus.workers.invocation import invoke, load
from cronzimus.workers.outcome import Outcome, Terminated, raised, returned
from cronzimus.workers.request import Request
from cronzimus.workers.tree import RUN_COOKIE, sweep

_CONNECTIONS = 4
_SET_CHILD_SUBREAPER = 36
_MIB = 1024 * 1024
_LONGEST_RECORD = 65_536


class _Answers:
    """The pipe back to the parent; what the function starts does not inherit it."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lock = threading.RLock()
        os.set_inheritable(fd, False)

    def send(self, message: dict[str, Any]) -> None:
        """One line of JSON; a parent that is gone is nobody to complain to."""
        # A line of its own, whatever a careless function wrote into the pipe before.
        data = b"\n" + json.dumps(message).encode() + b"\n"
        with self._lock, suppress(BrokenPipeError):
            while data:
                data = data[os.write(self._fd, data) :]

    def say(self, spoken: Spoken) -> None:
        """What was logged goes to the parent's log, which knows the run it belongs to."""
        text = spoken.text[:_LONGEST_RECORD]
        self.send({"said": {"level": spoken.level, "logger": spoken.logger, "text": text}})


def main(answer_fd: int, memory_limit_mb: int) -> None:
    """Carry out the attempt and answer; every way the function can end is an answer, if the process lives."""
    limit_memory(memory_limit_mb)
    _adopt_orphans()
    control = _take_input_away()
    with os.fdopen(control, "rb", closefd=False) as lines:
        request = Request.from_text(lines.readline().decode())
    answers = _Answers(answer_fd)
    _look_like_the_parent(request, answers)
    threading.Thread(target=_die_with_the_parent, args=(control,), daemon=True).start()
    database = Database(request.database_url, _CONNECTIONS, statement_timeout=None)
    run = RunContext(
        request.claimed(),
        database,
        request.settings_tree(),
        worker_id=request.worker_id,
        deadline=request.deadline,
        inputs=request.inputs,
        on_commit=lambda: answers.send({"committed": True}),
    )
    answers.send(asdict(_outcome_of(request, run)))
    end_telemetry()
    database.close()


def limit_memory(limit_mb: int) -> None:
    """Let the address space grow by `limit_mb` MiB from here; 0 is no limit.

    What the interpreter itself has mapped by now is not the function's and does not count.
    """
    if limit_mb and sys.platform == "linux":
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (_mapped() + limit_mb * _MIB, hard))


def _mapped() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def _adopt_orphans() -> None:
    """Processes that double-fork stay our descendants, and so are found when the tree is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _take_input_away() -> int:
    """Move the control pipe off descriptor 0: the function reads an empty standard input."""
    control = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return control


def _look_like_the_parent(request: Request, answers: _Answers) -> None:
    sys.path[:] = request.sys_path
    os.environ.pop("PYTHONPATH", None)
    if request.pythonpath is not None:
        os.environ["PYTHONPATH"] = request.pythonpath
    logging = request.settings.get("logging", {})
    init_relay(logging.get("level", "INFO"), answers.say)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True, errors="replace")
    for secret in (unquote(urlsplit(request.database_url).password or ""), *request.secrets):
        register_secret(secret)
    begin_tracing(request.settings_tree())


def _outcome_of(request: Request, run: RunContext) -> Outcome:
    def _terminate(signum: int, frame: FrameType | None) -> NoReturn:
        run.cancel()
        raise Terminated(f"told to end by signal {signum}")

    allowed = None if request.allowed is None else tuple(request.allowed)
    try:
        signal.signal(signal.SIGTERM, _terminate)
        with from_environment(), log_context(run_id=str(run.id), job_id=run.job_id, trace_id=run.trace_id):
            return returned(invoke(load(request.path, allowed), request.args, request.kwargs, run))
    except BaseException as error:
        _lift_limits()
        return raised(error)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _lift_limits() -> None:
    """A function that ran out of memory must not keep us from saying so."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def _die_with_the_parent(control: int) -> None:
    with suppress(OSError):
        while os.read(control, 1):
            pass
    sweep(f"{RUN_COOKIE}={os.environ.get(RUN_COOKIE, '')}", os.getpid())
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
