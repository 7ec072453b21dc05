import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cronzimus.common.db import Database
from cronzimus.common.logger import register_secret
from cronzimus.models.log_line import Stream
from cronzimus.models.run import ErrorCategory, RunState
from cronzimus.utils.ids import new_id
from cronzimus.workers import process as supervision
from cronzimus.workers.attempt_log import AttemptLog, Limits
from cronzimus.workers.capture import recorded
from cronzimus.workers.context import RunContext
from cronzimus.workers.isolation import run_in_process
from cronzimus.workers.outcome import Outcome
from cronzimus.workers.request import Request
from tests.workers.support import (
    JOBS,
    NOWHERE,
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
from tests.workers.test_context import INSERT_RUN


@pytest.fixture
def fifo(tmp_path: Path) -> Iterator[Fifo]:
    one = Fifo(tmp_path / "fifo")
    yield one
    one.close()


class Body:
    """An attempt in a process of its own, followed on a thread."""

    def __init__(
        self, function: str, *args: Any, url: str = NOWHERE, memory: int | None = None, **facts: Any
    ) -> None:
        self.run: RunContext = context(**facts)
        one = claim(run_id=self.run.id, **{k: v for k, v in facts.items() if k not in ("run_id", "deadline")})
        request = Request.of(
            function if ":" in function else f"{JOBS}:{function}",
            list(args),
            {},
            (JOBS,) if ":" not in function else None,
            one,
            worker_id="w1",
            deadline=self.run.deadline,
            database_url=url,
            settings=settings(),
        )
        self._answer: list[Outcome | BaseException] = []
        self._thread = threading.Thread(target=self._follow, args=(request, memory), daemon=True)
        self._thread.start()

    def _follow(self, request: Request, memory: int | None) -> None:
        try:
            self._answer.append(run_in_process(request, self.run, memory))
        except BaseException as error:
            self._answer.append(error)

    def outcome(self) -> Outcome:
        self._thread.join(30)
        (answer,) = self._answer
        assert isinstance(answer, Outcome), answer
        return answer


def error_of(outcome: Outcome) -> dict[str, Any]:
    assert outcome.error is not None
    return outcome.error


# --- answers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", ["give", "async_give"])
def test_process_answers_with_the_value(function: str) -> None:
    outcome = Body(function, {"rows": [1, 2]}).outcome()
    assert (outcome.state, outcome.result) == (RunState.SUCCESS, {"rows": [1, 2]})


def test_function_runs_in_another_process() -> None:
    assert Body("pid").outcome().result != os.getpid()


@pytest.mark.parametrize(
    ("function", "type_name", "category"),
    [
        ("boom", "ValueError", ErrorCategory.SYSTEM),
        ("leave", "SystemExit", ErrorCategory.SYSTEM),
        ("interrupt", "KeyboardInterrupt", ErrorCategory.SYSTEM),
        ("reject", f"{JOBS}.Rejected", ErrorCategory.BUSINESS),
        ("needs", "cronzimus.errors.Invalid", ErrorCategory.BUSINESS),
        ("no_such_function", "cronzimus.errors.Invalid", ErrorCategory.BUSINESS),
        ("os.system", "cronzimus.errors.Invalid", ErrorCategory.BUSINESS),
    ],
)
def test_process_answers_with_the_error(function: str, type_name: str, category: ErrorCategory) -> None:
    outcome = Body(function).outcome()
    assert outcome.state is RunState.FAILED
    assert (error_of(outcome)["type"], outcome.category) == (type_name, category)


def test_process_answers_with_a_traceback_of_the_function() -> None:
    error = error_of(Body("boom").outcome())
    assert "in boom" in error["traceback"] and "child.py" not in error["traceback"]


def test_errors_have_the_same_fingerprint_as_in_a_thread() -> None:
    ledger = Ledger(definition("boom"))
    with working(ledger) as (_, engine):
        thread = ledger.ended(start_run(ledger, engine)).error
    assert thread is not None
    assert error_of(Body("boom").outcome())["fingerprint"] == thread["fingerprint"]


def test_process_answers_a_snooze_and_a_cancel() -> None:
    assert Body("snooze", 12.0).outcome().retry_in == 12.0
    assert Body("call_off").outcome().state is RunState.CANCELLED


def test_process_gets_the_facts_of_the_run() -> None:
    body = Body("facts", attempt=2, max_attempts=3, params={"a": 1})
    facts = body.outcome().result
    assert facts["id"] == str(body.run.id)
    assert (facts["attempt"], facts["max_attempts"], facts["params"]) == (2, 3, {"a": 1})
    assert facts["commands"] == ["*"] and facts["is_current"]


def test_large_arguments_and_answers_pass() -> None:
    assert len(Body("give", "x" * 60_000).outcome().result) == 60_000
    assert "cut" in Body("give", list(range(100_000))).outcome().result["note"]


@pytest.mark.parametrize(
    ("function", "args", "words"),
    [
        ("die", [signal.SIGKILL], "killed by signal 9 (SIGKILL); the system may have run out of memory"),
        ("die", [signal.SIGSEGV], "killed by signal 11 (SIGSEGV)"),
        ("vanish", [0], "exit code 0 and gave no answer"),
        ("vanish", [7], "exit code 7 and gave no answer"),
    ],
)
def test_process_that_gives_no_answer_has_failed(function: str, args: list[int], words: str) -> None:
    outcome = Body(function, *args).outcome()
    assert outcome.state is RunState.FAILED and outcome.category is ErrorCategory.SYSTEM
    assert words in error_of(outcome)["message"]


def test_answer_counts_though_a_thread_keeps_the_process() -> None:
    assert Body("linger").outcome().result == "returned"


def test_answer_is_found_among_rubbish() -> None:
    assert Body("scribble").outcome().result == "answered"


def test_answer_is_masked_with_the_secrets_of_this_process() -> None:
    register_secret("sesame-open-4711")
    body = Body("boom", "the key is sesame-open-4711")
    assert "sesame" not in json.dumps(body.outcome().error)


# --- what the function sees -------------------------------------------------------------------------


def test_standard_input_is_empty() -> None:
    assert Body("read_input").outcome().result == ""


def test_environment_and_arguments_hold_no_database_url() -> None:
    outcome = Body("environment", url="postgresql://me:hunter2xyz@127.0.0.1:1/db").outcome()
    assert "hunter2xyz" not in json.dumps(outcome.result)


def test_arguments_of_the_process_hold_nothing_of_the_request(fifo: Fifo) -> None:
    body = Body("say_and_wait", fifo.path, url="postgresql://me:hunter2xyz@127.0.0.1:1/db")
    seen = subprocess.run(["ps", "-o", "args=", "-p", fifo.line()], capture_output=True, text=True).stdout
    body.run.cancel()
    assert "cronzimus.workers.child" in seen
    assert "hunter2xyz" not in seen and fifo.path not in seen


def test_path_variable_is_as_the_service_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert "PYTHONPATH" not in Body("environment").outcome().result
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    assert Body("environment").outcome().result["PYTHONPATH"] == "/somewhere"


# --- ends from outside ------------------------------------------------------------------------------


def test_cancel_lets_the_function_unwind(fifo: Fifo) -> None:
    body = Body("say_and_wait", fifo.path)
    pid = fifo.number()
    body.run.cancel()
    assert fifo.line() == "unwound True"
    assert error_of(body.outcome())["type"] == "cronzimus.workers.outcome.Terminated"
    assert wait_gone(pid)


def test_cancel_kills_a_function_that_ignores_the_signal(fifo: Fifo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "TERM_SECONDS", 0.3)
    body = Body("deaf", fifo.path)
    pid = fifo.number()
    body.run.cancel()
    assert "killed by signal 9" in error_of(body.outcome())["message"]
    assert wait_gone(pid)


def test_cancel_kills_the_whole_family(fifo: Fifo) -> None:
    """A child in the group, one that left the session, and one that also dropped the cookie."""
    body = Body("family", fifo.path)
    pids = [fifo.number() for _ in range(4)]
    body.run.cancel()
    body.outcome()
    assert all(wait_gone(pid) for pid in pids)


def test_return_leaves_nobody_behind(fifo: Fifo) -> None:
    body = Body("leave_behind", fifo.path)
    assert body.outcome().result == "done"
    assert wait_gone(fifo.number())


def test_cancel_before_the_process_listens_ends_it_too() -> None:
    body = Body("deaf", "/dev/null")
    body.run.cancel()
    assert body.outcome().state is RunState.FAILED


# --- memory -----------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="macOS does not enforce RLIMIT_AS")
@pytest.mark.parametrize(("mib", "fits"), [(20, True), (400, False)])
def test_memory_limit_is_what_the_function_may_add(mib: int, fits: bool) -> None:
    outcome = Body("hoard", mib, memory=100).outcome()
    if fits:
        assert outcome.result == mib * 1024 * 1024
    else:
        assert outcome.state is RunState.FAILED and error_of(outcome)["type"] == "MemoryError"


def test_process_without_a_limit_may_take_memory() -> None:
    assert Body("hoard", 400).outcome().state is RunState.SUCCESS


# --- the database -----------------------------------------------------------------------------------


def test_process_opens_a_database_under_the_name_of_the_run(database: Database) -> None:
    body = Body("ask_database", url=database.url)
    assert body.outcome().result == [body.run.session_name, 2]


def test_password_in_the_database_url_is_masked_in_errors() -> None:
    outcome = Body("ask_database", url="postgresql://me:hunter2xyz@127.0.0.1:1/db").outcome()
    assert outcome.state is RunState.FAILED
    assert "hunter2xyz" not in json.dumps(outcome.error)


def test_fenced_transaction_works_from_the_process(database: Database) -> None:
    database.execute("create table effects (text text)")
    run_id = new_id()
    database.execute(INSERT_RUN, [run_id, "0" * 32])
    body = Body("write_fenced_at_once", "from the child", url=database.url, run_id=run_id)
    assert body.outcome().result == "written"
    assert body.run.committed, "the parent is told, so that it does not miss the lease"
    assert database.fetch_all("select text from effects") == [("from the child",)]


def test_fenced_transaction_of_a_zombie_process_writes_nothing(database: Database) -> None:
    database.execute("create table effects (text text)")
    body = Body("write_fenced_at_once", "twice", url=database.url)
    assert error_of(body.outcome())["type"] == "cronzimus.errors.Conflict"
    assert not body.run.committed
    assert database.fetch_all("select text from effects") == []


# --- through the worker -----------------------------------------------------------------------------


@pytest.fixture
def isolated() -> Callable[..., Ledger]:
    def ledger(function: str, *args: Any, **policy: Any) -> Ledger:
        return Ledger(definition(function, args=list(args), policy={"isolation": "process", **policy}))

    return ledger


def test_worker_isolates_what_asks_for_it(isolated: Callable[..., Ledger]) -> None:
    ledger = isolated("pid")
    with working(ledger) as (_, engine):
        assert ledger.ended(start_run(ledger, engine)).result != os.getpid()


def test_worker_kills_a_process_at_its_deadline(isolated: Callable[..., Ledger], fifo: Fifo) -> None:
    ledger = isolated("family", fifo.path, timeout=2.0)
    with working(ledger) as (worker, engine):
        run = start_run(ledger, engine)
        pids = [fifo.number() for _ in range(4)]
        assert ledger.final(run) is RunState.TIMEOUT
        assert all(wait_gone(pid) for pid in pids)
        assert worker.abandoned == 0


def test_worker_cancels_a_process(isolated: Callable[..., Ledger], fifo: Fifo) -> None:
    ledger = isolated("say_and_wait", fifo.path)
    with working(ledger) as (worker, engine):
        run = start_run(ledger, engine)
        pid = fifo.number()
        assert worker.cancel(run)
        assert ledger.final(run) is RunState.CANCELLED
        assert wait_gone(pid)


def test_worker_survives_a_process_that_dies(isolated: Callable[..., Ledger]) -> None:
    ledger = isolated("die", max_attempts=2, backoff=0.0)
    with working(ledger) as (worker, engine):
        assert ledger.final(start_run(ledger, engine)) is RunState.FAILED
        assert len(ledger.reports) == 2 and worker.alive


def test_worker_applies_the_memory_limit(isolated: Callable[..., Ledger]) -> None:
    ledger = isolated("hoard", 500, memory_limit_mb=64)
    with working(ledger) as (_, engine):
        report = ledger.ended(start_run(ledger, engine))
        assert report.error is not None
        assert report.error["type"] == "MemoryError" or sys.platform != "linux"


def test_stop_kills_the_processes_of_the_worker(isolated: Callable[..., Ledger], fifo: Fifo) -> None:
    ledger = isolated("family", fifo.path)
    with working(ledger) as (worker, engine):
        run = start_run(ledger, engine)
        pids = [fifo.number() for _ in range(4)]
        worker.stop()
        assert ledger.states[run] is RunState.LOST
        assert all(wait_gone(pid) for pid in pids)


# --- what it says -----------------------------------------------------------------------------------


def recorded_body(function: str, *args: Any) -> tuple[Outcome, Kept]:
    """The outcome of an attempt in a process, and its log."""
    kept = Kept()
    run = context()
    log = AttemptLog(claim(run_id=run.id), kept, Limits())
    request = Request.of(
        f"{JOBS}:{function}",
        list(args),
        {},
        (JOBS,),
        claim(run_id=run.id),
        worker_id="w1",
        deadline=None,
        database_url=NOWHERE,
        settings=settings(),
    )
    with recorded(log):
        outcome = run_in_process(request, run)
    log.close()
    return outcome, kept


def test_everything_a_process_says_is_in_the_log_of_its_run() -> None:
    outcome, kept = recorded_body("speak", "hello")
    assert outcome.state is RunState.SUCCESS
    said = {(line.stream, line.level, line.logger, line.line) for line in kept.lines}
    assert said >= {
        (Stream.STDOUT, None, None, "hello printed"),
        (Stream.STDERR, None, None, "hello printed to stderr"),
        (Stream.STDOUT, None, None, "hello from a program"),
        (Stream.STDERR, None, None, "hello from the system"),
        (Stream.LOG, "WARNING", "shop", "hello logged"),
        (Stream.LOG, "INFO", "cronzimus.run.job", "hello from the run"),
    }
    assert len(said) == 6


def test_last_words_of_a_process_that_dies_are_kept() -> None:
    outcome, kept = recorded_body("speak_and_die", "goodbye")
    assert outcome.error is not None and outcome.error["type"] == "ProcessDied"
    assert kept.texts == ["goodbye"]


def test_large_message_passes_between_the_processes() -> None:
    outcome, kept = recorded_body("log_much", 100_000, 5)
    assert outcome.state is RunState.SUCCESS
    lengths = [int(text.split("[... ")[1].split()[0]) for text in kept.texts]
    assert len(lengths) == 5 and min(lengths) > 50_000 - 8192
