"""Connection handling and error cases of the one door to PostgreSQL."""

import os
import threading
from dataclasses import dataclass

import psycopg
import pytest
from psycopg_pool import PoolTimeout as DriverPoolTimeout

from cronzimus.common.db import (
    Database,
    PoolTimeout,
    Refused,
    as_json,
    open_session,
    session_conninfo,
)
from cronzimus.errors import ConfigError, DatabaseUnavailable
from tests.heart import until


@dataclass(frozen=True, slots=True)
class Pair:
    left: int
    right: str


def test_database_answers_in_tuples_and_in_dataclasses(database: Database) -> None:
    assert database.fetch_one("SELECT 1, 'a'") == (1, "a")
    assert database.fetch_one("SELECT 1, 'a'", row=Pair) == Pair(1, "a")
    assert database.fetch_all("SELECT n, 'x' FROM generate_series(1, 2) n", row=Pair) == [
        Pair(1, "x"),
        Pair(2, "x"),
    ]
    assert database.fetch_one("SELECT 1 WHERE false") is None


def test_execute_counts_the_rows_it_touched(database: Database) -> None:
    database.execute("CREATE TABLE t (n int)")
    assert database.execute("INSERT INTO t SELECT generate_series(1, 3)") == 3


def test_transaction_commits_at_its_end(database: Database) -> None:
    database.execute("CREATE TABLE t (n int)")
    with database.transaction() as tx:
        tx.execute("INSERT INTO t VALUES (1)")
    assert database.fetch_all("SELECT n FROM t") == [(1,)]


def test_transaction_rolls_back_when_the_block_raises(database: Database) -> None:
    database.execute("CREATE TABLE t (n int)")
    with pytest.raises(RuntimeError), database.transaction() as tx:
        tx.execute("INSERT INTO t VALUES (1)")
        raise RuntimeError
    assert database.fetch_all("SELECT n FROM t") == []


def test_inner_rollback_keeps_what_the_outer_transaction_wrote(database: Database) -> None:
    database.execute("CREATE TABLE t (n int)")
    with database.transaction() as outer:
        outer.execute("INSERT INTO t VALUES (1)")
        with pytest.raises(RuntimeError), database.transaction() as inner:
            inner.execute("INSERT INTO t VALUES (2)")
            raise RuntimeError
        database.execute("INSERT INTO t VALUES (3)")
    assert database.fetch_all("SELECT n FROM t ORDER BY n") == [(1,), (3,)]


def test_transaction_of_another_thread_is_not_joined(database: Database) -> None:
    seen: list[object] = []
    with database.transaction() as tx:
        tx.execute("CREATE TABLE hidden (n int)")
        thread = threading.Thread(
            target=lambda: seen.append(database.fetch_one("SELECT to_regclass('hidden')"))
        )
        thread.start()
        thread.join()
    assert seen == [(None,)]


def test_pool_is_bounded_then_raises_pool_timeout(database_url: str) -> None:
    pool = Database(database_url, max_connections=1, timeout=0.2)
    with pool.connection():
        failures: list[BaseException] = []
        thread = threading.Thread(target=lambda: _collect(failures, pool))
        thread.start()
        thread.join()
    assert isinstance(failures[0], PoolTimeout)
    assert isinstance(failures[0], DriverPoolTimeout)
    assert isinstance(failures[0], DatabaseUnavailable)
    pool.close()


def _collect(failures: list[BaseException], pool: Database) -> None:
    try:
        pool.fetch_one("SELECT 1")
    except Exception as error:
        failures.append(error)


def test_fifty_callers_share_five_connections(database_url: str) -> None:
    pool = Database(database_url, max_connections=5, application_name="cz-bounded")
    highest: list[int] = []

    def ask() -> None:
        row = pool.fetch_one("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'cz-bounded'")
        highest.append(row[0] if row else -1)

    threads = [threading.Thread(target=ask) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(highest) == 50 and 1 <= max(highest) <= 5
    pool.close()


def test_pool_survives_the_death_of_its_sessions(database: Database) -> None:
    with database.connection() as first, database.connection() as second:
        pids = [first.info.backend_pid, second.info.backend_pid]
    with psycopg.connect(database.url, autocommit=True) as admin:
        for pid in pids:
            admin.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    assert database.fetch_one("SELECT 1") == (1,)


def test_use_after_close_fails_at_once(database: Database) -> None:
    database.fetch_one("SELECT 1")
    database.close()
    with pytest.raises(DatabaseUnavailable, match="closed"):
        database.fetch_one("SELECT 1")


def test_closing_before_the_first_use_is_fine(database_url: str) -> None:
    pool = Database(database_url)
    pool.close()
    with pytest.raises(DatabaseUnavailable, match="closed"):
        pool.execute("SELECT 1")


def test_server_that_refuses_is_database_unavailable() -> None:
    pool = Database("postgresql://postgres@127.0.0.1:1/none", timeout=0.3)
    with pytest.raises(DatabaseUnavailable):
        pool.fetch_one("SELECT 1")
    pool.close()


def test_statement_beyond_its_time_is_cut(database_url: str) -> None:
    pool = Database(database_url, statement_timeout=0.2)
    with pytest.raises(DatabaseUnavailable, match="statement timeout"):
        pool.fetch_one("SELECT pg_sleep(30)")
    pool.close()


def test_server_that_never_answers_is_given_up(database_url: str) -> None:
    session = open_session(database_url, "cz-stuck", statement_timeout=60)
    session.answer_within = 0.2
    with pytest.raises(psycopg.OperationalError, match="did not answer within"):
        session.execute("SELECT pg_sleep(30)")
    assert session.closed


def test_refused_row_names_its_constraint(database: Database) -> None:
    database.execute("CREATE TABLE t (n int CONSTRAINT t_positive CHECK (n > 0))")
    with pytest.raises(Refused) as caught:
        database.execute("INSERT INTO t VALUES (-1)")
    assert caught.value.constraint == "t_positive"


def test_sql_errors_stay_what_they_are(database: Database) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        database.fetch_all("SELECT * FROM nowhere")


@pytest.mark.parametrize("url", ["mysql://h/db", "sqlite:///x", "", "h/db"])
def test_unknown_scheme_names_the_supported_ones(url: str) -> None:
    with pytest.raises(ConfigError, match="postgresql://"):
        Database(url)


@pytest.mark.parametrize(("low", "high"), [(0, 0), (3, 2), (-1, 5)])
def test_impossible_bounds_are_refused(low: int, high: int) -> None:
    with pytest.raises(ConfigError, match="max_connections"):
        Database("postgresql://h/db", max_connections=high, min_connections=low)


def test_scoped_view_names_its_sessions_and_gives_the_name_back(database: Database) -> None:
    name = "cronzimus:nightly:r1"
    with database.scoped(name).connection() as connection:
        row = connection.execute("SELECT current_setting('application_name')").fetchone()
    assert row == (name,)
    assert database.fetch_all("SELECT 1 FROM pg_stat_activity WHERE application_name = %s", [name]) == []


def test_scoped_view_is_cleaned_after_a_failure(database: Database) -> None:
    scoped = database.scoped("cronzimus:a:b")
    with pytest.raises(psycopg.errors.DivisionByZero):
        scoped.fetch_one("SELECT 1/0")
    with pytest.raises(ValueError), scoped.transaction() as tx:
        tx.execute("CREATE TABLE gone (n int)")
        raise ValueError
    assert database.fetch_one("SELECT to_regclass('gone')") == (None,)


def test_cancel_backends_ends_the_statement_of_one_name_only(database_url: str) -> None:
    pool = Database(database_url, max_connections=4, statement_timeout=None)
    name = f"cronzimus:stuck:{os.getpid()}"
    caught: list[BaseException] = []

    def hang() -> None:
        try:
            pool.scoped(name).fetch_one("SELECT pg_sleep(60)")
        except psycopg.errors.QueryCanceled as error:
            caught.append(error)

    thread = threading.Thread(target=hang)
    thread.start()
    busy = "SELECT 1 FROM pg_stat_activity WHERE application_name = %s AND query LIKE '%%pg_sleep(60)%%'"
    while not pool.fetch_all(busy, [name]):
        assert thread.is_alive()
    assert pool.cancel_backends(name) == 1
    thread.join(10)
    assert len(caught) == 1
    assert pool.cancel_backends("cronzimus:nobody:x") == 0
    pool.close()


def test_forked_child_gets_its_own_sessions(database_url: str) -> None:
    pool = Database(database_url, max_connections=1)
    with pool.connection() as mine:
        parent_backend = mine.info.backend_pid
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        row = pool.fetch_one("SELECT pg_backend_pid()")
        os.write(writer, str(row[0] if row else 0).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert int(os.read(reader, 32)) not in (0, parent_backend)
    assert pool.fetch_one("SELECT pg_backend_pid()") == (parent_backend,)
    pool.close()


def test_conninfo_keeps_the_users_own_options() -> None:
    info = session_conninfo("postgresql://h/db?options=-c%20work_mem%3D8MB&connect_timeout=9", "me")
    assert "work_mem=8MB" in info and "connect_timeout=9" in info and "application_name=me" in info


def test_nothing_of_ours_is_said_at_startup() -> None:
    """PgBouncer refuses the options of a start, or drops them without a word."""
    assert "options" not in session_conninfo("postgresql://h/db", "me")


def test_every_session_is_guarded(database_url: str) -> None:
    pool = Database(database_url, 1, statement_timeout=1.5, by_key=True)
    shown = [
        pool.fetch_one(f"SHOW {name}") for name in ("statement_timeout", "lock_timeout", "enable_seqscan")
    ]
    assert shown == [("1500ms",), ("2s",), ("off",)]
    pool.close()
    with open_session(database_url, "cz-guarded", statement_timeout=2) as session:
        guards = "SELECT current_setting('idle_in_transaction_session_timeout'), current_setting('TimeZone')"
        assert session.execute(guards.encode()).fetchone() == ("3s", "UTC")


def test_session_that_cannot_be_guarded_is_not_left_open(database: Database) -> None:
    with pytest.raises(psycopg.DataError) as refused:
        open_session(database.url, "cz-unguarded", statement_timeout=1e12)
    # The error keeps its frames, and with them the session, from being collected.
    assert "statement_timeout" in str(refused.value)
    left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'cz-unguarded'"
    until(lambda: database.fetch_one(left) == (0,))


def test_options_of_the_url_go_before_ours(database_url: str) -> None:
    separator = "&" if "?" in database_url else "?"
    url = f"{database_url}{separator}options=-c%20statement_timeout%3D77000"
    pool = Database(url, 1, statement_timeout=1.5)
    assert pool.fetch_one("SHOW statement_timeout") == ("77s",)
    assert pool.fetch_one("SHOW lock_timeout") == ("2s",)
    pool.close()


def test_as_json_keeps_null_apart_from_json_null(database: Database) -> None:
    assert database.fetch_one("SELECT %s::jsonb IS NULL", [as_json(None)]) == (True,)
    assert database.fetch_one("SELECT %s::jsonb", [as_json({"a": [1]})]) == ({"a": [1]},)


def test_pool_stats_count_what_is_in_use(database: Database) -> None:
    assert database.pool_stats()["in_use"] == 0
    with database.connection():
        assert database.pool_stats()["in_use"] == 1


def test_what_waits_for_the_commit_is_done_after_it(database: Database) -> None:
    done: list[str] = []
    database.after_commit(lambda: done.append("at once"))
    with database.transaction():
        with database.transaction():
            database.after_commit(lambda: done.append("later"))
        assert done == ["at once"]
    assert done == ["at once", "later"]


def test_what_waits_for_a_commit_that_never_comes_is_forgotten(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.transaction():
        database.after_commit(lambda: pytest.fail("it was rolled back"))
        _ = 1 / 0
    with database.transaction():
        pass
