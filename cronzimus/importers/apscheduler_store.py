"""Reading the rows of APScheduler's SQLAlchemy store; nothing is written, and no pickle is opened."""

import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote

from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.errors import CronzimusError, Invalid
from cronzimus.importers.apscheduler import Entry

_SQL: Final = queries("cronzimus.importers", "apscheduler.sql")
_POSTGRES: Final = re.compile(r"^postgres(ql)?(\+\w+)?://")
_SQLITE: Final = re.compile(r"^sqlite(\+\w+)?:///")


def read_store(place: str) -> list[Entry]:
    """The rows of `apscheduler_jobs` at a URL as SQLAlchemy writes it, or in an SQLite file. Raises Invalid."""
    if _POSTGRES.match(place):
        return _of_postgres(_POSTGRES.sub("postgresql://", place))
    if _SQLITE.match(place):
        return _of_sqlite(Path(unquote(_SQLITE.sub("", place).partition("?")[0])))
    if "://" in place:
        scheme = place.partition("://")[0]
        raise Invalid(f"a store behind {scheme!r} cannot be read here; PostgreSQL and SQLite can")
    return _of_sqlite(Path(place))


def _of_postgres(url: str) -> list[Entry]:
    database = Database(url, max_connections=1, application_name="cronzimus import")
    try:
        return _entries(database.fetch_all(_SQL["entries"]))
    except CronzimusError:
        raise
    except Exception as error:
        raise Invalid(f"the store cannot be read: {str(error).splitlines()[0]}") from None
    finally:
        database.close()


def _of_sqlite(path: Path) -> list[Entry]:
    if not path.is_file():
        raise Invalid(f"{path}: there is no such file")
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)) as connection:
            return _entries(connection.execute(_SQL["entries"]).fetchall())
    except sqlite3.Error as error:
        raise Invalid(f"{path}: the store cannot be read: {error}") from None


def _entries(rows: Iterable[tuple[Any, ...]]) -> list[Entry]:
    return [Entry(str(job_id), due, bytes(state)) for job_id, due, state in rows]
