"""Processes of one house on one database, each a life that the test lets beat."""

from typing import Any
from uuid import UUID

from cronzimus.common.db import Database
from cronzimus.models.event import Event
from cronzimus.models.worker import Presence, Takes, WorkerRole
from cronzimus.services.presence import Life
from cronzimus.services.processes import Processes

# No process of this machine has it: beyond the largest number that Linux gives.
NOBODY = 2**22 + 1
RUN = UUID(int=9)


class Crew:
    """Makes lives, and remembers what they announce."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.heard: list[Event] = []
        self.drained: list[str] = []
        self.displaced: list[str] = []
        self.processes = Processes(database, self.heard.append)

    def life(self, name: str, boot: int = 1, **more: Any) -> Life:
        """A life that has not arrived."""
        facts: dict[str, Any] = {
            "id": name,
            "boot_id": UUID(int=boot),
            "replica": name,
            "host": "h",
            "pid": boot,
            "roles": (WorkerRole.SCHEDULER, WorkerRole.WORKER),
            "capacity": 4,
            "version": "1",
            "takes": (Takes.WORKERS,),
            "kinds": ("shell", "http"),
            "labels": {"zone": "eu"},
        }
        return Life(
            self.database,
            Presence(**{**facts, **more}),
            running=lambda: [RUN] * boot,
            announce=self.heard.append,
            on_drain=lambda: self.drained.append(f"{name}/{boot}"),
            on_displaced=lambda: self.displaced.append(f"{name}/{boot}"),
        )

    def come(self, name: str, boot: int = 1, **more: Any) -> Life:
        """A life that is there."""
        life = self.life(name, boot, **more)
        life.step()
        return life

    def silence(self, seconds: int) -> None:
        """Let everybody have been silent for so long."""
        self.database.execute(
            f"UPDATE cronzimus.workers SET heartbeat_at = heartbeat_at - interval '{seconds} s'"
        )

    def states(self) -> dict[str, str]:
        """How each life stands."""
        return {f"{one.id}/{one.boot_id.int}": one.status for one in self.processes.list().items}

    def told(self) -> list[tuple[str, str | None]]:
        """What was announced since the last time."""
        found, self.heard[:] = [(event.id, event.state) for event in self.heard], []
        return found
