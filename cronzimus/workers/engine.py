"""The contract of whatever carries run ids from the dispatcher to the workers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Delivery:
    """Runs for one worker: one when little goes on, many under load."""

    worker_id: str
    run_ids: tuple[UUID, ...]


class EngineState(StrEnum):
    """Whether deliveries get through at this moment, as far as the engine knows."""

    UP = "up"
    DOWN = "down"


Take = Callable[[Sequence[UUID]], None]


class Engine(Protocol):
    """Carries run ids and nothing else; the ledger decides.

    A doubled delivery is harmless, because a run is claimed by compare-and-set; a lost or late one too, because the
    dispatcher gives a run nobody claimed to somebody else, and a claim asks for whom the run is. So a delivery counts
    as done as soon as it was taken in, and an outage of the engine loses nothing but time.
    """

    name: str
    transactional: bool
    """Whether `send` writes into our own database, in the transaction it is given."""

    def send(self, deliveries: Sequence[Delivery], connection: Any = None) -> None:
        """Put deliveries on their way; raises EngineUnavailable when that cannot be done now.

        A transactional engine is called inside of the transaction that dispatches, on whose `connection`
        everything happens; any other once that has committed, without one.
        """
        ...

    def receive(self, worker_id: str, take: Take) -> None:
        """From now on hand the ids of every delivery for that worker to `take`, which returns at once.

        Returns at once too: what carries the deliveries starts, and starts again after an outage, in the background.
        """
        ...

    def report(self, worker_id: str, run_ids: Sequence[UUID]) -> None:
        """Tell the dispatcher that runs have left a worker, so that it need not wait to look; a hint, never raises."""
        ...

    def listen(self, wake: Callable[[], None]) -> None:
        """From now on call `wake`, which returns at once, when somebody reports; in the background as `receive`."""
        ...

    @property
    def state(self) -> EngineState:
        """How it stands, without asking anybody."""
        ...

    def close(self) -> None:
        """End everything in the background; closing twice is a no-op."""
        ...
