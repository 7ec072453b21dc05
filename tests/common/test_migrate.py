"""Revisions: there and back, by any number of processes at once."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from cronzimus.common.db import Database
from cronzimus.common.migrate import Migrations
from cronzimus.common.sql import queries
from cronzimus.errors import ConfigError, DatabaseUnavailable
from tests.heart import change_by_a_later_version

HEAD = Migrations("").head
TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'cronzimus' AND tablename <> 'alembic_version'"


def count_tables(url: str) -> int:
    database = Database(url, 1)
    row = database.fetch_one(TABLES)
    database.close()
    return row[0] if row else -1


def test_empty_database_goes_up_down_and_up_again(empty_database_url: str) -> None:
    migrations = Migrations(empty_database_url)
    assert migrations.current() is None and not migrations.is_current()
    migrations.upgrade()
    assert migrations.is_current() and count_tables(empty_database_url) > 7
    migrations.downgrade("base")
    assert migrations.current() is None and count_tables(empty_database_url) == 0
    migrations.upgrade()
    assert migrations.is_current()


def test_upgrade_of_a_current_schema_changes_nothing(database_url: str) -> None:
    Migrations(database_url).upgrade()
    assert Migrations(database_url).is_current()


def test_filled_database_goes_down_and_up(database: Database) -> None:
    database.execute(
        "INSERT INTO cronzimus.job_versions VALUES ('a', 1, '{}', 'create', 'me', clock_timestamp())"
    )
    database.close()
    migrations = Migrations(database.url)
    migrations.downgrade("base")
    migrations.upgrade()
    assert migrations.is_current()


def test_history_names_every_step(empty_database_url: str) -> None:
    migrations = Migrations(empty_database_url)
    assert [step.applied for step in migrations.history()] == [False] * len(migrations.history())
    migrations.upgrade()
    steps = migrations.history()
    assert steps[0].id == "0001" and steps[0].down is None and "ledger" in steps[0].description
    assert all(step.applied for step in steps) and steps[-1].id == migrations.head


def test_newer_schema_is_refused_naming_both(database: Database) -> None:
    change_by_a_later_version(database)
    with pytest.raises(ConfigError, match="9999") as caught:
        Migrations(database.url).upgrade()
    assert caught.value.code == "SCHEMA_TOO_NEW" and Migrations(database.url).head in caught.value.message
    with pytest.raises(ConfigError):
        Migrations(database.url).downgrade()


@pytest.mark.parametrize(("serves", "works"), [("0012", True), ("9998", False)])
def test_newer_schema_may_serve_older_code(database: Database, serves: str, works: bool) -> None:
    """During a rolling update, and after a rollback of the code, an old process starts beside the new schema."""
    change_by_a_later_version(database, serves=serves)
    migrations = Migrations(database.url)
    for use in (migrations.upgrade, migrations.is_ready, partial(migrations.ensure, may_change=False)):
        if works:
            use()
        else:
            with pytest.raises(ConfigError, match="9999"):
                use()
    assert migrations.current() == "9999"


def test_schema_that_somebody_else_has_changed_serves_nobody(database: Database) -> None:
    """What is said of the schema was said of another revision."""
    database.execute("UPDATE cronzimus.alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigError, match="9999"):
        Migrations(database.url).is_ready()


def test_what_is_said_of_the_schema_follows_its_revision(database: Database) -> None:
    database.execute("UPDATE cronzimus.schema_serves SET revision = '0011'")
    Migrations(database.url).upgrade()
    assert database.fetch_one("SELECT revision, serves FROM cronzimus.schema_serves") == (HEAD, "0012")


def test_table_in_use_is_waited_for_without_holding_up_others(database: Database) -> None:
    """Whoever waits for a lock holds up all who come later; the change gives way, and is made when it can be."""
    migrations = Migrations(database.url)
    migrations.downgrade("0009")
    entered, leave = threading.Event(), threading.Event()

    def read_for_a_while() -> None:
        with database.transaction() as tx:
            tx.execute("SELECT FROM cronzimus.runs")
            entered.set()
            leave.wait(30)

    with ThreadPoolExecutor(2) as threads:
        threads.submit(read_for_a_while)
        assert entered.wait(10)
        with pytest.raises(DatabaseUnavailable, match="long transaction"):
            Migrations(database.url, lock_timeout=0.5).upgrade()
        database.execute("SELECT FROM cronzimus.runs")
        change = threads.submit(migrations.upgrade)
        leave.set()
        change.result(30)
    assert migrations.is_current()


def test_database_that_is_away_is_unavailable() -> None:
    with pytest.raises(DatabaseUnavailable):
        Migrations("postgresql://postgres@127.0.0.1:1/none").current()


def test_eight_processes_start_on_an_empty_database(empty_database_url: str) -> None:
    code = "import sys; from cronzimus.common.migrate import Migrations; Migrations(sys.argv[1]).upgrade()"
    processes = [
        subprocess.Popen([sys.executable, "-c", code, empty_database_url], stderr=subprocess.PIPE)
        for _ in range(8)
    ]
    outcomes = [(process.communicate(timeout=100)[1], process.returncode) for process in processes]
    assert [code for _, code in outcomes] == [0] * 8, outcomes
    assert Migrations(empty_database_url).is_current()


def test_lock_that_is_never_free_is_given_up(empty_database_url: str) -> None:
    with Database(empty_database_url, 1).transaction() as tx:
        tx.execute(queries("cronzimus.common", "session.sql")["try_migration_lock"])
        with pytest.raises(DatabaseUnavailable, match="another process is changing it"):
            Migrations(empty_database_url, lock_timeout=0.2).upgrade()


def test_every_revision_has_a_way_back() -> None:
    folder = Path(__file__).parents[2] / "cronzimus" / "migrations" / "versions"
    for revision in folder.glob("*.py"):
        assert "def downgrade" in revision.read_text(encoding="utf-8")
