"""The dispatcher's dealings with the ledger: what waits, what is out, whom it goes to, what holds it."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from cronzimus.common.arrays import array
from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.models.job import RunsOn
from cronzimus.models.kinds import Kind
from cronzimus.utils.ids import new_id
from cronzimus.workers.dispatch import Place
from cronzimus.workers.limits import Pool, QueueState, RateWish, Usage

_SQL = queries("cronzimus.workers", "dispatching.sql")
_BATCH = 1000
# However fast a worker is, it gets no more ahead than this many times its places.
_MOST_AHEAD = 8


@dataclass(frozen=True, slots=True)
class OwnPool:
    """The pool of this process, which takes the runs of jobs that run on the scheduler; 0 places: none.

    A worker that was `silent` for longer gets nothing more, until it is heard again.
    """

    worker_id: str
    capacity: int
    silent: timedelta = timedelta(seconds=9)


class Waiting(NamedTuple):
    """A run that waits for the dispatcher."""

    run_id: UUID
    job_id: str
    job_version: int
    queue: str
    queued_at: datetime
    cause: str
    params: dict[str, Any] | None
    pinned_to: str | None
    part: int | None


class Held(NamedTuple):
    """A run that cannot start now, and what it waits for."""

    run_id: UUID
    key: str


class Given(NamedTuple):
    """A run and the worker it goes to, with what it takes of what is limited."""

    run_id: UUID
    worker_id: str
    takes: Mapping[str, Any] | None = None
    rate: RateWish | None = None


class Dispatching:
    """Every method is one statement of the caller's transaction. All may raise DatabaseUnavailable."""

    def __init__(self, database: Database, own: OwnPool) -> None:
        self._database = database
        self._own = own
        self._now: datetime | None = None

    def lock(self) -> bool:
        """Whether nobody else dispatches, nor will until the transaction has ended."""
        has, self._now = self._database.fetch_one(_SQL["lock"]) or (False, None)
        return bool(has)

    def tell(self) -> None:
        """Wake every dispatcher once the transaction has ended."""
        self._database.execute(_SQL["tell"])

    def outstanding(self) -> dict[str, tuple[int, int]]:
        """How many runs are out with each worker, and how many of them are of backfills."""
        return {worker: (runs, back) for worker, runs, back in self._database.fetch_all(_SQL["outstanding"])}

    def places(self, out: Mapping[str, tuple[int, int]], ahead: Mapping[str, int]) -> list[Place]:
        """The live workers and the pool of this process."""
        own, nothing = self._own, (0, 0)
        found = [
            Place(
                worker,
                RunsOn.WORKERS,
                capacity,
                *out.get(worker, nothing),
                ahead=min(ahead.get(worker, 0), _MOST_AHEAD * capacity),
                last_dispatch=turn,
                kinds=frozenset(kinds),
                queues=frozenset(queues),
                labels=labels,
            )
            for worker, kinds, queues, labels, capacity, turn in self._database.fetch_all(
                _SQL["workers"], {"silence": own.silent}
            )
        ]
        if own.capacity:
            kinds = frozenset(Kind)
            found.append(
                Place(
                    own.worker_id,
                    RunsOn.SCHEDULER,
                    own.capacity,
                    *out.get(own.worker_id, nothing),
                    kinds=kinds,
                )
            )
        return found

    def usage(self) -> Usage:
        """What is taken of what is limited."""
        taken = [takes for (takes,) in self._database.fetch_all(_SQL["taken"])]
        slots, starts = Counter[str](), defaultdict(list)
        for takes in taken:
            if "pool" in takes:
                slots[takes["pool"]] += takes["slots"]
        for key, at in self._database.fetch_all(_SQL["starts"]):
            starts[key].append(at)
        return Usage(
            queues={name: QueueState(*state) for name, *state in self._database.fetch_all(_SQL["queues"])},
            mutexes=[takes["mutex"] for takes in taken if "mutex" in takes],
            pools={name: Pool(size, slots[name]) for name, size in self._database.fetch_all(_SQL["pools"])},
            rates=starts,
            now=self._now,
        )

    def held_keys(self, after: str, limit: int) -> list[str]:
        """What runs wait for, each once, in order, from behind a key on."""
        return [
            key for (key,) in self._database.fetch_all(_SQL["held_keys"], {"after": after, "limit": limit})
        ]

    def let_go(self, counts: Mapping[str, int]) -> int:
        """Let the first of those that wait for each of these be looked at again; how many."""
        params = {"keys": array(counts), "counts": array(counts.values())}
        return self._database.execute(_SQL["let_go"], params)

    def waiting(self, runs_on: RunsOn, limit: int) -> list[Waiting]:
        """What comes next for workers or for the pool beside the scheduler, by rank."""
        params = {"for_workers": runs_on is RunsOn.WORKERS, "limit": limit}
        return [Waiting(*row) for row in self._database.fetch_all(_SQL["waiting"], params)]

    def last_workers(self, job_ids: Iterable[str]) -> dict[str, str | None]:
        """Who last succeeded with each of these jobs."""
        return dict(self._database.fetch_all(_SQL["last_workers"], {"job_ids": array(set(job_ids))}))

    def cut(self, run_id: UUID, pins: Sequence[str | None]) -> None:
        """Make a run the first of as many as there are pins; the others stand beside it."""
        first, *others = pins
        params = {"id": run_id, "pinned_to": first, "others": array(others)}
        self._database.execute(_SQL["cut"], {**params, "ids": array(new_id() for _ in others)})

    def dispatch(self, given: Sequence[Given]) -> None:
        """Write whom each run goes to, and remember the starts of rates."""
        params = {
            "ids": array([one.run_id for one in given]),
            "workers": array([one.worker_id for one in given]),
            "takes": array([one.takes and json.dumps(one.takes) for one in given]),
        }
        self._database.execute(_SQL["dispatch"], params)
        self._remember_starts([(one.run_id, one.rate) for one in given if one.rate is not None])

    def hold(self, held: Sequence[Held]) -> None:
        """Write what runs wait for."""
        params = {"ids": array([one.run_id for one in held]), "keys": array([one.key for one in held])}
        self._database.execute(_SQL["hold"], params)

    def note_turns(self, turns: Mapping[str, int]) -> None:
        """Write whose turn was when."""
        params = {"workers": array(turns), "turns": array(turns.values())}
        self._database.execute(_SQL["turns"], params)

    def take_back(self, patience: timedelta) -> int:
        """Take back what no worker has begun in time; how many."""
        return self._database.execute(_SQL["take_back"], {"patience": patience, "limit": _BATCH})

    def take_back_these(self, run_ids: Iterable[UUID]) -> None:
        """Take back what could not be carried."""
        self._database.execute(_SQL["take_back_these"], {"ids": array(run_ids)})

    def give_up_parts(self) -> list[tuple[UUID, str]]:
        """End the parts of broadcasts whose worker left before they began: run and job of each."""
        return [(run_id, job_id) for run_id, job_id in self._database.fetch_all(_SQL["give_up_parts"])]

    def forget_starts(self) -> None:
        """Drop the starts no rate remembers."""
        self._database.execute(_SQL["forget_starts"])

    def _remember_starts(self, starts: Sequence[tuple[UUID, RateWish]]) -> None:
        if starts:
            params = {
                "keys": array([rate.key for _, rate in starts]),
                "seconds": array([rate.seconds for _, rate in starts]),
                "ids": array([run_id for run_id, _ in starts]),
            }
            self._database.execute(_SQL["remember_starts"], {**params, "now": self._now})
