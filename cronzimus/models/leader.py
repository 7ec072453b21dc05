"""Leadership as a term: a number that fences, and a deadline that is trusted locally."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """The right to fire until `trusted_until`, seconds on this process's monotonic clock."""

    holder: str
    epoch: int
    started: float
    trusted_until: float

    def is_trusted(self, monotonic_now: float) -> bool:
        """Whether this process may still believe that it leads."""
        return monotonic_now < self.trusted_until
