"""The ledger's statements cost by the row, whatever the tables looked like when they were planned."""

import re

import pytest

from cronzimus.common.db import Database
from cronzimus.common.sql import queries

STATEMENTS = [
    ("firing.sql", "due"),
    ("firing.sql", "open_runs"),
    ("firing.sql", "next_wait"),
    ("firing.sql", "commit"),
    ("firing.sql", "replace_open_runs"),
    ("claims.sql", "claim"),
    ("claims.sql", "finish"),
    ("claims.sql", "waiting_behind"),
    ("claims.sql", "renew"),
    ("claims.sql", "release"),
    ("definitions.sql", "load"),
]


def numbered(statement: str) -> str:
    """The statement with `$1` for its first named parameter and so on, as the server prepares it."""
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", statement)))
    return re.sub(r"%\((\w+)\)s", lambda found: f"${names.index(found[1]) + 1}", statement).replace("%%", "%")


def generic_plan(database: Database, statement: str) -> str:
    """The plan a prepared statement is given before its parameters are known; every server version tells it."""
    count = len(set(re.findall(r"\$(\d+)", statement)))
    arguments = f"({', '.join(['NULL'] * count)})" if count else ""
    with database.transaction() as tx:
        tx.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        tx.execute(f"PREPARE told AS {statement}".encode())
        rows = tx.execute(f"EXPLAIN (COSTS off) EXECUTE told{arguments}".encode()).fetchall()
        tx.execute("DEALLOCATE told")
    return "\n".join(line for (line,) in rows)


@pytest.mark.parametrize(("file", "name"), STATEMENTS)
def test_statement_planned_for_empty_tables_suits_large_ones(database_url: str, file: str, name: str) -> None:
    database = Database(database_url, 1, by_key=True)
    statement = numbered(queries("cronzimus.services.sql", file)[name])
    plan = generic_plan(database, statement)
    database.close()
    scans = [line for line in re.findall("Seq Scan on (.*)", plan) if not line.startswith("leaders")]
    assert scans == [], plan
    # The term is one row: joining it in any way is free.
    assert plan.count("Nested Loop") <= plan.count("CTE Scan on term"), plan
