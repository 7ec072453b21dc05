"""Schema revisions by alembic, safe to start in any number of processes at once."""

import time
from collections.abc import Callable, Iterator
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
_LOCK_NOT_AVAILABLE = "55P03"
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

        A newer schema that still serves this code stays as it is. Raises ConfigError when it does not.
        """

        def go_up(connection: Connection) -> None:
            """Unless somebody was there first."""
            if not self._is_newer(connection):
                command.upgrade(self._config(connection), to)

        self._change(go_up)

    def downgrade(self, to: str = "-1") -> None:
        """Take the schema back; `base` removes everything. Raises ConfigError where this code does not know how."""

        def go_down(connection: Connection) -> None:
            """Only from where the way is known."""
            if self._is_newer(connection):
                raise self._too_new(_revision_of(connection))
            command.downgrade(self._config(connection), to)

        self._change(go_down)

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

    def is_ready(self) -> bool:
        """Whether this code can work with the schema as it is; raises ConfigError when it is too new for it."""
        with self._connection() as connection:
            return self._is_newer(connection) or _revision_of(connection) == self.head

    def is_current(self) -> bool:
        """Whether the schema is exactly the one of this code."""
        return self.current() == self.head

    def ensure(self, *, may_change: bool) -> None:
        """Bring the schema up where that is allowed; raises ConfigError SCHEMA_OUTDATED where it is not."""
        if may_change:
            self.upgrade()
        elif not self.is_ready():
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

    def _change(self, step: Callable[[Connection], None]) -> None:
        """Do a step in one transaction that holds the migration lock.

        1. The lock is polled, not waited for: a waiter inside `pg_advisory_lock` would hold a snapshot and
           deadlock with `CREATE INDEX CONCURRENTLY`. It ends with the transaction, so a pooler may sit between.
        2. A table in use is waited for only as long as `lock_timeout` of the session says, as everybody who comes
           later waits behind us. Then everything is rolled back and tried again.
        """
        deadline = time.monotonic() + self._lock_timeout
        with self._connection() as connection:
            while not (_try_lock(connection) and _done(step, connection)):
                connection.rollback()
                if time.monotonic() > deadline:
                    raise DatabaseUnavailable(
                        f"the schema could not be changed for {self._lock_timeout:g} s: another process is changing "
                        "it, or a long transaction uses its tables"
                    )
                time.sleep(_POLL_SECONDS)
            connection.commit()

    def _config(self, connection: Connection | None) -> Config:
        config = Config(attributes={"connection": connection})
        # A percent sign would be read as the beginning of a variable.
        config.set_main_option("script_location", str(files("cronzimus.migrations")).replace("%", "%%"))
        return config

    def _is_newer(self, connection: Connection) -> bool:
        """Whether the schema is newer than this code and still serves it. Raises ConfigError when it does not."""
        current = _revision_of(connection)
        if current is None or current in {script.revision for script in self._scripts.walk_revisions()}:
            return False
        serves = _serves(connection)
        if serves is None or serves > self.head:
            raise self._too_new(current)
        return True

    def _too_new(self, current: str | None) -> ConfigError:
        return ConfigError(
            f"the database is at schema revision {current}, this version of Cronzimus knows {self.head} at most; "
            "install the newer version",
            code="SCHEMA_TOO_NEW",
        )


def _done(step: Callable[[Connection], None], connection: Connection) -> bool:
    """Whether a step was done, and not kept from it by somebody who uses a table."""
    try:
        step(connection)
        if _knows_whom_it_serves(connection):
            connection.execute(text(_SQL["keep_in_step"]))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        return False
    return True


def _revision_of(connection: Connection) -> str | None:
    return MigrationContext.configure(
        connection, opts={"version_table_schema": SCHEMA}
    ).get_current_revision()


def _serves(connection: Connection) -> str | None:
    """The oldest revision whose code can work with the schema; None where nobody has said so of this schema."""
    if not _knows_whom_it_serves(connection):
        return None
    found = connection.execute(text(_SQL["schema_serves"])).scalar_one_or_none()
    return None if found is None else str(found)


def _knows_whom_it_serves(connection: Connection) -> bool:
    return bool(connection.execute(text(_SQL["knows_whom_it_serves"])).scalar())


def _try_lock(connection: Connection) -> bool:
    return bool(connection.execute(text(_SQL["try_migration_lock"])).scalar())


def _single(revision: object) -> str | None:
    return revision if isinstance(revision, str) else None
