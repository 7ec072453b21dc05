"""The engine of one process, and the line every worker has: run ids wait in memory until it has room."""

import heapq
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from cronzimus.models.run import Offer
from cronzimus.workers.engine import Delivery, EngineState, Take

# Its rank, its number among those of the same rank, and the run: what a line is in the order of.
_Place = tuple[float, int, UUID]
_SECONDS_OF_A_POINT = 60.0


class InlineEngine:
    """What other engines bring is offered to it; alone, it carries deliveries to the workers of its own process.

    Thread-safe. An id is known from its offer until `forget`; offering a known id again changes nothing,
    unless it brings the id's moment forward. Who waits is in the order of its rank: the moment from which it could be
    had, earlier by a minute for each point of priority. A rank never changes, so whatever waits long enough comes
    first. The runs of backfills wait in a lane of their own, behind the others.
    A gated offer is not taken in: those are the dispatcher's, which delivers them.
    """

    name = "inline"
    transactional = False
    state = EngineState.UP

    def __init__(self, on_offer: Callable[[], None] | None = None) -> None:
        self._on_offer = on_offer
        self._lock = threading.Lock()
        self._ready: list[_Place] = []
        self._ready_of_backfills: list[_Place] = []
        self._of_backfills: set[UUID] = set()
        self._later: list[tuple[float, UUID]] = []
        self._moments: dict[UUID, float] = {}
        self._known: dict[UUID, _Place] = {}
        self._count = 0
        self._receivers: dict[str, Take] = {}
        self._wake: Callable[[], None] = lambda: None

    def send(self, deliveries: Sequence[Delivery], connection: object = None) -> None:
        """Hand over to the workers of this process; what is for another is lost, as nobody could carry it there."""
        for delivery in deliveries:
            take = self._receivers.get(delivery.worker_id)
            if take is not None:
                take(delivery.run_ids)

    def receive(self, worker_id: str, take: Take) -> None:
        """Hand deliveries for that worker to `take`."""
        self._receivers[worker_id] = take

    def report(self, worker_id: str, run_ids: Sequence[UUID]) -> None:
        """Wake the dispatcher."""
        self._wake()

    def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake` at every report."""
        self._wake = wake

    def close(self) -> None:
        """Nothing runs in the background."""
        self._receivers.clear()

    def subscribe(self, on_offer: Callable[[], None]) -> None:
        """Call `on_offer` after every offer that brought something; it must return at once."""
        self._on_offer = on_offer

    def offer(self, offers: Sequence[Offer], /) -> None:
        """Take in the ids that are new, each to be had at its moment."""
        with self._lock:
            now = time.monotonic()
            fresh = [self._admit(offer, now) for offer in offers if not offer.gated]
        if any(fresh) and self._on_offer is not None:
            self._on_offer()

    @property
    def waiting(self) -> int:
        """Ids whose moment has come and that nobody has taken yet; those of backfills wait for ever if need be."""
        return len(self._ready)

    def take(self, limit: int, of_backfills: int | None = None) -> list[UUID]:
        """At most `limit` ids whose moment has come, by rank, at most `of_backfills` of them from their lane.

        They stay known until `forget`.
        """
        with self._lock:
            self._promote()
            taken = _first(self._ready, limit)
            left = limit - len(taken)
            behind = self._ready_of_backfills
            return taken + _first(behind, left if of_backfills is None else min(left, of_backfills))

    def put_back(self, run_ids: Iterable[UUID]) -> None:
        """Return ids that were taken and could not be claimed now; each keeps its place, if it is known."""
        with self._lock:
            for run_id in run_ids:
                self._line_up(self._known.setdefault(run_id, (time.monotonic(), 0, run_id)))

    def forget(self, run_id: UUID) -> None:
        """Nobody here holds the run any more: a later offer of it counts again."""
        with self._lock:
            self._known.pop(run_id, None)
            self._of_backfills.discard(run_id)

    def next_in(self, *, of_backfills: bool = True) -> float | None:
        """Seconds until `take` has something to give, in the lane of backfills too or not; None when nothing waits."""
        with self._lock:
            if self._ready or (of_backfills and self._ready_of_backfills):
                return 0.0
            return max(0.0, self._later[0][0] - time.monotonic()) if self._later else None

    def _admit(self, offer: Offer, now: float) -> bool:
        due = _monotonic(offer.not_before)
        if offer.run_id in self._known and not self._brings_forward(offer.run_id, due):
            return False
        if offer.backfill:
            self._of_backfills.add(offer.run_id)
        self._count += 1
        rank = (now if due is None else due) - offer.priority * _SECONDS_OF_A_POINT
        place = self._known[offer.run_id] = (rank, self._count, offer.run_id)
        if due is None:
            self._line_up(place)
        else:
            self._moments[offer.run_id] = due
            heapq.heappush(self._later, (due, offer.run_id))
        return True

    def _brings_forward(self, run_id: UUID, due: float | None) -> bool:
        moment = self._moments.get(run_id)
        if moment is None or (due is not None and due >= moment):
            return False
        del self._moments[run_id]
        return True

    def _promote(self) -> None:
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            due, run_id = heapq.heappop(self._later)
            if self._moments.get(run_id) == due:  # else it was brought forward and this entry is stale
                del self._moments[run_id]
                self._line_up(self._known[run_id])

    def _line_up(self, place: _Place) -> None:
        lane = self._ready_of_backfills if place[2] in self._of_backfills else self._ready
        heapq.heappush(lane, place)


def _first(line: list[_Place], limit: int) -> list[UUID]:
    return [heapq.heappop(line)[2] for _ in range(min(limit, len(line)))]


def _monotonic(moment: datetime | None) -> float | None:
    """The moment on this process's monotonic clock, None when it has come."""
    if moment is None:
        return None
    wait = (moment - datetime.now(UTC)).total_seconds()
    return time.monotonic() + wait if wait > 0 else None
