"""The tables of procrastinate: a schema of their own, made when first needed, thrown away when the release changes."""

from datetime import timedelta
from typing import LiteralString

from cronzimus.common.db import BoundedConnection, open_session
from cronzimus.common.logger import get_logger
from cronzimus.common.sql import queries

_SQL = queries("cronzimus.workers.engines", "procrastinate.sql")
_log = get_logger(__name__)


class DeliverySchema:
    """Deliveries are disposable, because the dispatcher sends again: so tables of another release are not migrated.

    They are replaced once in the life of a process. While two releases run beside each other the newcomer wins, and
    the other does not take them back: it only makes tables where there are none.
    """

    def __init__(self, url: str, release: str, statements: LiteralString) -> None:
        self._url = url
        self._release = release
        self._statements = statements
        self._compared = False
        self._made = False

    def ensure(self) -> None:
        """Make the tables where they are missing; asks the server only when in doubt."""
        if not self._made:
            with self._session() as session, session.transaction():
                self._make(session)
            self._made = self._compared = True

    def doubt(self) -> None:
        """Something failed: look again before the next use."""
        self._made = False

    def prune(self, age: timedelta) -> int:
        """Forget deliveries older than that; how many there were."""
        with self._session() as session:
            return session.execute(_SQL["prune"], {"age": age}).rowcount

    def _session(self) -> BoundedConnection:
        """Of its own, because a pool would wait for a server that refuses."""
        return open_session(self._url, "cronzimus:deliver")

    def _make(self, session: BoundedConnection) -> None:
        session.execute(_SQL["lock"])
        found = session.execute(_SQL["made_by"]).fetchone()
        if found is not None and (self._compared or found[0] == self._release):
            return
        if found is not None:
            _log.info("deliveries of procrastinate {} make way for those of {}", found[0], self._release)
        session.execute(_SQL["drop"])
        session.execute(_SQL["create"])
        session.execute(_SQL["enter"], {"for_transaction": True})
        session.execute(self._statements)
        session.execute(_SQL["sign"], {"release": self._release})
        session.execute(_SQL["finish"])
