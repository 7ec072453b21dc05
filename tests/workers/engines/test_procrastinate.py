"""What only the engine on PostgreSQL does; the rest stands in test_contract.py."""

from collections.abc import Iterator
from typing import Any

import pytest

from cronzimus.common.db import Database
from cronzimus.errors import EngineUnavailable
from cronzimus.workers.engine import Delivery, EngineState
from cronzimus.workers.engines.procrastinate import ProcrastinateEngine
from tests.heart import until
from tests.workers.engines.carriers import Inbox, ids

COUNT = "SELECT count(*) FROM cronzimus_deliveries.procrastinate_jobs"


@pytest.fixture
def database(empty_database_url: str) -> Iterator[Database]:
    pool = Database(empty_database_url, 3)
    yield pool
    pool.close()


@pytest.fixture
def engine(empty_database_url: str) -> Iterator[ProcrastinateEngine]:
    engine = ProcrastinateEngine(empty_database_url)
    yield engine
    engine.close()


class Counted:
    """A connection that counts what is executed on it."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.statements = 0

    def execute(self, *arguments: Any) -> Any:
        self.statements += 1
        return self._connection.execute(*arguments)


def test_a_round_is_one_statement(engine: ProcrastinateEngine, database: Database) -> None:
    with database.transaction() as connection:
        counted = Counted(connection)
        engine.send([Delivery(f"w{n}", ids(10)) for n in range(100)], counted)
    assert counted.statements == 1
    assert database.fetch_one(COUNT) == (100,)


def test_caller_keeps_its_search_path(engine: ProcrastinateEngine, database: Database) -> None:
    with database.transaction() as connection:
        connection.execute("SET LOCAL search_path = pg_catalog")
        engine.send([Delivery("w", ids(1))], connection)
        assert connection.execute("SHOW search_path").fetchone() == ("pg_catalog",)
    assert database.fetch_one(COUNT) == (1,)


def test_what_was_taken_in_leaves_nothing_behind(engine: ProcrastinateEngine, database: Database) -> None:
    inbox = Inbox()
    engine.receive("w", inbox.take)
    engine.send([Delivery("w", ids(2)) for _ in range(20)])
    until(lambda: len(inbox.deliveries) == 20)
    until(lambda: database.fetch_one(COUNT) == (0,))
    assert database.fetch_one("SELECT count(*) FROM cronzimus_deliveries.procrastinate_events") == (0,)


def test_few_connections_are_used_and_all_are_given_back(
    engine: ProcrastinateEngine, database: Database
) -> None:
    inbox = Inbox()
    engine.receive("w", inbox.take)
    for _ in range(20):
        engine.send([Delivery("w", ids(1))])
    until(lambda: len(inbox.deliveries) == 20)
    mine = """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name IN ('cronzimus:deliver', 'cronzimus:receive')
        """
    (count,) = database.fetch_one(mine) or ()
    assert 1 <= count <= 4
    engine.close()
    until(lambda: database.fetch_one(mine) == (0,))
    registered = "SELECT count(*) FROM cronzimus_deliveries.procrastinate_workers"
    assert database.fetch_one(registered) == (0,)


def test_tables_dropped_meanwhile_come_back(engine: ProcrastinateEngine, database: Database) -> None:
    engine.send([Delivery("w", ids(1))])
    database.execute("DROP SCHEMA cronzimus_deliveries CASCADE")
    with pytest.raises(EngineUnavailable):
        engine.send([Delivery("w", ids(1))])
    assert engine.state is EngineState.DOWN
    engine.send([Delivery("w", ids(1))])
    assert engine.state is EngineState.UP
    assert database.fetch_one(COUNT) == (1,)


def test_report_is_a_notification_the_house_hears(engine: ProcrastinateEngine, database: Database) -> None:
    with database.connection() as connection:
        connection.execute("LISTEN cronzimus_dispatch")
        engine.report("web-1", ids(1))
        (heard,) = connection.notifies(timeout=5, stop_after=1)
    assert (heard.channel, heard.payload) == ("cronzimus_dispatch", "web-1")


def test_house_listens_already(engine: ProcrastinateEngine, database: Database) -> None:
    engine.listen(lambda: None)
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'cronzimus:listen'"
    assert database.fetch_one(sessions + " AND datname = current_database()") == (0,)
