"""The one door to PostgreSQL: a bounded pool whose every answer comes, or fails, in bounded time."""

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, LiteralString, TypeVar, cast, overload

import psycopg
from psycopg import Connection, Cursor
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import args_row
from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool, PoolClosed
from psycopg_pool import PoolTimeout as DriverPoolTimeout

from cronzimus.common.guards import GUARD, session_guards
from cronzimus.common.masking import mask_dsn
from cronzimus.common.sql import queries
from cronzimus.common.telemetry import statement_span
from cronzimus.errors import ConfigError, CronzimusError, DatabaseUnavailable

Row = TypeVar("Row")
Params = dict[str, Any] | Sequence[Any] | None
Tuple = tuple[Any, ...]

_SQL = queries("cronzimus.common", "session.sql")
_NOBODY = "cronzimus:idle"

SCHEMES = ("postgresql://", "postgres://")

# A dead peer is noticed in 8 s at the most: keepalives for idle sessions, tcp_user_timeout for busy ones.
_TCP = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 8000,
}
# A prepared statement keeps the plan it was given while its tables were small. Scanned whole, or joined row by
# row, a batch of a thousand then takes seconds; by index and hash it costs the same whatever was believed. What is
# ruled out counts as so dear that the server would compile the statement at every execution.
_BY_KEY = {"enable_seqscan": "off", "enable_nestloop": "off"}
_CONNECT_SECONDS = 2
_TRY_AGAIN = (psycopg.OperationalError, psycopg.InterfaceError)


class PoolTimeout(DatabaseUnavailable, DriverPoolTimeout):
    """Every connection stayed in use, or none could be made, for as long as a caller may wait."""


class Refused(CronzimusError):
    """The database refused a row; `constraint` is the name of the rule that did."""

    code = "CONSTRAINT"

    def __init__(self, message: str, constraint: str) -> None:
        super().__init__(message)
        self.constraint = constraint


class TracedCursor(Cursor[Any]):
    """A cursor whose statements are spans, when something traced runs them."""

    def execute(self, query: Any, *args: Any, **options: Any) -> Any:
        """As the driver does it."""
        with statement_span(query):
            return super().execute(query, *args, **options)


class BoundedConnection(Connection[Tuple]):
    """A connection that gives up on a server which does not answer at all (stopped, cut off)."""

    answer_within: float | None = None

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for the server, at most `answer_within` seconds a step, then drop the connection."""
        if timeout is not None or self.answer_within is None:
            return super().wait(gen, interval=interval, timeout=timeout)
        try:
            return super().wait(gen, interval=interval, timeout=self.answer_within)
        except psycopg.errors._WaitTimeout:
            self.pgconn.finish()
            raise psycopg.OperationalError(
                f"the server did not answer within {self.answer_within:g} s"
            ) from None


class Database:
    """A pool of connections, bounded, opened at first use in each process; every duration is in seconds.

    Statements outside a transaction commit by themselves. Calls inside `with db.transaction()` of the
    same thread join that transaction. Driver errors that another try may cure are `DatabaseUnavailable`.
    """

    def __init__(
        self,
        url: str,
        max_connections: int = 10,
        *,
        min_connections: int = 0,
        timeout: float = 4.0,
        statement_timeout: float | None = 4.0,
        application_name: str = "cronzimus",
        max_lifetime: float = 1800.0,
        by_key: bool = False,
    ) -> None:
        """`by_key` is for statements that name their rows by key: see `_BY_KEY`."""
        if not url.startswith(SCHEMES):
            raise ConfigError(
                f"database.url: unknown scheme in {mask_dsn(url)!r}; supported: {', '.join(SCHEMES)}"
            )
        if not 0 <= min_connections <= max_connections or max_connections < 1:
            raise ConfigError(
                "database.max_connections must be at least 1 and not below database.min_connections"
            )
        self.url = url
        self.max_connections = max_connections
        self._min_connections = min_connections
        self._timeout = timeout
        self._statement_timeout = statement_timeout
        self._application_name = application_name
        self._max_lifetime = max_lifetime
        self._more_guards = _BY_KEY if by_key else {}
        self._local = threading.local()
        self._opening = threading.Lock()
        self._pool: ConnectionPool[BoundedConnection] | None = None
        self._pool_pid = 0
        self._closed = False

    @contextmanager
    def connection(self) -> Iterator[Connection[Tuple]]:
        """A connection of the pool, or the one of the transaction this thread is in."""
        ambient = getattr(self._local, "connection", None)
        if ambient is not None:
            yield ambient
            return
        with driver_errors_translated(), self._pooled() as connection:
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[Connection[Tuple]]:
        """Commit at the end, roll back on an exception; inside another transaction, a savepoint."""
        with self.connection() as connection:
            outermost = getattr(self._local, "connection", None) is None
            committed: list[Callable[[], None]] = []
            if outermost:
                self._local.connection, self._local.committed = connection, committed
            try:
                with connection.transaction():
                    yield connection
            finally:
                if outermost:
                    self._local.connection = self._local.committed = None
        for action in committed:
            action()

    def after_commit(self, action: Callable[[], None]) -> None:
        """Do something once the transaction this thread is in has committed; at once where there is none."""
        waiting: list[Callable[[], None]] | None = getattr(self._local, "committed", None)
        action() if waiting is None else waiting.append(action)

    def execute(self, sql: str, params: Params = None) -> int:
        """Run one statement; the number of rows it touched."""
        with self.connection() as connection:
            return connection.execute(_trusted(sql), params).rowcount

    @overload
    def fetch_all(self, sql: str, params: Params = None) -> list[Tuple]: ...
    @overload
    def fetch_all(self, sql: str, params: Params = None, *, row: type[Row]) -> list[Row]: ...
    def fetch_all(self, sql: str, params: Params = None, *, row: type[Any] | None = None) -> list[Any]:
        """Every row of one statement, as tuples or as instances of `row` built by position."""
        with self.connection() as connection, connection.cursor() as cursor:
            if row is not None:
                cursor.row_factory = cast(Any, args_row(row))
            return cursor.execute(_trusted(sql), params).fetchall()

    @overload
    def fetch_one(self, sql: str, params: Params = None) -> Tuple | None: ...
    @overload
    def fetch_one(self, sql: str, params: Params = None, *, row: type[Row]) -> Row | None: ...
    def fetch_one(self, sql: str, params: Params = None, *, row: type[Any] | None = None) -> Any:
        """The first row of one statement, or None."""
        with self.connection() as connection, connection.cursor() as cursor:
            if row is not None:
                cursor.row_factory = cast(Any, args_row(row))
            return cursor.execute(_trusted(sql), params).fetchone()

    def scoped(self, application_name: str) -> "ScopedDatabase":
        """A view for one run: the same pool, its sessions named so that they can be found and cancelled."""
        return ScopedDatabase(self, application_name)

    def cancel_backends(self, application_name: str, *, terminate: bool = False) -> int:
        """Cancel what every session of that name is doing (or end the session); how many there were."""
        sql = _SQL["terminate_sessions" if terminate else "cancel_sessions"]
        return len(self.fetch_all(sql, {"name": application_name}))

    def pool_stats(self) -> dict[str, int]:
        """Connections made and idle, callers waiting."""
        stats = self._pool.get_stats() if self._pool else {}
        size, idle = stats.get("pool_size", 0), stats.get("pool_available", 0)
        return {"size": size, "in_use": size - idle, "waiting": stats.get("requests_waiting", 0)}

    def close(self) -> None:
        """Close every connection; later calls fail at once."""
        self._closed = True
        if self._pool is not None and self._pool_pid == os.getpid():
            self._pool.close(timeout=2)

    @contextmanager
    def _pooled(self) -> Iterator[BoundedConnection]:
        with self._opened_pool().connection() as connection:
            yield connection

    def _opened_pool(self) -> ConnectionPool[BoundedConnection]:
        if self._closed:
            raise DatabaseUnavailable("the database was closed")
        if self._pool is not None and self._pool_pid == os.getpid():
            return self._pool
        with self._opening:
            # A pool opened before a fork would share its sockets with the parent: each process makes its own.
            if self._pool is None or self._pool_pid != os.getpid():
                self._pool, self._pool_pid = self._new_pool(), os.getpid()
            return self._pool

    def _new_pool(self) -> ConnectionPool[BoundedConnection]:
        return ConnectionPool(
            session_conninfo(self.url, self._application_name),
            connection_class=BoundedConnection,
            kwargs={"autocommit": True},
            min_size=self._min_connections,
            max_size=self.max_connections,
            timeout=self._timeout,
            reconnect_timeout=2,
            max_lifetime=self._max_lifetime,
            max_idle=300,
            check=ConnectionPool.check_connection,
            configure=self._configure,
            open=True,
        )

    def _configure(self, connection: BoundedConnection) -> None:
        _guard(connection, self.url, self._statement_timeout, self._more_guards)
        connection.cursor_factory = TracedCursor


class ScopedDatabase(Database):
    """A `Database` whose sessions carry one run's name while it uses them; driver errors stay as they are."""

    def __init__(self, parent: Database, application_name: str) -> None:
        self.url = parent.url
        self.max_connections = parent.max_connections
        self._parent = parent
        self._application_name = application_name
        self._local = threading.local()

    def scoped(self, application_name: str) -> "ScopedDatabase":
        """A view of the same pool under another name."""
        return self._parent.scoped(application_name)

    @contextmanager
    def connection(self) -> Iterator[Connection[Tuple]]:
        """A connection of the pool, named for the run until it is given back."""
        ambient = getattr(self._local, "connection", None)
        if ambient is not None:
            yield ambient
            return
        with self._parent._pooled() as connection:
            connection.execute(_SQL["name_session"], {"name": self._application_name})
            try:
                yield connection
            finally:
                _forget_run(connection)

    def pool_stats(self) -> dict[str, int]:
        """The statistics of the pool behind this view."""
        return self._parent.pool_stats()

    def close(self) -> None:
        """Nothing: the pool belongs to the house, not to the run."""


def open_session(
    url: str, application_name: str, *, statement_timeout: float | None = 4.0
) -> BoundedConnection:
    """One connection outside any pool, for a loop that owns it. Raises DatabaseUnavailable."""
    with driver_errors_translated(), ExitStack() as opened:
        connection = BoundedConnection.connect(session_conninfo(url, application_name), autocommit=True)
        _guard(opened.enter_context(connection), url, statement_timeout, {})
        opened.pop_all()
    return connection


def session_conninfo(url: str, application_name: str) -> str:
    """The connection string of every session: a name to be found by, and a dead peer noticed."""
    ours: dict[str, Any] = {"connect_timeout": _CONNECT_SECONDS, **_TCP, **conninfo_to_dict(url)}
    return make_conninfo(**{**ours, "application_name": application_name})


def _guard(connection: BoundedConnection, url: str, timeout: float | None, more: Mapping[str, str]) -> None:
    guards = session_guards(timeout, more, given=str(conninfo_to_dict(url).get("options")))
    connection.answer_within = _CONNECT_SECONDS
    connection.execute(_trusted(GUARD), [Jsonb(guards)])
    connection.answer_within = None if timeout is None else timeout + 0.5


def as_json(value: Any) -> Jsonb | None:
    """A JSON parameter, None staying SQL NULL."""
    return None if value is None else Jsonb(value)


def _trusted(sql: str) -> LiteralString:
    return sql


def _forget_run(connection: Connection[Tuple]) -> None:
    with suppress(psycopg.Error):
        if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            connection.rollback()
        connection.execute(_SQL["name_session"], {"name": _NOBODY})


@contextmanager
def driver_errors_translated() -> Iterator[None]:
    """What the driver raises, as an error of ours."""
    try:
        yield
    except DriverPoolTimeout as error:
        raise PoolTimeout(f"no database connection became free: {error}") from error
    except PoolClosed as error:
        raise DatabaseUnavailable("the database was closed") from error
    except psycopg.IntegrityError as error:
        raise Refused(str(error), error.diag.constraint_name or "") from error
    except _TRY_AGAIN as error:
        raise DatabaseUnavailable(f"the database does not answer: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
