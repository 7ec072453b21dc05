import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from cronzimus.common.db import Database
from cronzimus.models.run import ErrorCategory, Offer, RunState
from cronzimus.utils.ids import new_id
from cronzimus.workers.engines.inline import InlineEngine
from cronzimus.workers.worker import Worker
from tests.heart import until
from tests.workers.support import (
    BOARD,
    NOWHERE,
    PATIENCE,
    Ledger,
    definition,
    is_alive,
    settings,
    start_run,
    working,
)
from tests.workers.test_attempt_log import Kept


def wait_until_idle(ledger: Ledger, worker: Worker) -> None:
    ledger.wait(lambda: worker.running == 0 and worker.waiting == 0)


# --- runs of every temper ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "state"),
    [
        ("noop", RunState.SUCCESS),
        ("async_give", RunState.SUCCESS),
        ("facts", RunState.SUCCESS),
        ("boom", RunState.FAILED),
        ("async_boom", RunState.FAILED),
        ("leave", RunState.FAILED),
        ("interrupt", RunState.FAILED),
        ("reject", RunState.FAILED),
        ("call_off", RunState.CANCELLED),
        ("needs", RunState.FAILED),
        ("no_such_function", RunState.FAILED),
    ],
)
def test_worker_brings_every_run_to_its_end(function: str, state: RunState) -> None:
    ledger = Ledger(definition(function))
    with working(ledger) as (worker, engine):
        assert ledger.final(start_run(ledger, engine)) is state
        ledger.definitions["job"] = definition("noop")
        assert ledger.final(start_run(ledger, engine)) is RunState.SUCCESS


def test_worker_records_the_result() -> None:
    ledger = Ledger(definition("give", args=[{"rows": 3}]))
    with working(ledger) as (_, engine):
        assert ledger.ended(start_run(ledger, engine)).result == {"rows": 3}


def test_worker_passes_the_parameters_of_the_run() -> None:
    ledger = Ledger(definition("needs", kwargs={"first": 1}))
    with working(ledger) as (_, engine):
        assert ledger.ended(start_run(ledger, engine, second=10)).result == 11


def test_worker_survives_a_hundred_exits() -> None:
    ledger = Ledger(definition("leave"))
    with working(ledger, max_concurrent_tasks=4) as (worker, engine):
        runs = [start_run(ledger, engine) for _ in range(100)]
        assert {ledger.final(run) for run in runs} == {RunState.FAILED}
        assert worker.alive


def test_worker_executes_many_runs_once_each() -> None:
    ledger = Ledger(definition("noop"))
    with working(ledger, max_concurrent_tasks=8) as (worker, engine):
        runs = [ledger.create() for _ in range(3000)]
        engine.offer([Offer(run, None) for run in runs])
        engine.offer([Offer(run, None) for run in runs])
        ledger.wait(lambda: len(ledger.reports) == 3000)
        wait_until_idle(ledger, worker)
    assert len({report.run_id for report in ledger.reports}) == 3000
    assert len(ledger.rounds) < 3000, "rounds gather what came meanwhile"
    assert (worker.claimed, worker.finished) == (3000, 3000)


def test_worker_runs_as_many_at_one_time_as_it_may() -> None:
    ledger = Ledger(*(definition("gate", id=f"job{n}", args=[f"parallel{n}"]) for n in range(3)))
    with working(ledger, max_concurrent_tasks=2) as (worker, engine):
        runs = [start_run(ledger, engine, f"job{n}") for n in range(3)]
        assert BOARD.wait("parallel0-started") and BOARD.wait("parallel1-started")
        assert worker.running == 2
        assert ledger.states[runs[2]] is RunState.PENDING, "long runs are not hoarded"
        BOARD.raise_flag("parallel0-go")
        assert BOARD.wait("parallel2-started")
        for n in (1, 2):
            BOARD.raise_flag(f"parallel{n}-go")
        assert {ledger.final(run) for run in runs} == {RunState.SUCCESS}


def test_worker_retries_as_the_policy_says() -> None:
    ledger = Ledger(definition("boom", policy={"max_attempts": 3, "backoff": 0.0}))
    with working(ledger) as (_, engine):
        run = start_run(ledger, engine)
        assert ledger.final(run) is RunState.FAILED
    assert [(r.attempt, r.retry_in) for r in ledger.reports] == [(1, 0.0), (2, 0.0), (3, None)]


def test_worker_does_not_retry_a_business_failure() -> None:
    ledger = Ledger(definition("reject", policy={"max_attempts": 3, "backoff": 0.0}))
    with working(ledger) as (_, engine):
        assert ledger.final(start_run(ledger, engine)) is RunState.FAILED
    assert len(ledger.reports) == 1


def test_snooze_costs_no_attempt() -> None:
    ledger = Ledger(definition("snooze", kwargs={"flag": "worker-snooze"}))
    with working(ledger) as (_, engine):
        run = start_run(ledger, engine)
        assert ledger.final(run) is RunState.SUCCESS
    assert [(r.attempt, r.costs_attempt) for r in ledger.reports] == [(1, False), (1, True)]


# --- hanging, timeouts, cancels ---------------------------------------------------------------------


def test_hanging_run_times_out_and_its_place_is_free_again() -> None:
    ledger = Ledger(
        definition("gate", id="hangs", args=["hangs"], policy={"timeout": 0.1}), definition("noop", id="next")
    )
    with working(ledger, max_concurrent_tasks=1) as (worker, engine):
        hangs = start_run(ledger, engine, "hangs")
        follower = start_run(ledger, engine, "next")
        report = ledger.ended(hangs)
        assert report.state is RunState.TIMEOUT
        assert report.error is not None and report.error["category"] == ErrorCategory.TIMEOUT
        assert ledger.final(follower) is RunState.SUCCESS
        assert worker.abandoned == 1
        BOARD.raise_flag("hangs-go")


def test_late_result_of_an_abandoned_thread_changes_nothing() -> None:
    ledger = Ledger(
        definition("swallow", args=["late"], policy={"timeout": 0.1, "max_attempts": 2, "backoff": 60.0})
    )
    with working(ledger) as (worker, engine):
        run = start_run(ledger, engine)
        ledger.wait(lambda: ledger.reports)
        BOARD.raise_flag("late-go")
        assert BOARD.wait("late-through")
        ledger.definitions["job"] = definition("noop")
        assert ledger.final(start_run(ledger, engine)) is RunState.SUCCESS
        assert [r.state for r in ledger.reports if r.run_id == run] == [RunState.TIMEOUT]
        assert ledger.states[run] is RunState.PENDING


def test_spinning_run_is_interrupted() -> None:
    ledger = Ledger(definition("spin", args=["spin"], policy={"timeout": 0.1}))
    with working(ledger) as (_, engine):
        assert ledger.final(start_run(ledger, engine)) is RunState.TIMEOUT
        assert BOARD.wait("spin-unwound")


def test_timeout_is_tried_again() -> None:
    policy = {"timeout": 0.05, "max_attempts": 2, "backoff": 0.0}
    ledger = Ledger(definition("polite", args=["timed"], policy=policy))
    with working(ledger) as (_, engine):
        assert ledger.final(start_run(ledger, engine)) is RunState.TIMEOUT
    assert [r.attempt for r in ledger.reports] == [1, 2]


def test_cancelled_run_may_clean_up() -> None:
    ledger = Ledger(definition("polite", args=["cleans"]))
    with working(ledger) as (worker, engine):
        run = start_run(ledger, engine)
        assert BOARD.wait("cleans-started")
        assert worker.cancel(run)
        report = ledger.ended(run)
        assert (report.state, report.result) == (RunState.CANCELLED, "cleaned up")
        assert worker.abandoned == 0


def test_cancelled_run_that_does_not_listen_is_given_up() -> None:
    ledger = Ledger(definition("gate", args=["deaf"]))
    with working(ledger) as (worker, engine):
        run = start_run(ledger, engine)
        assert BOARD.wait("deaf-started")
        assert worker.cancel(run)
        assert ledger.final(run) is RunState.CANCELLED
        assert worker.abandoned == 1
        BOARD.raise_flag("deaf-go")


def test_cancelled_coroutine_unwinds() -> None:
    ledger = Ledger(definition("async_hang", args=["coroutine"]))
    with working(ledger) as (worker, engine):
        run = start_run(ledger, engine)
        assert BOARD.wait("coroutine-started")
        worker.cancel(run)
        assert ledger.final(run) is RunState.CANCELLED
        assert BOARD.is_up("coroutine-unwound") and worker.abandoned == 0


def test_cancel_wanted_by_the_ledger_is_carried_out() -> None:
    ledger = Ledger(definition("polite", args=["elsewhere"]))
    with working(ledger, lease_seconds=0.1) as (_, engine):
        run = start_run(ledger, engine)
        assert BOARD.wait("elsewhere-started")
        ledger.cancel_wanted = {run}
        assert ledger.final(run) is RunState.CANCELLED


def test_cancel_of_a_run_that_is_not_here_says_so() -> None:
    with working(Ledger()) as (worker, _):
        assert not worker.cancel(new_id())


def test_cancelled_run_is_not_tried_again() -> None:
    ledger = Ledger(definition("polite", args=["once"], policy={"max_attempts": 5, "backoff": 0.0}))
    with working(ledger) as (worker, engine):
        run = start_run(ledger, engine)
        assert BOARD.wait("once-started")
        worker.cancel(run)
        assert ledger.final(run) is RunState.CANCELLED


def test_statement_of_a_cancelled_run_is_cancelled(database: Database) -> None:
    ledger = Ledger(definition("sleep_in_database", args=["sql"]))
    with working(ledger, database) as (worker, engine):
        run = start_run(ledger, engine)
        assert BOARD.wait("sql-started")
        wait_for_statement(database, "pg_sleep")
        worker.cancel(run)
        assert ledger.final(run) is RunState.CANCELLED
        assert worker.abandoned == 0, "the function ended by the error of its statement"


def test_statement_of_a_timed_out_run_is_cancelled(database: Database) -> None:
    ledger = Ledger(definition("sleep_in_database", args=["sql-timeout"], policy={"timeout": 0.5}))
    with working(ledger, database) as (worker, engine):
        assert ledger.final(start_run(ledger, engine)) is RunState.TIMEOUT
        assert worker.abandoned == 0


def test_sessions_of_a_run_that_was_given_up_are_ended(database: Database) -> None:
    """Its thread sits in an open transaction: the lock must not outlive the run."""
    database.execute("create table effects (text text)")
    ledger = Ledger(definition("hold_a_lock", args=["locker"]))
    with working(ledger, database) as (worker, engine):
        run = start_run(ledger, engine)
        assert BOARD.wait("locker-started")
        worker.cancel(run)
        assert ledger.final(run) is RunState.CANCELLED
        assert worker.abandoned == 1
        database.execute("insert into effects values ('free')")
        BOARD.raise_flag("locker-go")


def wait_for_statement(database: Database, text: str) -> None:
    """Wait until some session executes a statement that holds `text`."""
    asked = threading.Event()
    query = "select count(*) from pg_stat_activity where state = 'active' and query ilike %s"
    for _ in range(2000):
        if database.fetch_all(query, [f"%{text}%"]) != [(0,)]:
            return
        asked.wait(0.01)
    raise AssertionError("the statement never began")


# --- leases -----------------------------------------------------------------------------------------


def test_lost_run_is_stopped_and_never_reported() -> None:
    ledger = Ledger(definition("polite", args=["lost"]))
    with working(ledger, lease_seconds=0.1) as (worker, engine):
        run = start_run(ledger, engine)
        assert BOARD.wait("lost-started")
        ledger.take_away(run)
        assert BOARD.wait("lost-asked")
        ledger.definitions["job"] = definition("noop")
        assert ledger.final(start_run(ledger, engine)) is RunState.SUCCESS
        wait_until_idle(ledger, worker)
    assert run not in {report.run_id for report in ledger.reports}


def test_lost_run_may_come_back_as_a_new_attempt() -> None:
    ledger = Ledger(definition("gate", args=["comes-back"], policy={"max_attempts": 2}))
    with working(ledger, lease_seconds=0.1) as (worker, engine):
        run = start_run(ledger, engine)
        assert BOARD.wait("comes-back-started")
        ledger.take_away(run)
        ledger.wait(lambda: worker.abandoned == 1 or not ledger.renewed[-1:] or worker.running == 0)
        BOARD.raise_flag("comes-back-go")
        with ledger.changed:
            ledger.lost.clear()
            ledger.states[run] = RunState.PENDING
        offer_until_claimed(engine, ledger, run)
        assert ledger.final(run) is RunState.SUCCESS
        assert ledger.attempts[run] == 2


def offer_until_claimed(engine: InlineEngine, ledger: Ledger, run: UUID) -> None:
    """The upkeep offers again and again what is pending."""
    pause = threading.Event()
    for _ in range(400):
        if ledger.states[run] is not RunState.PENDING:
            return
        engine.offer([Offer(run, None)])
        pause.wait(0.02)


# --- outages ----------------------------------------------------------------------------------------


def test_outage_during_a_report_loses_no_report() -> None:
    ledger = Ledger(definition("gate", args=["outage"]))
    with working(ledger) as (worker, engine):
        run = start_run(ledger, engine)
        assert BOARD.wait("outage-started")
        ledger.down = True
        BOARD.raise_flag("outage-go")
        ledger.wait(lambda: ledger.failures >= 3)
        assert ledger.states[run] is RunState.RUNNING
        ledger.down = False
        assert ledger.final(run) is RunState.SUCCESS
        assert worker.alive


def test_outage_keeps_what_was_offered() -> None:
    ledger = Ledger(definition("noop"))
    ledger.down = True
    with working(ledger) as (_, engine):
        runs = [start_run(ledger, engine) for _ in range(5)]
        ledger.wait(lambda: ledger.failures >= 2)
        ledger.down = False
        assert {ledger.final(run) for run in runs} == {RunState.SUCCESS}


def test_lease_of_an_unreported_attempt_is_kept() -> None:
    """Its report is on its way: the ledger must not call it lost meanwhile."""
    ledger = Ledger(definition("noop"))
    refuse = threading.Event()
    real = ledger.exchange

    def exchange(ended: Any, wanted: Any, **identity: Any) -> Any:
        if ended and not refuse.is_set():
            ledger.down = True
            try:
                return real(ended, wanted, **identity)
            finally:
                ledger.down = False
        return real(ended, wanted, **identity)

    ledger.exchange = exchange  # type: ignore[method-assign]
    with working(ledger, lease_seconds=0.1) as (_, engine):
        run = start_run(ledger, engine)
        ledger.wait(lambda: ledger.failures >= 1)
        ledger.wait(
            lambda: any(held.run_id == run for held in ledger.renewed[-1]) if ledger.renewed else False
        )
        refuse.set()
        assert ledger.final(run) is RunState.SUCCESS


# --- drain and stop ---------------------------------------------------------------------------------


def test_drain_waits_for_what_runs() -> None:
    ledger = Ledger(definition("gate", args=["drain"]))
    with working(ledger) as (worker, engine):
        run = start_run(ledger, engine)
        assert BOARD.wait("drain-started")
        threading.Timer(0.1, BOARD.raise_flag, ["drain-go"]).start()
        assert worker.drain(PATIENCE)
        assert ledger.states[run] is RunState.SUCCESS


def test_drain_of_an_idle_worker_returns_at_once() -> None:
    with working(Ledger()) as (worker, _):
        assert worker.drain(PATIENCE)


def test_drain_claims_no_more() -> None:
    ledger = Ledger(definition("noop"))
    with working(ledger) as (worker, engine):
        worker.drain(1)
        run = start_run(ledger, engine)
        worker.drain(0)
        assert ledger.states[run] is RunState.PENDING


def test_drain_gives_back_what_has_not_started() -> None:
    ledger = Ledger(definition("noop", id="quick"), definition("gate", id="slow", args=["busy"]))
    with working(ledger, max_concurrent_tasks=1) as (worker, engine):
        for _ in range(50):
            start_run(ledger, engine, "quick")
        slow = start_run(ledger, engine, "slow")
        runs = [start_run(ledger, engine, "quick") for _ in range(50)]
        assert BOARD.wait("busy-started")
        threading.Timer(0.1, BOARD.raise_flag, ["busy-go"]).start()
        assert worker.drain(PATIENCE)
        assert ledger.states[slow] is RunState.SUCCESS
        assert {ledger.states[run] for run in runs} == {RunState.PENDING}
        assert {ledger.attempts[run] for run in runs} == {0}, "no attempt was spent"


@pytest.mark.parametrize(("attempts", "state"), [(1, RunState.LOST), (2, RunState.PENDING)])
def test_drain_stops_what_does_not_end(attempts: int, state: RunState) -> None:
    name = f"stubborn{attempts}"
    ledger = Ledger(definition("gate", args=[name], policy={"max_attempts": attempts, "backoff": 0.0}))
    with working(ledger) as (worker, engine):
        run = start_run(ledger, engine)
        assert BOARD.wait(f"{name}-started")
        assert not worker.drain(0.05)
        assert ledger.states[run] is state
        (report,) = ledger.reports
        assert report.error is not None and report.error["message"] == "the process stopped"
        BOARD.raise_flag(f"{name}-go")


def test_drain_lets_a_polite_run_clean_up() -> None:
    ledger = Ledger(definition("polite", args=["leaves"]))
    with working(ledger) as (worker, engine):
        run = start_run(ledger, engine)
        assert BOARD.wait("leaves-started")
        worker.drain(0)
        assert BOARD.is_up("leaves-asked")
        assert ledger.ended(run).result == "cleaned up"


def test_stop_ends_every_thread_of_the_worker() -> None:
    ledger = Ledger(definition("noop"))
    with working(ledger) as (worker, engine):
        ledger.final(start_run(ledger, engine))
        assert worker.alive
        worker.stop()
        assert not worker.alive
        worker.stop()


def test_worker_that_never_started_stops() -> None:
    worker = Worker(Ledger(), Ledger(), InlineEngine(), Database(NOWHERE), settings(), worker_id="w")
    assert not worker.alive
    assert worker.drain(PATIENCE)
    worker.stop()


def test_worker_started_twice_is_started_once() -> None:
    ledger = Ledger(definition("noop"))
    with working(ledger) as (worker, engine):
        worker.start()
        assert ledger.final(start_run(ledger, engine)) is RunState.SUCCESS
        assert len([t for t in threading.enumerate() if t.name == "cronzimus-worker"]) == 1


def test_workers_start_and_stop_many_times() -> None:
    ledger = Ledger(definition("noop"))
    for _ in range(10):
        with working(ledger) as (_, engine):
            assert ledger.final(start_run(ledger, engine)) is RunState.SUCCESS


def test_worker_takes_a_list_of_its_own() -> None:
    ledger, engine = Ledger(definition("noop")), InlineEngine()
    worker = Worker(
        ledger, ledger, engine, Database(NOWHERE), settings(), worker_id="w", allowed_functions=("elsewhere",)
    )
    worker.start()
    try:
        report = ledger.ended(start_run(ledger, engine))
        assert report.error is not None and "not allowed" in report.error["message"]
    finally:
        worker.stop()


# --- what runs say ----------------------------------------------------------------------------------


def said_by(function: str, *args: Any, **policy: Any) -> tuple[RunState, Kept]:
    """How a run of that function ended, and its log."""
    kept = Kept()
    ledger = Ledger(definition(function, args=list(args), policy=policy))
    with working(ledger, logs=kept) as (_, engine):
        return ledger.final(start_run(ledger, engine)), kept


def test_what_a_run_says_is_stored_before_its_end_is_reported() -> None:
    kept = Kept()
    ledger = Ledger(definition("speak_async", args=["hello"]))
    with working(ledger, logs=kept) as (_, engine):
        assert ledger.final(start_run(ledger, engine)) is RunState.SUCCESS
        assert sorted(kept.texts) == ["hello", "hello in a task", "hello in a thread"]
        assert kept.flushed


def test_failure_is_told_in_the_log() -> None:
    state, kept = said_by("speak_and_fail", "half a line")
    assert state is RunState.FAILED
    assert kept.texts[0].startswith("Traceback") and kept.texts[-2:] == ["ValueError: wrong", "half a line"]


def test_each_attempt_has_its_own_part_of_the_log() -> None:
    kept = Kept()
    ledger = Ledger(definition("speak_and_fail", args=["again"], policy={"max_attempts": 2, "backoff": 0}))
    with working(ledger, logs=kept) as (_, engine):
        ledger.final(start_run(ledger, engine))
    assert {line.attempt for line in kept.lines if line.line == "again"} == {1, 2}


def test_silent_run_has_no_log() -> None:
    assert said_by("noop")[1].lines == []


def test_thread_that_is_given_up_says_no_more() -> None:
    kept = Kept()
    ledger = Ledger(definition("speak_until_cancelled", policy={"timeout": 0.2}))
    with working(ledger, logs=kept) as (worker, engine):
        run_id = start_run(ledger, engine)
        assert ledger.final(run_id) is RunState.TIMEOUT
        said = list(kept.texts)
        assert said[0] == "begun" and said[-1].startswith("TimeoutError")
        assert until(lambda: worker.abandoned == 1)
        BOARD.raise_flag("enough")
        assert until(lambda: worker.abandoned == 0)
        assert kept.texts == said


# --- a worker of its own -----------------------------------------------------------------------------


def test_what_was_not_claimed_goes_back_and_may_come_again() -> None:
    ledger = Ledger(definition("noop"))
    left: list[UUID] = []
    with working(ledger, left=left.extend) as (worker, engine):
        waiting = ledger.create("job")
        engine.offer([Offer(waiting, datetime.now(UTC) + timedelta(hours=1))])
        ledger.dispatched = [waiting]
        worker.hand_back()
        worker.hand_back()
        assert left == [waiting]
        engine.offer([Offer(waiting, None)])
        assert ledger.final(waiting) is RunState.SUCCESS


def test_isolated_worker_gives_every_run_a_process_of_its_own() -> None:
    ledger = Ledger(definition("pid"))
    with working(ledger, isolate=True) as (_, engine):
        assert ledger.ended(start_run(ledger, engine)).result not in (None, os.getpid())


def test_executing_names_the_runs_on_a_thread() -> None:
    ledger = Ledger(definition("gate", args=["executing"]))
    with working(ledger) as (worker, engine):
        run_id = start_run(ledger, engine)
        until(lambda: worker.executing == [run_id])
        BOARD.raise_flag("executing-go")
        ledger.final(run_id)
        until(lambda: worker.executing == [])


def test_drain_without_end_is_ended_by_hurry() -> None:
    ledger = Ledger(definition("polite", args=["hurried"], policy={"max_attempts": 2}))
    with working(ledger) as (worker, engine):
        run_id = start_run(ledger, engine)
        until(lambda: worker.executing)
        draining = threading.Thread(target=worker.drain, args=(None,))
        draining.start()
        worker.hurry()
        draining.join(PATIENCE)
        assert not draining.is_alive() and ledger.states[run_id] is RunState.PENDING


def test_hurry_at_once_kills_a_process_that_ignores_being_asked(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    script = f"trap '' TERM; echo $$ > {mark}.new; mv {mark}.new {mark}; while :; do sleep 60 & wait $!; done"
    ledger = Ledger(definition(kind="shell", params={"command": ["sh", "-c", script]}))
    with working(ledger) as (worker, engine):
        run_id = start_run(ledger, engine)
        until(mark.exists)
        began = time.monotonic()
        worker.hurry(at_once=True)
        worker.drain(None)
        assert time.monotonic() - began < 1.75
        assert ledger.states[run_id] is RunState.LOST
        assert not is_alive(int(mark.read_text()))
