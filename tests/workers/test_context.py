import pickle
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import psycopg
import pytest

from cronzimus.common.db import Database
from cronzimus.common.logger import get_logger
from cronzimus.errors import Conflict
from cronzimus.models.run import Cause, session_name
from cronzimus.utils.ids import new_id
from cronzimus.workers.context import RunContext, current_run
from tests.workers.support import TRACE_ID, context

INSERT_RUN = """
    insert into cronzimus.runs (id, job_id, job_version, cause, state, attempt, max_attempts, worker_id, lease_until,
                                started_at, trace_id)
    values (%s, 'job', 1, 'manual', 'running', 1, 3, 'w1', clock_timestamp() + interval '1 minute',
            clock_timestamp(), %s)
"""


# --- facts ------------------------------------------------------------------------------------------


def test_context_tells_the_facts_of_the_claim() -> None:
    run_id, due = new_id(), datetime(2026, 3, 1, tzinfo=UTC)
    run = context(run_id=run_id, due_at=due, attempt=2, max_attempts=5, cause=Cause.SCHEDULE, params={"a": 1})
    assert (run.id, run.due_at, run.attempt, run.max_attempts) == (run_id, due, 2, 5)
    assert (run.cause, run.params, run.trace_id, run.job_id) == (Cause.SCHEDULE, {"a": 1}, TRACE_ID, "job")


def test_part_of_work_that_is_cut_has_a_key_of_its_own() -> None:
    due = datetime(2026, 3, 1, 2, 30, tzinfo=UTC)
    whole = context(due_at=due, cause=Cause.SCHEDULE)
    first, second = (context(due_at=due, cause=Cause.SCHEDULE, part=part, parts=2) for part in (0, 1))
    assert (whole.part, whole.parts) == (None, None)
    assert [(run.part, run.parts) for run in (first, second)] == [(0, 2), (1, 2)]
    assert [run.key for run in (first, second)] == [f"{whole.key}/0", f"{whole.key}/1"]


def test_params_are_never_none() -> None:
    assert context(params=None).params == {}


def test_key_is_the_same_for_every_attempt() -> None:
    due = datetime(2026, 3, 1, 2, 30, tzinfo=UTC)
    facts = {"due_at": due, "cause": Cause.SCHEDULE}
    assert context(**facts, attempt=1).key == context(**facts, attempt=2).key
    assert context(**facts).key == "job/2026-03-01T02:30:00.000000Z"


@pytest.mark.parametrize("cause", [Cause.MANUAL, Cause.RETRY])
def test_key_of_a_run_by_hand_for_a_moment_names_the_run(cause: Cause) -> None:
    run = context(due_at=datetime(2026, 3, 1, tzinfo=UTC), cause=cause)
    assert run.key == f"job/{run.id}"


def test_key_does_not_depend_on_the_zone_of_the_instant() -> None:
    due = datetime(2026, 3, 1, 2, 30, tzinfo=UTC)
    there = due.astimezone(timezone(timedelta(hours=5)))
    keys = {context(due_at=at, cause=Cause.SCHEDULE).key for at in (due, there)}
    assert keys == {"job/2026-03-01T02:30:00.000000Z"}


def test_key_of_a_run_without_a_due_instant_names_the_run() -> None:
    run = context()
    assert run.key == f"job/{run.id}"


@pytest.mark.parametrize(("offset", "low", "high"), [(60, 59, 60), (-5, 0, 0)])
def test_time_left_counts_down_to_zero(offset: float, low: float, high: float) -> None:
    left = context(deadline=time.monotonic() + offset).time_left()
    assert left is not None and low <= left <= high


def test_time_left_is_none_without_a_deadline() -> None:
    assert context().time_left() is None


def test_context_cannot_be_pickled() -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(context())


def test_context_takes_no_further_attributes() -> None:
    with pytest.raises(AttributeError):
        context().surprise = 1  # type: ignore[attr-defined]


def test_logger_lines_carry_the_run(capture: list[dict[str, Any]]) -> None:
    run = context()
    run.logger.info("hello")
    assert {"run_id": str(run.id), "job_id": "job", "trace_id": TRACE_ID}.items() <= capture[-1].items()


@pytest.fixture
def capture() -> Iterator[list[dict[str, Any]]]:
    """The extra fields of every log line."""
    lines: list[dict[str, Any]] = []
    log = get_logger("test")
    sink = log.add(lambda message: lines.append(dict(message.record["extra"])), level="DEBUG")
    yield lines
    log.remove(sink)


def test_current_run_is_none_outside_a_run() -> None:
    assert current_run.get() is None


# --- cancel -----------------------------------------------------------------------------------------


def test_cancelled_turns_true_once_asked() -> None:
    run = context()
    assert not run.cancelled
    assert not run.wait_cancelled(0)
    run.cancel()
    assert run.cancelled
    assert run.wait_cancelled(0)


def test_wait_cancelled_wakes_at_the_cancel() -> None:
    run, woken = context(), []
    thread = threading.Thread(target=lambda: woken.append(run.wait_cancelled(20)))
    thread.start()
    run.cancel()
    thread.join(20)
    assert woken == [True]


def test_on_cancel_calls_back_once() -> None:
    run, calls = context(), []
    with run.on_cancel(lambda: calls.append(1)):
        run.cancel()
        run.cancel()
    assert calls == [1]


def test_on_cancel_calls_back_at_once_when_it_is_too_late() -> None:
    run, calls = context(), []
    run.cancel()
    with run.on_cancel(lambda: calls.append(1)):
        assert calls == [1]


def test_on_cancel_is_over_with_its_block() -> None:
    run, calls = context(), []
    with run.on_cancel(lambda: calls.append(1)):
        pass
    run.cancel()
    assert calls == []


def test_callback_that_fails_does_not_hide_the_others() -> None:
    run, calls = context(), []

    def broken() -> None:
        raise RuntimeError("broken callback")

    with run.on_cancel(broken), run.on_cancel(lambda: calls.append(1)):
        run.cancel()
    assert calls == [1] and run.cancelled


def test_callback_may_look_at_the_run() -> None:
    run, seen = context(), []
    with run.on_cancel(lambda: seen.append(run.cancelled)):
        run.cancel()
    assert seen == [True]


# --- the database -----------------------------------------------------------------------------------


def test_database_is_made_when_first_asked_for() -> None:
    run = context()
    assert not run.uses_database
    assert run.database is run.database
    assert run.uses_database


def test_database_sessions_carry_the_run(database: Database) -> None:
    run = context(database)
    (name,) = run.database.fetch_one("select current_setting('application_name')") or ("",)
    assert name == run.session_name == session_name("job", run.id)


# --- the fenced transaction -------------------------------------------------------------------------


@pytest.fixture
def running(database: Database) -> RunContext:
    """A run that is this worker's, in a real ledger, and a table for its effects."""
    database.execute("create table effects (text text)")
    run_id = new_id()
    database.execute(INSERT_RUN, [run_id, TRACE_ID])
    return context(database, run_id=run_id, max_attempts=3)


def effects(database: Database) -> list[str]:
    return [text for (text,) in database.fetch_all("select text from effects")]


def state(database: Database, run_id: UUID) -> tuple[Any, ...]:
    found = database.fetch_one(
        "select state, ended_at is not null, lease_until from cronzimus.runs where id = %s", [run_id]
    )
    assert found is not None
    return found


def test_transaction_commits_effect_and_success_together(database: Database, running: RunContext) -> None:
    with running.transaction() as tx:
        tx.execute("insert into effects values ('paid')")
    assert effects(database) == ["paid"]
    assert state(database, running.id) == ("success", True, None)
    assert running.committed


def test_transaction_records_the_attempt(database: Database, running: RunContext) -> None:
    with running.transaction():
        pass
    rows = database.fetch_all(
        "select attempt, worker_id, state from cronzimus.attempts where run_id = %s", [running.id]
    )
    assert rows == [(1, "w1", "success")]


def test_transaction_takes_calls_of_db_in(database: Database, running: RunContext) -> None:
    with pytest.raises(RuntimeError), running.transaction():
        running.database.execute("insert into effects values ('through db')")
        raise RuntimeError("changed my mind")
    assert effects(database) == []


def test_transaction_that_fails_leaves_the_run_running(database: Database, running: RunContext) -> None:
    with pytest.raises(psycopg.Error), running.transaction() as tx:
        tx.execute("insert into effects values ('x')")
        tx.execute("select 1 / 0")
    assert effects(database) == []
    assert state(database, running.id)[0] == "running"
    assert not running.committed


@pytest.mark.parametrize(
    "theft",
    [
        "update cronzimus.runs set attempt = 2",
        "update cronzimus.runs set worker_id = 'w2'",
        "update cronzimus.runs set state = 'lost', ended_at = now()",
        "update cronzimus.runs set state = 'cancelled', ended_at = now()",
        "update cronzimus.runs set state = 'pending', worker_id = null, lease_until = null",
        "delete from cronzimus.runs",
    ],
)
def test_transaction_of_a_zombie_writes_nothing(database: Database, running: RunContext, theft: str) -> None:
    with pytest.raises(Conflict) as refused, running.transaction() as tx:
        tx.execute("insert into effects values ('twice')")
        database.execute(theft)
    assert refused.value.code == "FENCED"
    assert effects(database) == []
    assert not running.committed


def test_second_transaction_of_a_run_is_fenced(database: Database, running: RunContext) -> None:
    with running.transaction() as tx:
        tx.execute("insert into effects values ('once')")
    with pytest.raises(Conflict), running.transaction() as tx:
        tx.execute("insert into effects values ('again')")
    assert effects(database) == ["once"]


def test_transaction_holds_off_a_thief_until_its_commit(database: Database, running: RunContext) -> None:
    """The row is locked by the success itself: whoever comes later sees a run that has ended."""
    with running.transaction() as tx:
        tx.execute("insert into effects values ('mine')")
    stolen = database.execute(
        "update cronzimus.runs set attempt = 2 where id = %s and state = 'running'", [running.id]
    )
    assert stolen == 0
    assert effects(database) == ["mine"]


def test_commit_is_announced(database: Database, running: RunContext) -> None:
    told: list[int] = []
    run = context(database, run_id=running.id, on_commit=lambda: told.append(1))
    with run.transaction():
        assert told == []
    assert told == [1]
