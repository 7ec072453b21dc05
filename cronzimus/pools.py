"""The connections of one process, divided so that nobody waits behind somebody else's work."""

from pathlib import Path
from typing import Any, Self

from cronzimus.common.db import Database
from cronzimus.common.embedded import EmbeddedPostgres
from cronzimus.settings import DatabaseSettings

_FOREVER_SECONDS = 10 * 365 * 86_400.0
_ELECTION_SECONDS = 2.0


class Server:
    """The PostgreSQL the settings name, else an embedded one that is ours to look after."""

    def __init__(self, own: DatabaseSettings) -> None:
        self._embedded: EmbeddedPostgres | None = None
        if own.url is not None:
            self.url = own.url.get_secret_value()
        else:
            self._embedded = EmbeddedPostgres(Path(own.data_dir))
            self.url = self._embedded.start()

    def revive(self) -> None:
        """Start ours again when it is gone: nobody else does."""
        if self._embedded is not None:
            self._embedded.ensure_running()

    def release(self) -> None:
        """We need it no more; the last of its users stops it."""
        if self._embedded is not None:
            self._embedded.release()


class Pools:
    """Every pool opens at its first use; in all a process uses at most the sum of their sizes."""

    @classmethod
    def of(cls, own: DatabaseSettings, url: str | None = None) -> Self:
        """Those of the URL given, else of the server that the settings name or that is ours to look after."""
        if url is not None:
            return cls(url, own)
        server = Server(own)
        return cls(server.url, own, server)

    def __init__(self, url: str, own: DatabaseSettings, server: Server | None = None) -> None:
        self.url, self._server = url, server
        patience, limit = own.connection_timeout_seconds, own.statement_timeout_seconds
        # What answers requests.
        self.service = Database(
            url,
            own.max_connections,
            min_connections=own.min_connections,
            timeout=patience,
            statement_timeout=limit,
        )
        # What task functions get; their statements may take as long as their policy lets them.
        self.tasks = Database(
            url, own.task_connections, statement_timeout=None, application_name="cronzimus:idle"
        )
        # The election: a session that was rotated would look like the leader's death to the others.
        self.leader = Database(
            url,
            1,
            timeout=_ELECTION_SECONDS,
            statement_timeout=_ELECTION_SECONDS,
            application_name="cronzimus:leader",
            max_lifetime=_FOREVER_SECONDS,
        )
        bounds: dict[str, Any] = {"timeout": patience, "statement_timeout": limit}
        # The wake-up.
        self.firing = Database(url, 1, application_name="cronzimus:firing", by_key=True, **bounds)
        # Claims, reports and heartbeats.
        self.ledger = Database(url, 2, application_name="cronzimus:ledger", by_key=True, **bounds)
        # What runs say: however much it is, claims and reports do not wait behind it.
        self.logs = Database(url, 1, application_name="cronzimus:logs", **bounds)

    def named(self) -> dict[str, Database]:
        """Every pool by its name."""
        return {
            "service": self.service,
            "tasks": self.tasks,
            "leader": self.leader,
            "firing": self.firing,
            "ledger": self.ledger,
            "logs": self.logs,
        }

    def close(self) -> None:
        """Close them all; later calls fail at once. A server of ours is let go."""
        for database in self.named().values():
            database.close()
        server, self._server = self._server, None
        if server is not None:
            server.release()

    def revive(self) -> None:
        """Nothing answers: start the server again where it is ours."""
        if self._server is not None:
            self._server.revive()
