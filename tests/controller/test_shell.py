import json
import os
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cronzimus.common.logger import register_secret
from cronzimus.controller.shell import (
    KEPT_BYTES,
    LONGEST_INPUTS,
    CommandFailed,
    CommandUnusable,
    _Tape,
    check_command_allowed,
    run_command,
)
from cronzimus.errors import Invalid
from cronzimus.models.log_line import Stream
from cronzimus.models.run import RunState
from cronzimus.utils.traceparent import parse
from cronzimus.workers import process as supervision
from cronzimus.workers.attempt_log import AttemptLog, Limits
from cronzimus.workers.capture import recorded
from cronzimus.workers.context import RunContext
from tests.heart import until
from tests.workers.support import (
    TRACE_ID,
    Fifo,
    Ledger,
    claim,
    context,
    definition,
    settings,
    start_run,
    wait_gone,
    working,
)
from tests.workers.test_attempt_log import Kept

SETSID = """
import os, subprocess, sys
near = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
far = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], start_new_session=True)
open(sys.argv[1], "w").write(f"{os.getpid()}\\n{near.pid}\\n{far.pid}\\n")
near.wait()
"""


@pytest.fixture
def fifo(tmp_path: Path) -> Iterator[Fifo]:
    one = Fifo(tmp_path / "fifo")
    yield one
    one.close()


@pytest.fixture
def shell() -> Callable[..., dict[str, Any]]:
    """Runs a command in a context of its own."""

    def run(*command: str, **options: Any) -> dict[str, Any]:
        return run_command(options.pop("run", None) or context(), list(command), **options)

    return run


Shell = Callable[..., dict[str, Any]]


def python(text: str) -> tuple[str, str, str]:
    return sys.executable, "-c", text


# --- what may be started ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "allowed"),
    [
        (["anything"], ["*"]),
        (["/bin/anything", "-x"], ["*"]),
        (["pg_dump", "db"], ["pg_dump"]),
        (["/usr/bin/pg_dump"], ["/usr/bin/pg_dump"]),
        (["b"], ["a", "b"]),
        (["b"], ["a", "*"]),
    ],
)
def test_check_command_allowed_accepts(command: list[str], allowed: list[str]) -> None:
    check_command_allowed(command, allowed)


@pytest.mark.parametrize(
    ("command", "allowed"),
    [
        (["pg_dump"], []),
        (["pg_dump"], ["pg_dumpall"]),
        (["pg_dumpall"], ["pg_dump"]),
        (["/usr/bin/pg_dump"], ["pg_dump"]),
        (["pg_dump"], ["/usr/bin/pg_dump"]),
        (["/tmp/pg_dump"], ["/usr/bin/pg_dump"]),
        (["/usr/bin/../bin/pg_dump"], ["/usr/bin/pg_dump"]),
        (["/usr/bin/pg_dump "], ["/usr/bin/pg_dump"]),
        (["./pg_dump"], ["pg_dump"]),
        (["PG_DUMP"], ["pg_dump"]),
        (["pg_dump; rm -rf /"], ["pg_dump"]),
        (["sh", "-c", "pg_dump"], ["pg_dump"]),
        (["**"], ["pg*"]),
        ([""], ["*"]),
        ([], ["*"]),
    ],
)
def test_check_command_allowed_refuses(command: list[str], allowed: list[str]) -> None:
    with pytest.raises(Invalid) as error:
        check_command_allowed(command, allowed)
    assert error.value.code == "COMMAND_NOT_ALLOWED"
    assert [fault.field for fault in error.value.faults] == ["params.command"]


def test_check_command_allowed_says_what_is_listed() -> None:
    with pytest.raises(Invalid, match="lists: a, b"):
        check_command_allowed(["c"], ["a", "b"])
    with pytest.raises(Invalid, match="lists: none"):
        check_command_allowed(["c"], [])


def test_command_that_is_not_allowed_is_not_started(shell: Shell, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    run = context(settings=settings(allowed_commands=("true",)))
    with pytest.raises(Invalid):
        shell("touch", str(trace), run=run)
    assert not trace.exists()


# --- the result -------------------------------------------------------------------------------------


def test_command_answers_with_its_output(shell: Shell) -> None:
    result = shell(*python("import sys; print('out'); print('err', file=sys.stderr)"))
    assert result == {"exit_code": 0, "stdout": "out\n", "stderr": "err\n"}


def test_words_are_passed_as_they_are(shell: Shell) -> None:
    words = ["$HOME", "a b", "; true", "`id`", "*", "", "ü", "'\""]
    result = shell(sys.executable, "-c", "import json, sys; print(json.dumps(sys.argv[1:]))", *words)
    assert json.loads(result["stdout"]) == words


def test_exit_code_is_a_failure(shell: Shell) -> None:
    with pytest.raises(CommandFailed, match="ended with exit code 3: last line") as error:
        shell(*python("import sys; print('first\\nlast line', file=sys.stderr); sys.exit(3)"))
    assert error.value.result == {"exit_code": 3, "stdout": "", "stderr": "first\nlast line\n"}
    assert error.value.category == "SYSTEM"


def test_signal_is_a_failure(shell: Shell) -> None:
    with pytest.raises(CommandFailed, match="was killed by signal 9"):
        shell(*python("import os; os.kill(os.getpid(), 9)"))


@pytest.mark.parametrize(
    ("command", "exit_code"),
    [("no-such-program-anywhere", 127), ("/no/such/program", 127), ("/dev/null", 126)],
)
def test_program_that_cannot_be_started_fails_for_good(shell: Shell, command: str, exit_code: int) -> None:
    with pytest.raises(CommandUnusable) as error:
        shell(command)
    assert error.value.category == "BUSINESS" and error.value.result["exit_code"] == exit_code


@pytest.mark.parametrize("words", [["true", "a\0b"]])
def test_words_no_program_can_take_fail_for_good(shell: Shell, words: list[str]) -> None:
    with pytest.raises(CommandUnusable, match="cannot be started"):
        shell(*words)


def test_output_that_is_no_text_is_shown_all_the_same(shell: Shell) -> None:
    result = shell(*python("import sys; sys.stdout.buffer.write(b'\\xff\\x00ok')"))
    assert result["stdout"] == "\ufffd\x00ok"


def test_secrets_in_the_output_are_masked(shell: Shell) -> None:
    register_secret("hunter2xyz")
    result = shell(*python("print('login hunter2xyz'); print('postgresql://me:sesame@host/db')"))
    assert "hunter2xyz" not in result["stdout"] and "sesame" not in result["stdout"]


def test_long_output_keeps_head_and_tail(shell: Shell) -> None:
    result = shell(*python("print('begin'); print('x' * 5_000_000); print('end')"))
    assert len(result["stdout"]) < KEPT_BYTES + 100
    assert result["stdout"].startswith("begin") and result["stdout"].endswith("end\n")
    assert "bytes cut" in result["stdout"]


@pytest.mark.parametrize("size", [0, 1, KEPT_BYTES // 2, KEPT_BYTES - 1, KEPT_BYTES])
def test_tape_keeps_what_fits(size: int) -> None:
    tape = _Tape()
    tape.write(b"x" * size)
    assert tape.text() == "x" * size


@pytest.mark.parametrize("chunk", [1, 1000, 65_536, 300_000])
def test_tape_counts_what_it_lost(chunk: int) -> None:
    tape, data = _Tape(), bytes(range(256)).replace(b"\xff", b"x") * 600
    for start in range(0, len(data), chunk):
        tape.write(data[start : start + chunk])
    assert tape.lost == len(data) - KEPT_BYTES
    assert bytes(tape.head) == data[: KEPT_BYTES // 2] and bytes(tape.tail) == data[-KEPT_BYTES // 2 :]


# --- what the command sees --------------------------------------------------------------------------


def environment(shell: Shell, **options: Any) -> dict[str, str]:
    text = "import json, os; print(json.dumps(dict(os.environ)))"
    found: dict[str, str] = json.loads(shell(*python(text), **options)["stdout"])
    return found


def test_environment_is_clean(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:secret@host/db")
    seen = environment(shell)
    ours = {"PATH", "LANG", "HOME", "TRACEPARENT", "CRONZIMUS_RUN_KEY", "CRONZIMUS_RUN", "CRONZIMUS_OWNER"}
    assert set(seen) - {"LC_CTYPE", "__CF_USER_TEXT_ENCODING"} == ours


def test_command_can_go_on_in_the_trace_of_its_run(shell: Shell) -> None:
    told = parse(environment(shell)["TRACEPARENT"])
    assert told is not None and told.trace_id == TRACE_ID


def test_environment_takes_what_the_job_adds(shell: Shell) -> None:
    assert (
        environment(shell, env={"COLOUR": "blue", "LANG": "xx"}).items()
        >= {"COLOUR": "blue", "LANG": "xx"}.items()
    )


def test_environment_names_the_run(shell: Shell) -> None:
    run = context(attempt=2, max_attempts=2)
    assert environment(shell, run=run)["CRONZIMUS_RUN_KEY"] == f"job/{run.id}/2"


def test_part_of_the_work_is_told(shell: Shell) -> None:
    seen = environment(shell, run=context(part=2, parts=4), env={"CRONZIMUS_PART": "9"})
    assert (seen["CRONZIMUS_PART"], seen["CRONZIMUS_PARTS"]) == ("2", "4")
    assert not {"CRONZIMUS_PART", "CRONZIMUS_PARTS"} & environment(shell).keys()


@pytest.mark.parametrize("name", ["CRONZIMUS_RUN", "CRONZIMUS_OWNER", "CRONZIMUS_RUN_KEY"])
def test_environment_of_the_job_cannot_hide_the_run(shell: Shell, name: str) -> None:
    assert environment(shell, env={name: "forged"})[name] != "forged"


def test_path_of_the_job_does_not_choose_the_program(shell: Shell, tmp_path: Path) -> None:
    fake = tmp_path / "true"
    fake.write_text("#!/bin/sh\necho fake\n")
    fake.chmod(0o755)
    assert shell("true", env={"PATH": str(tmp_path)})["stdout"] == ""


def test_working_directory_is_fresh_private_and_temporary(shell: Shell) -> None:
    facts = "os.getcwd(), oct(os.stat('.').st_mode & 0o777), os.listdir('.'), os.environ['HOME']"
    text = f"import os; print({facts})"
    place, mode, listing, home = shell(*python(text))["stdout"].split()
    assert (mode, listing) == ("0o700", "[]")
    assert os.path.realpath(home) == place
    assert not Path(place).exists()


def test_working_directory_is_removed_after_a_failure(shell: Shell) -> None:
    with pytest.raises(CommandFailed) as error:
        shell(
            *python(
                "import os, pathlib; pathlib.Path('left').touch(); print(os.getcwd()); raise SystemExit(1)"
            )
        )
    assert not Path(error.value.result["stdout"].strip()).exists()


def test_working_directory_may_be_chosen(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert shell("ls", cwd=str(tmp_path))["stdout"] == "file\n"
    assert (tmp_path / "file").exists()


def test_working_directory_that_is_not_there_fails_for_good(shell: Shell) -> None:
    with pytest.raises(CommandUnusable, match="does not exist"):
        shell("true", cwd="/no/such/place")


def test_relative_program_is_found_in_the_working_directory(shell: Shell, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\necho here\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    assert shell("./script", cwd=str(tmp_path))["stdout"] == "here\n"


def test_standard_input_is_empty(shell: Shell) -> None:
    assert shell("cat") == {"exit_code": 0, "stdout": "", "stderr": ""}


# --- ends from outside ------------------------------------------------------------------------------


class Started:
    """A command under way on a thread."""

    def __init__(self, *command: str, run: RunContext | None = None) -> None:
        self.run = run or context()
        self.errors: list[BaseException] = []
        self.thread = threading.Thread(target=self._go, args=(list(command),), daemon=True)
        self.thread.start()

    def _go(self, command: list[str]) -> None:
        try:
            run_command(self.run, command)
        except BaseException as error:
            self.errors.append(error)

    def error(self) -> BaseException:
        self.thread.join(30)
        return self.errors[0]


def test_cancel_kills_the_whole_tree(fifo: Fifo) -> None:
    started = Started(*python(SETSID), fifo.path)
    pids = [fifo.number() for _ in range(3)]
    started.run.cancel()
    assert "stopped before it ended" in str(started.error())
    assert all(wait_gone(pid) for pid in pids)


def test_deadline_kills_the_whole_tree(fifo: Fifo) -> None:
    started = Started(*python(SETSID), fifo.path, run=context(deadline=time.monotonic() + 1))
    pids = [fifo.number() for _ in range(3)]
    assert isinstance(started.error(), CommandFailed)
    assert all(wait_gone(pid) for pid in pids)


def test_command_that_ignores_the_signal_is_killed(fifo: Fifo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "TERM_SECONDS", 0.2)
    text = (
        "import os, signal, sys\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "open(sys.argv[1], 'w').write(f'{os.getpid()}\\n')\nwhile True: signal.pause()"
    )
    started = Started(*python(text), fifo.path)
    pid = fifo.number()
    started.run.cancel()
    assert isinstance(started.error(), CommandFailed)
    assert wait_gone(pid)


def test_output_before_the_end_is_kept(fifo: Fifo) -> None:
    text = (
        "import signal, sys\nprint('half', flush=True)\nopen(sys.argv[1], 'w').write('up\\n')\nsignal.pause()"
    )
    started = Started(*python(text), fifo.path)
    assert fifo.line() == "up"
    started.run.cancel()
    error = started.error()
    assert isinstance(error, CommandFailed)
    assert error.result == {"exit_code": -signal.SIGTERM, "stdout": "half\n", "stderr": ""}


def test_command_leaves_nobody_behind(shell: Shell, fifo: Fifo) -> None:
    text = (
        "import subprocess, sys\n"
        "p = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'], start_new_session=True)\n"
        "open(sys.argv[1], 'w').write(f'{p.pid}\\n'); import os; os._exit(0)"
    )
    assert shell(*python(text), fifo.path)["exit_code"] == 0
    assert wait_gone(fifo.number())


# --- through the worker -----------------------------------------------------------------------------


def job(*command: str, **policy: Any) -> Ledger:
    return Ledger(definition(kind="shell", params={"command": list(command)}, policy=policy))


@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_worker_runs_a_command(isolation: str) -> None:
    ledger = job("echo", "hello", isolation=isolation)
    with working(ledger) as (_, engine):
        report = ledger.ended(start_run(ledger, engine))
        assert (report.state, report.result["stdout"]) == (RunState.SUCCESS, "hello\n")


def test_worker_records_the_output_of_a_failure() -> None:
    ledger = job("sh", "-c", "echo why >&2; exit 7")
    with working(ledger) as (_, engine):
        report = ledger.ended(start_run(ledger, engine))
        assert report.state is RunState.FAILED
        assert report.result == {"exit_code": 7, "stdout": "", "stderr": "why\n"}
        assert report.error is not None and report.error["message"] == "sh ended with exit code 7: why"


def test_worker_tries_a_failed_command_again_but_not_a_missing_one() -> None:
    for command, attempts in (("false", 2), ("no-such-program-anywhere", 1)):
        ledger = job(command, max_attempts=2, backoff=0.0)
        with working(ledger) as (_, engine):
            assert ledger.final(start_run(ledger, engine)) is RunState.FAILED
            assert len(ledger.reports) == attempts


@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_worker_times_a_command_out(fifo: Fifo, isolation: str) -> None:
    ledger = job(*python(SETSID), fifo.path, timeout=2.0, isolation=isolation)
    with working(ledger) as (worker, engine):
        run = start_run(ledger, engine)
        pids = [fifo.number() for _ in range(3)]
        report = ledger.ended(run)
        assert report.state is RunState.TIMEOUT
        assert all(wait_gone(pid) for pid in pids)
        assert worker.abandoned == 0


@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_worker_cancels_a_command(fifo: Fifo, isolation: str) -> None:
    ledger = job(*python(SETSID), fifo.path, isolation=isolation)
    with working(ledger) as (worker, engine):
        run = start_run(ledger, engine)
        pids = [fifo.number() for _ in range(3)]
        worker.cancel(run)
        assert ledger.final(run) is RunState.CANCELLED
        assert all(wait_gone(pid) for pid in pids)


def test_worker_refuses_a_command_that_is_not_allowed() -> None:
    ledger = job("touch", "/tmp/never")
    with working(ledger, allowed_commands=("true",)) as (_, engine):
        report = ledger.ended(start_run(ledger, engine))
        assert report.error is not None and report.error["category"] == "BUSINESS"


def test_output_larger_than_a_result_is_cut_where_it_is() -> None:
    ledger = job(*python("import sys; sys.stdout.write('o' * 200_000); sys.stderr.write('e' * 200_000)"))
    with working(ledger) as (_, engine):
        result = ledger.ended(start_run(ledger, engine)).result
        assert result["exit_code"] == 0
        assert result["stdout"].startswith("ooo") and result["stderr"].endswith("eee")
        assert len(json.dumps(result)) <= 65_536


# --- the log of the run -----------------------------------------------------------------------------


def test_output_goes_into_the_log_as_it_comes_and_stays_the_result(shell: Shell, fifo: Fifo) -> None:
    kept = Kept()
    log = AttemptLog(claim(), kept, Limits())
    text = (
        "import sys; print('one', flush=True); print('two', file=sys.stderr, flush=True);"
        "open(sys.argv[1], 'w').write('said\\n'); open(sys.argv[2]).read(); print('three')"
    )
    gate = fifo.path + "-gate"
    os.mkfifo(gate)
    results: list[dict[str, Any]] = []

    def run() -> None:
        with recorded(log):
            results.append(shell(*python(text), fifo.path, gate))

    thread = threading.Thread(target=run)
    thread.start()
    assert fifo.line() == "said"
    until(lambda: len(kept.lines) == 2)
    assert {(line.stream, line.line) for line in kept.lines} == {
        (Stream.STDOUT, "one"),
        (Stream.STDERR, "two"),
    }
    with open(gate, "w"):
        pass
    thread.join()
    assert kept.texts[2:] == ["three"]
    assert results == [{"exit_code": 0, "stdout": "one\nthree\n", "stderr": "two\n"}]


def test_a_command_finds_what_other_jobs_came_to(shell: Shell) -> None:
    run = context(inputs={"load": {"rows": 7}, "check": None})
    text = (
        "import json, os; print(json.dumps([json.load(open(os.environ['CRONZIMUS_INPUTS_FILE'])),"
        " json.loads(os.environ.get('CRONZIMUS_INPUTS', 'null'))]))"
    )
    assert json.loads(shell(*python(text), run=run)["stdout"]) == [dict(run.inputs)] * 2
    long = context(inputs={"load": "x" * LONGEST_INPUTS})
    assert "CRONZIMUS_INPUTS" not in environment(shell, run=long)
