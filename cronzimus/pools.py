"""The connections of one process, divided so that nobody waits behind somebody else's work."""

from cronzimus.common.db import Database
from cronzimus.settings import DatabaseSettings

_FOREVER_SECONDS = 10 * 365 * 86_400.0
_ELECTION_SECONDS = 2.0


class Pools:
    """Every pool opens at its first use; in all a process uses at most the sum of their sizes."""

    def __init__(self, url: str, own: DatabaseSettings) -> None:
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
        # The wake-up.
        self.firing = Database(
            url,
            1,
            timeout=patience,
            statement_timeout=limit,
            application_name="cronzimus:firing",
            by_key=True,
        )
        # Claims, reports and heartbeats.
        self.ledger = Database(
            url,
            2,
            timeout=patience,
            statement_timeout=limit,
            application_name="cronzimus:ledger",
            by_key=True,
        )

    def close(self) -> None:
        """Close them all; later calls fail at once."""
        for database in (self.service, self.tasks, self.leader, self.firing, self.ledger):
            database.close()
