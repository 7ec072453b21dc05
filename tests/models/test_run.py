"""The state machine: what may follow what, in the code and in the database alike."""

from itertools import product

import pytest

from cronzimus.common.db import Database, Refused
from cronzimus.models.run import OPEN, TERMINAL, TRANSITIONS, RunState, may_become


def test_final_states_never_change() -> None:
    assert TERMINAL == {"success", "partial", "failed", "timeout", "cancelled", "lost"}
    assert all(not may_become(state, other) for state, other in product(TERMINAL, RunState))


def test_every_state_has_its_transitions() -> None:
    assert set(TRANSITIONS) == set(RunState) and OPEN | TERMINAL == set(RunState)


@pytest.mark.parametrize(
    ("current", "following", "allowed"),
    [
        ("pending", "running", True),
        ("pending", "cancelled", True),
        ("pending", "success", False),
        ("running", "pending", True),
        ("running", "lost", True),
        ("running", "running", False),
    ],
)
def test_open_states_go_where_the_table_says(current: str, following: str, allowed: bool) -> None:
    assert may_become(RunState(current), RunState(following)) is allowed


@pytest.mark.parametrize("state", list(RunState))
def test_database_knows_every_state(database: Database, state: RunState) -> None:
    ended = "clock_timestamp()" if state in TERMINAL else "NULL"
    held = "'w', clock_timestamp()" if state is RunState.RUNNING else "NULL, NULL"
    database.execute(
        "INSERT INTO cronzimus.runs (id, job_id, job_version, cause, state, worker_id, lease_until, ended_at, trace_id)"
        f" VALUES (gen_random_uuid(), 'a', 1, 'manual', '{state}', {held}, {ended}, 'x')"
    )


@pytest.mark.parametrize(
    ("columns", "values", "constraint"),
    [
        ("state", "'success'", "runs_ended_when_final"),
        ("state", "'running'", "runs_leased_while_running"),
        ("attempt", "2", "runs_attempts_bounded"),
        ("cause", "'whim'", "runs_cause_known"),
    ],
)
def test_database_refuses_what_cannot_be(
    database: Database, columns: str, values: str, constraint: str
) -> None:
    given = {
        "id": "gen_random_uuid()",
        "job_id": "'a'",
        "job_version": "1",
        "cause": "'manual'",
        "trace_id": "'x'",
    }
    row = given | {columns: values}
    with pytest.raises(Refused) as caught:
        database.execute(f"INSERT INTO cronzimus.runs ({', '.join(row)}) VALUES ({', '.join(row.values())})")
    assert caught.value.constraint == constraint


def test_database_refuses_a_state_nobody_knows(database: Database) -> None:
    with pytest.raises(Refused) as caught:
        database.execute(
            "INSERT INTO cronzimus.runs (id, job_id, job_version, cause, state, ended_at, trace_id)"
            " VALUES (gen_random_uuid(), 'a', 1, 'manual', 'flying', clock_timestamp(), 'x')"
        )
    assert caught.value.constraint == "runs_state_known"


def test_exclusive_job_cannot_run_twice_whoever_says_so(database: Database) -> None:
    insert = (
        "INSERT INTO cronzimus.runs"
        " (id, job_id, job_version, cause, state, max_running, worker_id, lease_until, trace_id)"
        " VALUES (gen_random_uuid(), 'a', 1, 'manual', 'running', %s, 'w', clock_timestamp(), 'x')"
    )
    database.execute(insert, [1])
    with pytest.raises(Refused) as caught:
        database.execute(insert, [1])
    assert caught.value.constraint == "runs_one_running_per_exclusive_job"
    database.execute(insert, [2])
    database.execute(insert, [None])


def test_ledger_takes_one_row_for_each_due_instant(database: Database) -> None:
    insert = (
        "INSERT INTO cronzimus.firings"
        " (job_id, due_at, first_due_at, decision, reason, run_id, epoch, decided_by, job_version)"
        " VALUES ('a', '2026-11-21', '2026-11-21', %s, %s, %s, 1, 'me', 1)"
    )
    database.execute(insert, ["missed", "misfire", None])
    for decision, reason in (("missed", "misfire"), ("skipped", "paused")):
        with pytest.raises(Refused):
            database.execute(insert, [decision, reason, None])
    with pytest.raises(Refused):
        database.execute(insert.replace("'a'", "'b'"), ["fired", None, None])
    with pytest.raises(Refused):
        database.execute(insert.replace("'a'", "'b'"), ["skipped", None, None])
    with pytest.raises(Refused):
        database.execute(insert.replace("'a'", "NULL"), ["missed", "misfire", None])
