from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from procrastinate.schema import SchemaManager

from cronzimus.common.db import Database
from cronzimus.errors import DatabaseUnavailable
from cronzimus.workers.engines.procrastinate_schema import DeliverySchema

TABLE = "cronzimus_deliveries.procrastinate_jobs"


@pytest.fixture
def database(empty_database_url: str) -> Iterator[Database]:
    pool = Database(empty_database_url, 2)
    yield pool
    pool.close()


def schema(database: Database, release: str = "3.10.0") -> DeliverySchema:
    return DeliverySchema(database.url, release, SchemaManager.get_schema())


def marked(database: Database) -> bool:
    """Whether the tables are those that `mark` has marked."""
    return database.fetch_one("SELECT obj_description(%s::regclass)", [TABLE]) == ("marked",)


def mark(database: Database) -> None:
    database.execute(f"COMMENT ON TABLE {TABLE} IS 'marked'")


def test_tables_are_made_in_a_schema_of_their_own(database: Database) -> None:
    schema(database).ensure()
    homes = database.fetch_all(
        "SELECT DISTINCT schemaname FROM pg_tables WHERE tablename LIKE 'procrastinate%%' OR schemaname = 'public'",
        [],
    )
    assert homes == [("cronzimus_deliveries",)]


def test_functions_find_their_tables_from_anywhere(database: Database) -> None:
    schema(database).ensure()
    unsure = database.fetch_all("""
        SELECT proname FROM pg_proc
        WHERE pronamespace = 'cronzimus_deliveries'::regnamespace
          AND NOT proconfig @> ARRAY['search_path=cronzimus_deliveries, pg_temp']
        """)
    assert unsure == []
    assert database.fetch_one("SELECT count(*) > 10 FROM pg_proc WHERE proname LIKE 'procrastinate%'") == (
        True,
    )


def test_tables_of_the_same_release_are_kept(database: Database) -> None:
    schema(database).ensure()
    mark(database)
    schema(database).ensure()
    assert marked(database)


def test_tables_of_another_release_are_replaced(database: Database) -> None:
    schema(database, "3.9.0").ensure()
    mark(database)
    schema(database, "3.10.0").ensure()
    assert not marked(database)
    comment = "SELECT obj_description('cronzimus_deliveries'::regnamespace)"
    assert database.fetch_one(comment) == ("3.10.0",)


def test_older_release_does_not_take_them_back(database: Database) -> None:
    older = schema(database, "3.9.0")
    older.ensure()
    schema(database, "3.10.0").ensure()
    mark(database)
    older.doubt()
    older.ensure()
    assert marked(database)


def test_dropped_tables_are_made_again_when_in_doubt(database: Database) -> None:
    made = schema(database)
    made.ensure()
    database.execute("DROP SCHEMA cronzimus_deliveries CASCADE")
    made.ensure()
    assert database.fetch_one("SELECT to_regclass(%s)", [TABLE]) == (None,)
    made.doubt()
    made.ensure()
    assert database.fetch_one("SELECT to_regclass(%s) IS NOT NULL", [TABLE]) == (True,)


def test_many_may_make_them_at_once(database: Database) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: schema(database).ensure(), range(6)))
    assert database.fetch_one("SELECT to_regclass(%s) IS NOT NULL", [TABLE]) == (True,)


def test_prune_forgets_what_nobody_came_for(database: Database) -> None:
    made = schema(database)
    made.ensure()
    put = f"INSERT INTO {TABLE} (queue_name, task_name) VALUES (%s, 'a') RETURNING id"
    (old,) = database.fetch_one(put, ["old"]) or ()
    database.execute(put, ["new"])
    age = (
        "UPDATE cronzimus_deliveries.procrastinate_events SET at = at - interval '2 hours' WHERE job_id = %s"
    )
    database.execute(age, [old])
    assert made.prune(timedelta(hours=1)) == 1
    assert database.fetch_all(f"SELECT queue_name FROM {TABLE}") == [("new",)]


def test_server_that_is_not_there_is_told() -> None:
    away = DeliverySchema("postgresql://postgres@127.0.0.1:1/d", "3.10.0", "")
    with pytest.raises(DatabaseUnavailable):
        away.ensure()
