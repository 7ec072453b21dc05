"""What is limited and who takes of it: pure book-keeping for one round of the dispatcher."""

from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cronzimus.models.hold import MUTEX, POOL, QUEUE, RATE, SLOTS, Hold
from cronzimus.models.job import JobDefinition
from cronzimus.models.limit_keys import key_of, values_for_keys

EVERYBODY: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class QueueState:
    """How a queue stands, and since when."""

    status: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Pool:
    """How many slots a pool has, and how many of them are taken."""

    slots: int
    taken: int = 0


@dataclass(frozen=True, slots=True)
class RateWish:
    """At most `limit` starts with this key in any stretch of `seconds`."""

    key: str
    limit: int
    seconds: float

    @property
    def held_by(self) -> str:
        """What waits for this rate is held by; others with the same key and another limit wait for themselves."""
        return str(Hold(RATE, self.key, self.limit, self.seconds))


@dataclass(frozen=True, slots=True)
class Wish:
    """What one candidate run takes of what is limited."""

    queue: str
    queued_at: datetime
    mutex: str | None = None
    pool: str | None = None
    slots: int = 1
    rate: RateWish | None = None


class Usage:
    """What is taken now, then what this round gives away. Not thread-safe: it lives as long as the round.

    Candidates are to be asked for in the order of their rank. Who wants more slots than are free keeps those that are
    free from all that come later, else small runs would for ever overtake a large one.
    """

    def __init__(
        self,
        *,
        queues: Mapping[str, QueueState],
        mutexes: Iterable[str] = (),
        pools: Mapping[str, Pool] | None = None,
        rates: Mapping[str, Sequence[datetime]] | None = None,
        now: datetime | None = None,
    ) -> None:
        """`rates` are the starts of each key that still count for anybody; `now` is the database's."""
        self._now = now or datetime.now(UTC)
        self._queues = queues
        self._mutexes = set(mutexes)
        self._sizes = {name: pool.slots for name, pool in (pools or {}).items()}
        self._taken = {name: pool.taken for name, pool in (pools or {}).items()}
        self._starts = {key: sorted(starts) for key, starts in (rates or {}).items()}
        self._spoken_for: set[str] = set()

    def refusal(self, wish: Wish) -> str | None:
        """What the run is held by; None when it may start."""
        if self._is_halted(wish):
            return f"{QUEUE}:{wish.queue}"
        if wish.mutex is not None and wish.mutex in self._mutexes:
            return f"{MUTEX}:{wish.mutex}"
        if wish.pool is not None and (refused := self._refused_by_pool(wish.pool, wish.slots)):
            return refused
        if wish.rate is not None and self._left(wish.rate) <= 0:
            return wish.rate.held_by
        return None

    def take(self, wish: Wish) -> None:
        """The run starts: from now on others find less."""
        if wish.mutex is not None:
            self._mutexes.add(wish.mutex)
        if wish.pool is not None:
            self._taken[wish.pool] = self._taken.get(wish.pool, 0) + wish.slots
        if wish.rate is not None:
            insort(self._starts.setdefault(wish.rate.key, []), self._now)

    def free_of(self, held_by: str) -> int:
        """How many of the runs held by this could be let go now, in the order of their rank; 0 when none.

        Of a queue that is being drained none: those that may still start were let go when the drain began. What waits
        for a worker or another job is not ours to judge, and gets 0 as well.
        """
        hold = Hold.read(held_by)
        if hold.kind == QUEUE:
            return 0 if _status(self._queues.get(hold.name)) != "active" else EVERYBODY
        if hold.kind == MUTEX:
            return int(hold.name not in self._mutexes)
        if hold.kind == POOL:
            return 0 if hold.name in self._spoken_for else self._free_slots(hold.name)
        if hold.kind == SLOTS:
            return self._free_slots(hold.name) if (hold.amount or 0) <= self._sizes.get(hold.name, 0) else 0
        if hold.kind == RATE:
            return max(0, self._left(RateWish(hold.name, hold.amount or 0, hold.seconds or 0)))
        return 0

    def not_before(self, rate: RateWish) -> datetime | None:
        """When the rate has room again, if it has none now."""
        starts = self._starts.get(rate.key, [])
        if self._left(rate) > 0:
            return None
        return starts[-rate.limit] + timedelta(seconds=rate.seconds)

    def _is_halted(self, wish: Wish) -> bool:
        state = self._queues.get(wish.queue)
        if state is None or state.status == "active":
            return False
        return state.status == "paused" or wish.queued_at > state.changed_at

    def _refused_by_pool(self, name: str, slots: int) -> str | None:
        if slots > self._sizes.get(name, 0):
            return str(Hold(SLOTS, name, slots))
        if name not in self._spoken_for and slots <= self._free_slots(name):
            return None
        self._spoken_for.add(name)
        return f"{POOL}:{name}"

    def _free_slots(self, name: str) -> int:
        return max(0, self._sizes.get(name, 0) - self._taken.get(name, 0))

    def _left(self, rate: RateWish) -> int:
        starts = self._starts.get(rate.key, [])
        return rate.limit - (len(starts) - bisect_right(starts, self._now - timedelta(seconds=rate.seconds)))


def wish_of(
    definition: JobDefinition, given: Mapping[str, Any] | None, queue: str, queued_at: datetime
) -> Wish:
    """What a run of the job takes, its keys made of the values it runs with."""
    limits = definition.limits
    values = values_for_keys(definition, given) if limits.any else {}
    mutex = None if limits.mutex is None else key_of(limits.mutex, values)
    rate = limits.rate
    if rate is None:
        return Wish(queue, queued_at, mutex, limits.pool, limits.slots)
    key = own_rate(definition.id) if rate.key is None else key_of(rate.key, values)
    wanted = RateWish(key, rate.limit, rate.seconds)
    return Wish(queue, queued_at, mutex, limits.pool, limits.slots, wanted)


def own_rate(job_id: str) -> str:
    """The key of a rate that names none: the job's own, which no other shares by accident."""
    return f"job:{job_id}"


def takes_of(wish: Wish) -> dict[str, Any] | None:
    """What the run's row says it takes until its end; a rate takes nothing that could be given back."""
    takes: dict[str, Any] = {} if wish.mutex is None else {"mutex": wish.mutex}
    if wish.pool is not None:
        takes |= {"pool": wish.pool, "slots": wish.slots}
    return takes or None


def _status(state: QueueState | None) -> str:
    return "active" if state is None else state.status
