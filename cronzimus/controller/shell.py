"""A command as a job: a list of words that no shell reads, in a clean room, killed with all it started."""

import json
import os
import shutil
import subprocess  # nosec B404  # argv lists only, never a shell
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cronzimus.common.logger import mask
from cronzimus.errors import Fault, Invalid
from cronzimus.models.run import ErrorCategory
from cronzimus.services.tracing import environment
from cronzimus.workers.context import RunContext
from cronzimus.workers.process import Ending, Reader, start

KEPT_BYTES = 65_536
LONGEST_INPUTS = 32_768
ANY_COMMAND = "*"

_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NOT_FOUND, _NOT_EXECUTABLE = 127, 126


class CommandFailed(Exception):
    """The command did not exit with 0; `result` is what it said."""

    category = ErrorCategory.SYSTEM

    def __init__(self, message: str, result: dict[str, Any]) -> None:
        super().__init__(message)
        self.result = result


class CommandUnusable(CommandFailed):
    """The command cannot be started here at all; another try would fail in the same way."""

    category = ErrorCategory.BUSINESS


@dataclass(slots=True)
class _Tape:
    """The head and the tail of a stream, however long it gets."""

    head: bytearray = field(default_factory=bytearray)
    tail: bytearray = field(default_factory=bytearray)
    lost: int = 0

    def write(self, data: bytes) -> None:
        """Keep what there is room for; in the middle the oldest goes first."""
        room = KEPT_BYTES // 2 - len(self.head)
        self.head += data[: max(0, room)]
        self.tail += data[max(0, room) :]
        surplus = len(self.tail) - KEPT_BYTES // 2
        if surplus > 0:
            del self.tail[:surplus]
            self.lost += surplus

    def text(self) -> str:
        """What was kept, with a note where something is missing, secrets masked."""
        head, tail = self.head.decode("utf-8", "replace"), self.tail.decode("utf-8", "replace")
        note = f"\n[... {self.lost} bytes cut ...]\n" if self.lost else ""
        return mask(f"{head}{note}{tail}")


def check_command_allowed(command: Sequence[str], allowed: Iterable[str]) -> None:
    """Raise Invalid COMMAND_NOT_ALLOWED unless the first word is on the list; `*` on it allows every command.

    An entry is compared letter by letter: `pg_dump` allows what the service's own PATH finds under that name,
    `/usr/bin/pg_dump` allows that file; neither allows the other.
    """
    listed = tuple(allowed)
    program = command[0] if command else ""
    if program and (ANY_COMMAND in listed or program in listed):
        return
    message = (
        f"command {program!r} is not allowed; worker.allowed_commands lists: {', '.join(listed) or 'none'}"
    )
    raise Invalid(message, code="COMMAND_NOT_ALLOWED", faults=[Fault("params.command", message)])


def run_command(
    run: RunContext, command: Sequence[str], env: Mapping[str, str] | None = None, cwd: str | None = None
) -> dict[str, Any]:
    """Run a command to its end; `{exit_code, stdout, stderr}`, each stream bounded.

    It sees an environment of its own (PATH, LANG, a fresh HOME, CRONZIMUS_RUN_KEY, TRACEPARENT, `env`; where the work
    is cut, CRONZIMUS_PART from 0 of CRONZIMUS_PARTS) and a fresh private directory unless `cwd` names one. What other
    jobs came to lies as JSON in the file CRONZIMUS_INPUTS_FILE, and in CRONZIMUS_INPUTS unless it is long. What it
    leaves running when it ends is killed. An exit code other than 0 raises CommandFailed; a cancel or the deadline
    ends the whole tree.
    """
    check_command_allowed(command, run.settings.worker.allowed_commands)
    with tempfile.TemporaryDirectory(prefix="cronzimus-", ignore_cleanup_errors=True) as home:
        words = [str(word) for word in command]
        variables = {**_environment(run, home, env or {}), **_inputs(run, home)}
        ending, out, err = _carry_out(run, words, variables, cwd or home)
    result: dict[str, Any] = {"exit_code": ending.exit_code, "stdout": out.text(), "stderr": err.text()}
    if ending.stopped:
        raise CommandFailed(f"{words[0]} was stopped before it ended", result)
    if ending.exit_code != 0:
        raise CommandFailed(f"{words[0]} {_told(ending.exit_code)}{_last_line(result['stderr'])}", result)
    return result


def _carry_out(
    run: RunContext, command: list[str], env: dict[str, str], cwd: str
) -> tuple[Ending, _Tape, _Tape]:
    program = _program(command[0], cwd)
    out, err = _Tape(), _Tape()
    try:
        supervised = start(
            command,
            run,
            env,
            executable=program,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except (OSError, ValueError) as error:
        raise _unusable(f"{command[0]} cannot be started: {error}", _NOT_EXECUTABLE) from None
    tapes = {supervised.process.stdout: out, supervised.process.stderr: err}
    log = supervised.printing()
    return supervised.follow(run, {pipe: _both(tapes[pipe].write, log[pipe]) for pipe in log}), out, err


def _both(keep: Reader, show: Reader) -> Reader:
    def read(data: bytes) -> None:
        """Keep it for the result, and show it in the log."""
        keep(data)
        show(data)

    return read


def _program(name: str, cwd: str) -> str:
    """The file to execute, found before the job's own `env` can point elsewhere."""
    if not os.path.isdir(cwd):
        raise _unusable(f"the working directory {cwd!r} does not exist", _NOT_EXECUTABLE)
    if os.sep in name:
        found = name if os.path.exists(os.path.join(cwd, name)) else None
    else:
        found = shutil.which(name, path=_path())
    if found is None:
        raise _unusable(f"there is no program {name!r}", _NOT_FOUND)
    return found


def _environment(run: RunContext, home: str, more: Mapping[str, str]) -> dict[str, str]:
    return {
        "PATH": _path(),
        "LANG": os.environ.get("LANG", "C.UTF-8"),
        "HOME": home,
        **environment(run.trace_id),
        **{str(name): str(value) for name, value in more.items()},
        "CRONZIMUS_RUN_KEY": f"{run.key}/{run.attempt}",
        **_part(run),
    }


def _part(run: RunContext) -> dict[str, str]:
    if run.part is None:
        return {}
    return {"CRONZIMUS_PART": str(run.part), "CRONZIMUS_PARTS": str(run.parts)}


def _inputs(run: RunContext, home: str) -> dict[str, str]:
    """What the jobs came to that the run depends on; a variable has no room for much."""
    if not run.inputs:
        return {}
    text = json.dumps(run.inputs)
    path = os.path.join(home, ".cronzimus-inputs.json")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    short = {"CRONZIMUS_INPUTS": text} if len(text) <= LONGEST_INPUTS else {}
    return {"CRONZIMUS_INPUTS_FILE": path, **short}


def _path() -> str:
    return os.environ.get("PATH") or _DEFAULT_PATH


def _unusable(message: str, exit_code: int) -> CommandUnusable:
    return CommandUnusable(message, {"exit_code": exit_code, "stdout": "", "stderr": ""})


def _told(exit_code: int) -> str:
    return f"ended with exit code {exit_code}" if exit_code > 0 else f"was killed by signal {-exit_code}"


def _last_line(stderr: str) -> str:
    lines = stderr.strip().splitlines()
    return f": {lines[-1][:500]}" if lines else ""
