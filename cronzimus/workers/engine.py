"""The contract of whatever carries run ids to the place where they execute."""

from collections.abc import Sequence
from typing import Protocol

from cronzimus.models.run import Offer


class Engine(Protocol):
    """Carries run ids and nothing else.

    A doubled offer is harmless, because a run is claimed by compare-and-set; a lost one too, because the
    upkeep offers again what nobody claimed.
    """

    def offer(self, offers: Sequence[Offer], /) -> None:
        """Hand over runs somebody should claim; returns at once, from any thread."""
        ...
