"""Whether the sessions an address gives are one's own: notifications, limits and names of sessions rest on it."""

from uuid import uuid4

from cronzimus.common.db import BoundedConnection, driver_errors_translated, open_session
from cronzimus.common.masking import mask_dsn
from cronzimus.common.sql import queries
from cronzimus.errors import ConfigError

_SQL = queries("cronzimus.common", "session.sql")
_NAME = "cronzimus:alone"
_ROUNDS = 3
_ANSWER_SECONDS = 4.0


def refuse_shared_sessions(url: str) -> None:
    """Raise ConfigError where sessions are shared, DatabaseUnavailable where nothing answers."""
    with driver_errors_translated(), _session(url) as first, _session(url) as second:
        shared = any(_shares(first, second) for _ in range(_ROUNDS))
    if shared:
        raise ConfigError(
            f"database.url: a transaction pooler answers at {mask_dsn(url)}; Cronzimus needs sessions of its own: "
            "name the database's own address, or a pool with pool_mode = session"
        )


def _session(url: str) -> BoundedConnection:
    """One without limits on the server's side: a pooler would hand them on to others."""
    session = open_session(url, _NAME, statement_timeout=None)
    session.answer_within = _ANSWER_SECONDS
    return session


def _shares(first: BoundedConnection, second: BoundedConnection) -> bool:
    """Whether two sessions were seen to have one server connection.

    1. The first is marked; a pooler has its server connection back then, and hands it out next.
    2. The second begins a transaction, for which the pooler must give it one.
    3. It bears the mark, or the first is given another one, without the mark.
    """
    mark = uuid4().hex
    first.execute(_SQL["begin_alone"], {"mark": mark})
    with second.transaction():
        if second.execute(_SQL["seen_alone"]).fetchone() == (mark,):
            return True
        return first.execute(_SQL["seen_alone"]).fetchone() != (mark,)
