"""LISTEN as a hint: what it says is acted on at once, what it misses is found by the next poll."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import LiteralString

from cronzimus.common.db import BoundedConnection, open_session
from cronzimus.errors import DatabaseUnavailable

_LISTEN_SECONDS = 1.0

Handler = Callable[[str], None]


class Listener:
    """One session that listens; `step` is called for ever by a loop.

    `listen` is the SQL that names the channels, `handlers` says who hears which.
    """

    def __init__(self, url: str, listen: LiteralString, handlers: Mapping[str, Handler]) -> None:
        self._url = url
        self._listen = listen
        self._handlers = dict(handlers)
        self._session: BoundedConnection | None = None

    def step(self) -> float:
        """Hand out what came within a second; opens the session again when it was lost."""
        if self._session is None:
            self._session = self._open()
        try:
            for notification in self._session.notifies(timeout=_LISTEN_SECONDS):
                self._handlers[notification.channel](notification.payload)
        except Exception as error:
            self.close()
            raise DatabaseUnavailable(f"no notifications for now: {error}") from error
        return 0.0

    def close(self) -> None:
        """Leave the session."""
        session, self._session = self._session, None
        if session is not None:
            with suppress(Exception):
                session.close()

    def _open(self) -> BoundedConnection:
        session = open_session(self._url, "cronzimus:listen")
        session.execute(self._listen)
        return session
