"""Whether this replica can do its work, told from pulses: asking never waits for anything."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cronzimus.services.leadership import Leadership

# The election speaks to the database every half second to a second; silence beyond this is an outage.
PULSE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Readiness:
    """`components` names each part and how it stands."""

    status: str
    ready: bool
    components: dict[str, str]


class ReadinessReport:
    """Looks at clocks that the loops leave behind."""

    def __init__(
        self,
        leadership: Leadership,
        *,
        schema_ready: Callable[[], bool],
        scheduler_alive: Callable[[], bool],
        worker_alive: Callable[[], bool],
        draining: Callable[[], bool],
        desk: Callable[[], Mapping[str, str]],
        scheduler_enabled: bool,
    ) -> None:
        """`desk` tells how the dispatcher and the queue to the workers stand; nobody is turned away for that."""
        self._leadership = leadership
        self._schema_ready = schema_ready
        self._scheduler_alive = scheduler_alive
        self._worker_alive = worker_alive
        self._draining = draining
        self._desk = desk
        self._scheduler_enabled = scheduler_enabled

    def report(self) -> Readiness:
        """The state of each part, and whether traffic should come here."""
        components = {
            "database": self._database(),
            "schema": "ready" if self._schema_ready() else "waiting",
            "scheduler": self._scheduler(),
            **self._desk(),
            "workers": "alive" if self._worker_alive() else "stopped",
        }
        ready = (
            components["database"] == "up"
            and components["schema"] == "ready"
            and components["scheduler"] != "stopped"
            and components["workers"] == "alive"
            and not self._draining()
        )
        if self._draining():
            return Readiness("draining", False, components)
        return Readiness("ok" if ready else "unavailable", ready, components)

    def _database(self) -> str:
        seen = self._leadership.last_contact
        return "up" if seen is not None and time.monotonic() - seen < PULSE_SECONDS else "down"

    def _scheduler(self) -> str:
        if not self._scheduler_enabled:
            return "off"
        if not self._scheduler_alive():
            return "stopped"
        return "leader" if self._leadership.term is not None else "standby"
