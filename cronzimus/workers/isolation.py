"""An attempt in a process of its own: started, told, followed, and its answer read."""

import json
import os
import signal
import subprocess  # nosec B404  # argv lists only, never a shell
from contextlib import suppress

from cronzimus.common.logger import repeat
from cronzimus.services.tracing import environment
from cronzimus.workers.context import RunContext
from cronzimus.workers.guard import python_environment, python_module
from cronzimus.workers.outcome import Outcome, died, remasked
from cronzimus.workers.process import Ending, Supervised, start
from cronzimus.workers.request import Request

ANSWER_LIMIT = 4 * 1024 * 1024

_CHILD = "cronzimus.workers.child"


class _Answer:
    """Lines of JSON from the process: `{"said": …}` and `{"committed": true}` at any time, the outcome at the end."""

    def __init__(self, run: RunContext, supervised: Supervised) -> None:
        self.outcome: Outcome | None = None
        self._run, self._supervised = run, supervised
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Take in what was read."""
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[:ANSWER_LIMIT]
        for line in lines:
            self._read(line)

    def _read(self, line: bytes) -> None:
        with suppress(ValueError, KeyError, TypeError):  # the function itself may have scribbled on the pipe
            said = dict(json.loads(line))
            if "said" in said:
                repeat(**said["said"])
                return
            if said.get("committed"):
                self._run.committed = True
                return
            self.outcome = remasked(Outcome.from_json(said))
            self._supervised.expect_exit()


def run_in_process(request: Request, run: RunContext, memory_limit_mb: int | None = None) -> Outcome:
    """The outcome of the attempt; a process that dies without an answer has failed."""
    answer_end, child_end = os.pipe()
    command = [*python_module(_CHILD), str(child_end), str(memory_limit_mb or 0)]
    try:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        supervised = start(command, run, _environment(run), pass_fds=(child_end,), **pipes)
    except BaseException:
        os.close(answer_end)
        raise
    finally:
        os.close(child_end)
    answer = _Answer(run, supervised)
    try:
        _tell(supervised, request)
        readers = {os.fdopen(answer_end, "rb", buffering=0): answer.feed, **supervised.printing()}
        ending = supervised.follow(run, readers)
    finally:
        _hang_up(supervised)
    return answer.outcome or died(_obituary(ending, memory_limit_mb))


def _environment(run: RunContext) -> dict[str, str]:
    return {**python_environment(), **environment(run.trace_id)}


def _tell(supervised: Supervised, request: Request) -> None:
    """Write the request and keep the pipe open: its end would tell the process that we are gone."""
    control = supervised.process.stdin
    with suppress(BrokenPipeError):
        if control is not None:
            control.write(request.text().encode() + b"\n")
            control.flush()


def _hang_up(supervised: Supervised) -> None:
    with suppress(OSError):
        if supervised.process.stdin is not None:
            supervised.process.stdin.close()


def _obituary(ending: Ending, memory_limit_mb: int | None) -> str:
    if ending.exit_code >= 0:
        return f"the process ended with exit code {ending.exit_code} and gave no answer"
    number = -ending.exit_code
    names = {s.value: s.name for s in signal.Signals}
    message = f"the process was killed by signal {number} ({names.get(number, 'unknown')})"
    if number == signal.SIGKILL and not ending.stopped:
        limit = f", its limit is {memory_limit_mb} MiB" if memory_limit_mb else ""
        message += f"; the system may have run out of memory{limit}"
    return message
