"""Schema revisions by alembic, safe to start in any number of processes at once."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from cronzimus.common.db import BoundedConnection, open_session
from cronzimus.common.sql import queries
from cronzimus.errors import ConfigError, DatabaseUnavailable

SCHEMA = "cronzimus"
_SQL = queries("cronzimus.common", "session.sql")
_POLL_SECONDS = 0.1
_STATEMENT_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Revision:
    """One step of the schema."""

    id: str
    down: str | None
    description: str
    applied: bool


class Migrations:
    """The verbs of `cronzimus db` on one database."""

    def __init__(self, url: str, *, lock_timeout: float = 60.0) -> None:
        self._url = url
        self._lock_timeout = lock_timeout
        self._scripts = ScriptDirectory(str(files("cronzimus.migrations")))

    @property
    def head(self) -> str:
        """The newest revision this code knows."""
        return self._scripts.get_current_head() or ""

    def current(self) -> str | None:
        """The revision the database is at, None when empty. Raises DatabaseUnavailable."""
        with self._connection() as connection:
            return _revision_of(connection)

    def upgrade(self, to: str = "head") -> None:
        """Bring the schema up; the first process to come does it, the others wait for the lock.

        Raises ConfigError when the database is newer than this code.
        """
        with self._locked() as connection:
            self._refuse_a_newer_schema(_revision_of(connection))
            command.upgrade(self._config(connection), to)

    def downgrade(self, to: str = "-1") -> None:
        """Take the schema back; `base` removes everything."""
        with self._locked() as connection:
            self._refuse_a_newer_schema(_revision_of(connection))
            command.downgrade(self._config(connection), to)

    def history(self) -> tuple[Revision, ...]:
        """Every revision, oldest first."""
        current = self.current()
        applied = (
            {script.revision for script in self._scripts.iterate_revisions(current, "base")}
            if current
            else set()
        )
        steps = reversed(list(self._scripts.walk_revisions()))
        return tuple(
            Revision(step.revision, _single(step.down_revision), step.doc.strip(), step.revision in applied)
            for step in steps
        )

    def is_current(self) -> bool:
        """Whether nothing is to be done."""
        return self.current() == self.head

    def is_ready(self) -> bool:
        """Whether this code can work with the schema as it is; raises ConfigError when it is newer."""
        current = self.current()
        self._refuse_a_newer_schema(current)
        return current == self.head

    def ensure(self, *, may_change: bool) -> None:
        """Bring the schema up where that is allowed; raises ConfigError SCHEMA_OUTDATED where it is not."""
        if may_change:
            self.upgrade()
        elif not self.is_current():
            raise ConfigError(
                f"the schema is at revision {self.current() or 'none'}, this version needs {self.head}: "
                "run `cronzimus db upgrade` or set database.auto_migrate",
                code="SCHEMA_OUTDATED",
            )

    def new_revision(self, description: str) -> Path:
        """Write an empty revision file for a developer to fill; its path."""
        number = f"{int(self.head or '0') + 1:04d}"
        scripts = command.revision(self._config(None), message=description, rev_id=number)
        (script,) = scripts if isinstance(scripts, list) else [scripts]
        if script is None:
            raise ConfigError(f"no revision file was written for {description!r}")
        return Path(script.path)

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        engine = create_engine("postgresql+psycopg://", creator=self._open, poolclass=NullPool)
        try:
            with engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise DatabaseUnavailable(f"the database does not answer: {str(error.orig).strip()}") from error
        except CommandError as error:
            raise ConfigError(str(error)) from error

    def _open(self) -> BoundedConnection:
        session = open_session(self._url, "cronzimus:migrate", statement_timeout=_STATEMENT_SECONDS)
        session.autocommit = False
        return session

    @contextmanager
    def _locked(self) -> Iterator[Connection]:
        """A transaction that holds the migration lock.

        The lock is polled, not waited for: a waiter inside `pg_advisory_lock` would hold a snapshot and
        deadlock with `CREATE INDEX CONCURRENTLY`. It ends with the transaction, so a pooler may sit between.
        """
        deadline = time.monotonic() + self._lock_timeout
        with self._connection() as connection:
            while not _try_lock(connection):
                connection.rollback()
                if time.monotonic() > deadline:
                    raise DatabaseUnavailable("another process has been migrating the schema for too long")
                time.sleep(_POLL_SECONDS)
            yield connection
            connection.commit()

    def _config(self, connection: Connection | None) -> Config:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(files("cronzimus.migrations")))
        return config

    def _refuse_a_newer_schema(self, current: str | None) -> None:
        known = {script.revision for script in self._scripts.walk_revisions()}
        if current is not None and current not in known:
            raise ConfigError(
                f"the database is at schema revision {current}, this version of Cronzimus knows {self.head} at most; "
                "install the newer version",
                code="SCHEMA_TOO_NEW",
            )


def _revision_of(connection: Connection) -> str | None:
    return MigrationContext.configure(
        connection, opts={"version_table_schema": SCHEMA}
    ).get_current_revision()


def _try_lock(connection: Connection) -> bool:
    return bool(connection.execute(text(_SQL["try_migration_lock"])).scalar())


def _single(revision: object) -> str | None:
    return revision if isinstance(revision, str) else None
