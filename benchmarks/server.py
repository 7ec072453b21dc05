"""The PostgreSQL to measure on: the one of BENCH_DATABASE_URL, else an embedded one in a temporary directory."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from cronzimus.common.embedded import EmbeddedPostgres
from cronzimus.common.migrate import Migrations

_TELLING = ["server_version", "synchronous_commit", "fsync", "shared_buffers"]
VARIABLE = "BENCH_DATABASE_URL"


class Server:
    """Hands out fresh databases; every measurement gets its own, so that none inherits another's bloat."""

    def __init__(self, url: str) -> None:
        self.url = url

    @contextmanager
    def database(self, *, migrated: bool = True) -> Iterator[str]:
        """The URL of a new database, dropped at the end."""
        name = f"cz_bench_{uuid4().hex[:12]}"
        self._administer(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            url = self._url_of(name)
            if migrated:
                Migrations(url).upgrade()
            # What the last measurement left to write must not be paid for by the next.
            self._administer(sql.SQL("CHECKPOINT"))
            yield url
        finally:
            self._administer(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def about(self) -> str:
        """Version and the settings that decide what a commit costs."""
        with psycopg.connect(self.url) as connection:
            rows = connection.execute(
                "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [_TELLING]
            )
            return ", ".join(f"{name}={value}" for name, value in rows.fetchall())

    def _administer(self, statement: sql.Composable) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)

    def _url_of(self, name: str) -> str:
        parts = conninfo_to_dict(self.url)
        user, host = str(parts.get("user") or "postgres"), str(parts.get("host") or "127.0.0.1")
        secret = f":{quote(str(parts['password']), safe='')}" if parts.get("password") else ""
        login, place = f"{quote(user, safe='')}{secret}", quote(host, safe="")
        return f"postgresql://{login}@/{name}?host={place}&port={parts.get('port') or 5432}"


@contextmanager
def server() -> Iterator[Server]:
    """The server of this run."""
    given = os.environ.get(VARIABLE)
    if given:
        yield Server(given)
        return
    directory = Path(tempfile.mkdtemp(prefix="cronzimus-bench-"))
    embedded = EmbeddedPostgres(directory / "postgres")
    try:
        yield Server(embedded.start())
    finally:
        embedded.release()
        shutil.rmtree(directory, ignore_errors=True)
