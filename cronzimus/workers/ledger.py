"""What a worker needs of the services: the ledger's side of an attempt, and the definitions."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from cronzimus.models.job import JobDefinition
from cronzimus.models.run import Ended, Exchange, Held, Renewal


class Claims(Protocol):
    """`services.claims.Claims`; every call may raise DatabaseUnavailable and may then be repeated."""

    def exchange(
        self, ended: Sequence[Ended], wanted: Sequence[UUID], *, worker_id: str, lease_seconds: float
    ) -> Exchange:
        """Report ended attempts and claim wanted runs, in one transaction."""
        ...

    def renew(self, held: Sequence[Held], *, worker_id: str, lease_seconds: float) -> Renewal:
        """Prolong leases; what was lost, and what is to be cancelled."""
        ...

    def release(self, held: Sequence[Held], *, worker_id: str) -> None:
        """Give back what was claimed and never started."""
        ...

    def hand_back(self, *, worker_id: str) -> Sequence[UUID]:
        """Give back what was dispatched to a worker and it has not claimed; which runs that were."""
        ...


class Definitions(Protocol):
    """`services.definitions.Definitions`."""

    def get(self, job_id: str, version: int) -> JobDefinition:
        """The definition; raises Invalid or NotFound when there is none to execute."""
        ...
