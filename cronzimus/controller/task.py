"""The sample task function: copy it, register it in `jobs/__init__.py` or over REST, test it the same way."""

from cronzimus.common.db import Database
from cronzimus.common.logger import get_logger
from cronzimus.common.sql import queries

_SQL = queries("cronzimus.controller", "queries.sql")
_LOG = get_logger(__name__)


def task(db: Database | None) -> bool:
    """Say hello to the database; True when it answered, False when there is none.

    A function that declares `db` gets the pooled Database when it runs, one that declares `run` the facts of
    its run (`cronzimus.workers.context.RunContext`). What it returns is stored as the result, what it raises
    as the error.
    """
    if db is None:
        _LOG.warning("The sample task was called without a database")
        return False
    db.fetch_one(_SQL["hello"])
    _LOG.info("The sample task ran, the database answered")
    return True
