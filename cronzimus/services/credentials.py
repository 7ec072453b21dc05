"""Who a presented secret stands for: asked of the database, remembered for two seconds, forgotten at once."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from cronzimus.common.arrays import array
from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.models.access import RANK, Holder, Role
from cronzimus.settings import Scope
from cronzimus.utils.tokens import digest, is_token

_SQL = queries("cronzimus.services.sql", "access.sql")
ACCESS_CHANNEL: Final = "cronzimus_access"
REMEMBERED_SECONDS: Final = 2.0
_MOST_REMEMBERED: Final = 10_000
_WRITTEN_EVERY_SECONDS: Final = 60.0

_Rows = Callable[[Any], Holder]


class Credentials:
    """Looks secrets up. All but `forget` may raise DatabaseUnavailable.

    Revocation holds at once: it is notified within its transaction, and every process that hears of it forgets
    whom it knew, also what a look-up that began before is about to remember. A process that hears nothing for
    now believes what it knows for two seconds at the most.
    """

    def __init__(self, database: Database, *, session_lasts: timedelta) -> None:
        self._database = database
        self._session_lasts = session_lasts
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], tuple[float, Holder]] = {}
        self._generation = 0
        self._used: dict[tuple[str, str], None] = {}
        self._written: dict[tuple[str, str], float] = {}

    def token(self, secret: str) -> Holder | None:
        """Who presents an API token; None when it is unknown, expired or revoked."""
        return self._holder("token", secret, _of_token) if is_token(secret) else None

    def session(self, secret: str) -> Holder | None:
        """Who presents the cookie of a session; None when it has ended or its person may not come in."""
        return self._holder("session", secret, _of_session)

    def forget(self, about: str = "") -> None:
        """Believe nothing any more that was looked up before; handles notifications."""
        with self._lock:
            self._generation += 1
            self._known.clear()

    def write_uses(self) -> None:
        """Write down which tokens and sessions were used, each once a minute; off the path of requests."""
        with self._lock:
            used, self._used = tuple(self._used), {}
        tokens = [key for kind, key in used if kind == "token"]
        sessions = [key for kind, key in used if kind == "session"]
        if tokens:
            self._database.execute(_SQL["tokens_were_used"], {"ids": array(map(UUID, tokens))})
        if sessions:
            given = {"ids": array(sessions), "lasts": self._session_lasts}
            self._database.execute(_SQL["sessions_were_used"], given)

    def _holder(self, kind: str, secret: str, holder_of: _Rows) -> Holder | None:
        sha256 = digest(secret)
        with self._lock:
            generation = self._generation
            until, known = self._known.get((kind, sha256), (0.0, None))
        if known is None or time.monotonic() >= until:
            known = self._look_up(kind, sha256, holder_of, generation)
        if known is not None:
            self._note_use((kind, known.key))
        return known

    def _look_up(self, kind: str, sha256: str, holder_of: _Rows, generation: int) -> Holder | None:
        asked = time.monotonic()
        row = self._database.fetch_one(_SQL[kind], {"sha256": sha256})
        if row is None:
            return None
        holder = holder_of(row)
        lasts = min(REMEMBERED_SECONDS, holder.seconds_left or REMEMBERED_SECONDS)
        with self._lock:
            if generation == self._generation:
                if len(self._known) >= _MOST_REMEMBERED:
                    self._known.clear()
                self._known[kind, sha256] = (asked + lasts, holder)
        return holder

    def _note_use(self, key: tuple[str, str]) -> None:
        now = time.monotonic()
        with self._lock:
            if now - self._written.get(key, -_WRITTEN_EVERY_SECONDS) < _WRITTEN_EVERY_SECONDS:
                return
            if len(self._written) >= _MOST_REMEMBERED:
                self._written.clear()
            self._written[key] = now
            self._used[key] = None


def _of_token(row: tuple[Any, ...]) -> Holder:
    key, name, scopes, seconds_left = row
    scope: Scope = max(scopes, key=RANK.__getitem__)
    return Holder(key, name, scope, None, seconds_left)


def _of_session(row: tuple[Any, ...]) -> Holder:
    key, name, role, seconds_left = row
    return Holder(key, name, Role(role).scope, Role(role), seconds_left)
