"""The engine of one process: run ids wait in memory until the worker beside them has room."""

import heapq
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from cronzimus.models.run import Offer


class InlineEngine:
    """Thread-safe. An id is known from its offer until `forget`; offering a known id again changes nothing,
    unless it brings the id's moment forward. The runs of backfills wait in a lane of their own, behind the others.
    """

    def __init__(self, on_offer: Callable[[], None] | None = None) -> None:
        self._on_offer = on_offer
        self._lock = threading.Lock()
        self._ready: deque[UUID] = deque()
        self._ready_of_backfills: deque[UUID] = deque()
        self._of_backfills: set[UUID] = set()
        self._later: list[tuple[float, UUID]] = []
        self._moments: dict[UUID, float] = {}
        self._known: set[UUID] = set()

    def subscribe(self, on_offer: Callable[[], None]) -> None:
        """Call `on_offer` after every offer that brought something; it must return at once."""
        self._on_offer = on_offer

    def offer(self, offers: Sequence[Offer], /) -> None:
        """Take in the ids that are new, each to be had at its moment."""
        with self._lock:
            fresh = [self._admit(offer) for offer in offers]
        if any(fresh) and self._on_offer is not None:
            self._on_offer()

    @property
    def waiting(self) -> int:
        """Ids whose moment has come and that nobody has taken yet; those of backfills wait for ever if need be."""
        return len(self._ready)

    def take(self, limit: int, of_backfills: int | None = None) -> list[UUID]:
        """At most `limit` ids whose moment has come, oldest first, at most `of_backfills` of them from their lane.

        They stay known until `forget`.
        """
        with self._lock:
            self._promote()
            taken = [self._ready.popleft() for _ in range(min(limit, len(self._ready)))]
            left = limit - len(taken)
            behind = self._ready_of_backfills
            left = min(left if of_backfills is None else min(left, of_backfills), len(behind))
            return taken + [behind.popleft() for _ in range(left)]

    def put_back(self, run_ids: Iterable[UUID]) -> None:
        """Return ids that were taken and could not be claimed now; they are the next to be taken."""
        with self._lock:
            for run_id in reversed(list(run_ids)):
                self._lane_of(run_id).appendleft(run_id)

    def forget(self, run_id: UUID) -> None:
        """Nobody here holds the run any more: a later offer of it counts again."""
        with self._lock:
            self._known.discard(run_id)
            self._of_backfills.discard(run_id)

    def next_in(self, *, of_backfills: bool = True) -> float | None:
        """Seconds until `take` has something to give, in the lane of backfills too or not; None when nothing waits."""
        with self._lock:
            if self._ready or (of_backfills and self._ready_of_backfills):
                return 0.0
            return max(0.0, self._later[0][0] - time.monotonic()) if self._later else None

    def _admit(self, offer: Offer) -> bool:
        due = _monotonic(offer.not_before)
        if offer.run_id in self._known:
            return self._bring_forward(offer.run_id, due)
        self._known.add(offer.run_id)
        if offer.backfill:
            self._of_backfills.add(offer.run_id)
        self._place(offer.run_id, due)
        return True

    def _bring_forward(self, run_id: UUID, due: float | None) -> bool:
        moment = self._moments.get(run_id)
        if moment is None or (due is not None and due >= moment):
            return False
        del self._moments[run_id]
        self._place(run_id, due)
        return True

    def _place(self, run_id: UUID, due: float | None) -> None:
        if due is None:
            self._lane_of(run_id).append(run_id)
            return
        self._moments[run_id] = due
        heapq.heappush(self._later, (due, run_id))

    def _promote(self) -> None:
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            due, run_id = heapq.heappop(self._later)
            if self._moments.get(run_id) == due:  # else it was brought forward and this entry is stale
                del self._moments[run_id]
                self._lane_of(run_id).append(run_id)

    def _lane_of(self, run_id: UUID) -> deque[UUID]:
        return self._ready_of_backfills if run_id in self._of_backfills else self._ready


def _monotonic(moment: datetime | None) -> float | None:
    """The moment on this process's monotonic clock, None when it has come."""
    if moment is None:
        return None
    wait = (moment - datetime.now(UTC)).total_seconds()
    return time.monotonic() + wait if wait > 0 else None
