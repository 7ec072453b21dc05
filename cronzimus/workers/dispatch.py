"""Which worker gets a run: pure functions of the run and of the workers that have room for it."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib import import_module
from typing import Protocol, Self
from uuid import UUID

from cronzimus.errors import ConfigError
from cronzimus.models.job import JobDefinition, RunsOn
from cronzimus.models.placement import Spread, Strategy
from cronzimus.utils.env import did_you_mean

HELD_BY_WORKERS = "worker:"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a run asks of the worker that gets it; equal wishes wait in one line."""

    runs_on: str
    kind: str
    queue: str
    labels: tuple[tuple[str, str], ...] = ()
    worker: str | None = None
    backfill: bool = False

    @classmethod
    def of(cls, definition: JobDefinition, queue: str, pinned_to: str | None, backfill: bool) -> Self:
        """The wishes of a run of this job."""
        placement = definition.placement
        labels = tuple(sorted(placement.labels.items()))
        return cls(
            definition.runs_on, definition.kind, queue, labels, pinned_to or placement.worker, backfill
        )

    @property
    def held_by(self) -> str:
        """What a run with these wishes waits for when no worker has room for it."""
        wishes = asdict(self) | {"labels": dict(self.labels)}
        return HELD_BY_WORKERS + json.dumps(wishes, separators=(",", ":"))

    @classmethod
    def read(cls, held_by: str) -> Self:
        """The wishes that `held_by` was made of."""
        wishes = json.loads(held_by.removeprefix(HELD_BY_WORKERS))
        return cls(**wishes | {"labels": tuple(sorted(wishes["labels"].items()))})


@dataclass(frozen=True, slots=True)
class Wanted:
    """A run that waits for a worker; `last_worker` is the one that last succeeded with its job."""

    run_id: UUID
    job_id: str
    wishes: Wishes
    strategy: Strategy | None = None
    last_worker: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A live worker as the dispatcher sees it; empty `queues` are all queues.

    `load` counts the runs that are out with it, `ahead` how many more than its capacity it may be given because it
    ends them faster than the next round comes. Who has the lowest `last_dispatch` waited longest for its turn.
    """

    id: str
    runs_on: str
    capacity: int
    load: int = 0
    backfills: int = 0
    ahead: int = 0
    last_dispatch: int = 0
    kinds: frozenset[str] = frozenset()
    queues: frozenset[str] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def room(self) -> int:
        """How many runs it may be given now."""
        return max(0, self.capacity + self.ahead - self.load)

    def may_take(self, wishes: Wishes) -> bool:
        """Whether it is a worker for such a run, with room or without."""
        return (
            self.runs_on == wishes.runs_on
            and wishes.kind in self.kinds
            and (not self.queues or wishes.queue in self.queues)
            and wishes.worker in (None, self.id)
            and all(self.labels.get(name) == value for name, value in wishes.labels)
        )


class DispatchStrategy(Protocol):
    """How one of several workers is chosen; your own is named by dotted path in `dispatcher.strategy`."""

    def choose(self, run: Wanted, workers: Sequence[Place]) -> Place:
        """One of the workers: all may take the run and have room, there is at least one. Must not wait."""
        ...


Choice = Callable[[Wanted, Sequence[Place]], Place]


def round_robin(run: Wanted, workers: Sequence[Place]) -> Place:
    """Whose last turn was longest ago."""
    return min(workers, key=lambda worker: (worker.last_dispatch, worker.id))


def load_based(run: Wanted, workers: Sequence[Place]) -> Place:
    """Who has the smallest share of its places taken; of several, by turns."""
    return min(workers, key=lambda w: (w.load / w.capacity, w.last_dispatch, w.id))


def task_type_affinity(run: Wanted, workers: Sequence[Place]) -> Place:
    """Who last succeeded with the job, as it may have warm what the job needs; else by load."""
    known = [worker for worker in workers if worker.id == run.last_worker]
    return known[0] if known else load_based(run, workers)


STRATEGIES: dict[Strategy, Choice] = {
    Strategy.ROUND_ROBIN: round_robin,
    Strategy.LOAD_BASED: load_based,
    Strategy.TASK_TYPE_AFFINITY: task_type_affinity,
}


class Board:
    """The workers during one round: whom each run goes to, and who has room left after that."""

    def __init__(self, places: Iterable[Place], default: Choice, *, backfill_share: float = 0.5) -> None:
        """Runs of backfills take at most `backfill_share` of a worker's places, but at least one."""
        self._places = {(place.runs_on, place.id): place for place in places}
        self._turn = max((place.last_dispatch for place in self._places.values()), default=0)
        self._default, self._backfill_share = default, backfill_share

    def room(self, runs_on: RunsOn) -> int:
        """How many runs could be given to workers, or to the pool beside the scheduler, if they had no wishes."""
        return sum(place.room for place in self._places.values() if place.runs_on == runs_on)

    def has(self, runs_on: RunsOn) -> bool:
        """Whether there is any worker, or a pool beside the scheduler, with room or without."""
        return any(place.runs_on == runs_on for place in self._places.values())

    @property
    def turns(self) -> dict[str, int]:
        """The last turn of every worker."""
        return {place.id: place.last_dispatch for place in self._places.values()}

    def those_for(self, wishes: Wishes) -> list[Place]:
        """The workers that may take such runs, with room or without."""
        return [place for place in self._places.values() if place.may_take(wishes)]

    def free_for(self, wishes: Wishes) -> int:
        """How many runs with these wishes could be given away now."""
        return sum(self._room_of(place, wishes) for place in self.those_for(wishes))

    def give(self, run: Wanted) -> str | None:
        """The worker that gets the run, which counts from here on; None when nobody has room."""
        able = [place for place in self.those_for(run.wishes) if self._room_of(place, run.wishes)]
        if not able:
            return None
        choice = self._default if run.strategy is None else STRATEGIES[run.strategy]
        chosen = choice(run, able)
        self._turn += 1
        self._places[(chosen.runs_on, chosen.id)] = replace(
            chosen,
            load=chosen.load + 1,
            backfills=chosen.backfills + run.wishes.backfill,
            last_dispatch=self._turn,
        )
        return chosen.id

    def _room_of(self, place: Place, wishes: Wishes) -> int:
        if not wishes.backfill:
            return place.room
        share = max(1, int(place.capacity * self._backfill_share))
        return max(0, min(place.room, share - place.backfills))


def parts_of(definition: JobDefinition, wishes: Wishes, board: Board) -> list[str | None]:
    """What one firing is cut into: for each part the only worker that may have it, None where any may."""
    placement = definition.placement
    if placement.spread is Spread.BROADCAST:
        return [place.id for place in sorted(board.those_for(wishes), key=lambda place: place.id)]
    return [None] * (placement.shards or 1)


def choice_of(strategy: str) -> Choice:
    """The strategy of that name, else the one at that dotted path (`package.module:Name`); raises ConfigError."""
    if strategy in set(Strategy):
        return STRATEGIES[Strategy(strategy)]
    module_name, colon, name = strategy.partition(":")
    if not colon:
        known = [str(own) for own in Strategy]
        raise ConfigError(
            f"dispatcher.strategy: unknown strategy {strategy!r}{did_you_mean(strategy, known)}; there are"
            f" {', '.join(known)}, or your own as package.module:Name"
        )
    try:
        found = getattr(import_module(module_name), name)
        made = found() if isinstance(found, type) else found
    except Exception as error:
        raise ConfigError(f"dispatcher.strategy: {strategy!r} cannot be loaded: {error}") from error
    choose: Choice | None = getattr(made, "choose", None)
    if not callable(choose):
        raise ConfigError(f"dispatcher.strategy: {strategy!r} has no method choose(run, workers)")
    return choose
