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


@pytest.mark.parametrize(("file", "name"), STATEMENTS)
def test_statement_planned_for_empty_tables_suits_large_ones(database_url: str, file: str, name: str) -> None:
    database = Database(database_url, 1, by_key=True)
    statement = numbered(queries("cronzimus.services.sql", file)[name])
    plan = "\n".join(line for (line,) in database.fetch_all(f"EXPLAIN (GENERIC_PLAN, COSTS off) {statement}"))
    database.close()
    scans = [line for line in re.findall("Seq Scan on (.*)", plan) if not line.startswith("leaders")]
    assert scans == [], plan
    # The term is one row: joining it in any way is free.
    assert plan.count("Nested Loop") <= plan.count("CTE Scan on term"), plan
