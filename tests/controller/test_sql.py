import json
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from cronzimus.common.db import Database
from cronzimus.controller.sql import KEPT_ROWS, run_statement
from cronzimus.models.run import ErrorCategory, RunState
from cronzimus.workers.outcome import as_result, raised
from tests.workers.support import Ledger, context, definition, start_run, working

Sql = Callable[..., dict[str, Any]]


@pytest.fixture
def sql(database: Database) -> Sql:
    """Runs one statement the way a run does."""
    run = context(database)
    return lambda statement, args=None: run_statement(run.database, run, statement, args)


def test_rows_come_back_as_lists(sql: Sql) -> None:
    assert sql("select 1 as one, 'x' as letter") == {
        "columns": ["one", "letter"],
        "rows": [[1, "x"]],
        "row_count": 1,
    }


def test_only_the_first_rows_are_kept(sql: Sql) -> None:
    result = sql("select generate_series(1, 250)")
    assert len(result["rows"]) == KEPT_ROWS
    assert result["rows"][-1] == [KEPT_ROWS] and result["row_count"] == 250


def test_statement_without_rows_tells_how_many_it_touched(sql: Sql) -> None:
    assert sql("create table t (a int)") == {"columns": [], "rows": [], "row_count": 0}
    assert sql("insert into t select generate_series(1, 7)")["row_count"] == 7
    assert sql("delete from t where a > 5")["row_count"] == 2


def test_rows_of_a_writing_statement_come_back(sql: Sql) -> None:
    sql("create table t (a int)")
    assert sql("insert into t values (1), (2) returning a")["rows"] == [[1], [2]]


def test_statement_commits_by_itself(sql: Sql, database: Database) -> None:
    sql("create table t (a int)")
    sql("insert into t values (1)")
    assert database.fetch_all("select a from t") == [(1,)]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("null", None),
        ("true", True),
        ("1.5::float8", 1.5),
        ("'nan'::float8", "nan"),
        ("1.10::numeric", "1.10"),
        ("9223372036854775807", 9223372036854775807),
        ("date '2026-03-29'", "2026-03-29"),
        ("time '02:30'", "02:30:00"),
        ("timestamptz '2026-03-29 01:30Z'", "2026-03-29T01:30:00+00:00"),
        ("interval '90 minutes'", "1:30:00"),
        ("'6f1c1e57-3d0a-4f0e-9f66-0a2f4a0f0001'::uuid", "6f1c1e57-3d0a-4f0e-9f66-0a2f4a0f0001"),
        ("'\\xdeadbeef'::bytea", "\\xdeadbeef"),
        ("""'{"a": [1, null]}'::jsonb""", {"a": [1, None]}),
        ("array[1, 2]", [1, 2]),
        ("array[1.5::numeric]", ["1.5"]),
        ("'10.0.0.1'::inet", "10.0.0.1"),
        ("int4range(1, 5)", "[1, 5)"),
    ],
)
def test_values_become_json(sql: Sql, expression: str, value: Any) -> None:
    (row,) = sql(f"select {expression}")["rows"]
    assert row == [value]
    assert json.loads(json.dumps(row)) == row
    assert as_result(row) == row


def test_values_are_bound_by_name(sql: Sql) -> None:
    result = sql("select %(a)s::int + 1, %(b)s::text", {"a": 41, "b": "'; drop table t; --"})
    assert result["rows"] == [[42, "'; drop table t; --"]]


def test_percent_sign_is_a_percent_sign_without_values(sql: Sql) -> None:
    assert sql("select 'a' like '%a%'")["rows"] == [[True]]
    assert sql("select 'a' like '%a%'", {})["rows"] == [[True]]


def test_percent_sign_is_doubled_beside_values(sql: Sql) -> None:
    assert sql("select %(x)s like '%%a%%'", {"x": "bab"})["rows"] == [[True]]


@pytest.mark.parametrize("args", [None, {"x": 1}])
def test_second_statement_is_refused(sql: Sql, database: Database, args: dict[str, Any] | None) -> None:
    database.execute("create table t (a int)")
    extra = "; insert into t values (%(x)s)" if args else "; insert into t values (1)"
    with pytest.raises(psycopg.errors.SyntaxError, match="multiple commands"):
        sql(f"select 1{extra}", args)
    assert database.fetch_all("select a from t") == []


def test_statement_outside_a_transaction_is_possible(sql: Sql) -> None:
    sql("create table t (a int)")
    sql("vacuum t")
    sql("create index concurrently i on t (a)")


@pytest.mark.parametrize(
    ("statement", "category"),
    [
        ("select from where", ErrorCategory.BUSINESS),
        ("select * from no_such_table", ErrorCategory.BUSINESS),
        ("select 1 / 0", ErrorCategory.BUSINESS),
        ("insert into u values (1), (1)", ErrorCategory.BUSINESS),
        ("do $$ begin raise exception 'mine'; end $$", ErrorCategory.SYSTEM),
        ("do $$ begin raise exception 'busy' using errcode = '40P01'; end $$", ErrorCategory.SYSTEM),
        ("select pg_terminate_backend(pg_backend_pid())", ErrorCategory.SYSTEM),
    ],
)
def test_failure_says_whether_another_try_may_help(
    sql: Sql, database: Database, statement: str, category: ErrorCategory
) -> None:
    database.execute("create table u (a int unique)")
    with pytest.raises(psycopg.Error) as error:
        sql(statement)
    assert raised(error.value).category is category


def test_missing_value_fails_for_good_or_at_once(sql: Sql) -> None:
    with pytest.raises(psycopg.ProgrammingError):
        sql("select %(a)s", {"b": 1})


def test_connection_is_usable_after_a_failure(sql: Sql) -> None:
    with pytest.raises(psycopg.Error):
        sql("select 1 / 0")
    assert sql("select 1")["rows"] == [[1]]


# --- through the worker -----------------------------------------------------------------------------


@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_worker_runs_a_statement(database: Database, isolation: str) -> None:
    params = {"statement": "select %(x)s::int * 2 as twice", "args": {"x": 21}}
    ledger = Ledger(definition(kind="sql", params=params, policy={"isolation": isolation}))
    with working(ledger, database) as (_, engine):
        report = ledger.ended(start_run(ledger, engine))
        assert (report.state, report.result) == (
            RunState.SUCCESS,
            {"columns": ["twice"], "rows": [[42]], "row_count": 1},
        )


def test_worker_ends_a_statement_at_its_deadline(database: Database) -> None:
    ledger = Ledger(
        definition(kind="sql", params={"statement": "select pg_sleep(60)"}, policy={"timeout": 0.3})
    )
    with working(ledger, database) as (worker, engine):
        assert ledger.final(start_run(ledger, engine)) is RunState.TIMEOUT
        assert worker.abandoned == 0
    left = database.fetch_one(
        "select count(*) from pg_stat_activity where query ilike 'select pg_sleep%' and state = 'active'"
    )
    assert left == (0,)


def test_worker_takes_the_name_of_a_run_off_its_session(database: Database) -> None:
    ledger = Ledger(definition(kind="sql", params={"statement": "select 1"}))
    with working(ledger, database) as (_, engine):
        assert ledger.final(start_run(ledger, engine)) is RunState.SUCCESS
        names = database.fetch_all(
            "select application_name from pg_stat_activity where application_name like 'cronzimus:job:%'"
        )
        assert names == []
