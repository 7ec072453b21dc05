"""The dispatcher: lets waiting runs go to workers, in order of rank and within every limit."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from queue import Empty, SimpleQueue
from uuid import UUID

from cronzimus.common.db import Database
from cronzimus.common.logger import get_logger
from cronzimus.errors import DatabaseUnavailable, EngineUnavailable
from cronzimus.models.event import Event, Topic
from cronzimus.models.run import RunState
from cronzimus.services.definitions import Definitions
from cronzimus.services.events import Announce, unannounced
from cronzimus.settings.dispatch import DispatcherSettings
from cronzimus.workers.dispatch import Board, Place, choice_of, task_type_affinity
from cronzimus.workers.dispatch_round import DispatchRound
from cronzimus.workers.dispatching import Dispatching, Given, OwnPool
from cronzimus.workers.engine import Delivery, Engine

_LOG = get_logger(__name__)
_SWEEP_SECONDS = 1.0
_GATHER_SECONDS = 0.02
_ENGINE_AWAY_SECONDS = 1.0
_FORGET_SECONDS = 600.0


class Dispatcher:
    """One round at a time in the whole house, whichever process makes it; nothing that is right rests on that.

    1. A round takes a lock of its transaction; who does not get it leaves the work to the one who has it.
    2. It reads what is out, chooses, and writes whom each run goes to. From then on only that worker may claim it.
    3. An engine in the same database gets the ids in the same transaction, any other after its commit, from the
       dispatcher's own thread: a broker that does not answer must keep nobody waiting who only wrote a run.
    4. What is lost on the way, or not begun in time, is taken back and goes to another worker.
    """

    def __init__(
        self,
        database: Database,
        definitions: Definitions,
        engine: Engine,
        settings: DispatcherSettings,
        own: OwnPool,
        *,
        offer_here: Callable[[Sequence[UUID]], None],
        backfill_share: float = 0.5,
        announce: Announce = unannounced,
    ) -> None:
        """What `own` gets is offered to it at once; raises ConfigError when the strategy cannot be had."""
        self._database, self._definitions, self._engine = database, definitions, engine
        self._settings, self._own, self._offer_here = settings, own, offer_here
        self._choice = choice_of(settings.strategy)
        self._share, self._announce = backfill_share, announce
        self._patience = timedelta(seconds=settings.redispatch_seconds)
        self._out: dict[str, int] = {}
        self._to_post: SimpleQueue[Delivery] = SimpleQueue()
        self.wake: Callable[[], None] = lambda: None
        self._swept_at = self._forgot_at = self._engine_back_at = self._gather_until = 0.0
        self.nobody_for: frozenset[str] = frozenset()
        self._after = ""

    def step(self) -> float:
        """One round by itself; seconds until the next, unless somebody wakes it."""
        if not self._settings.enabled:
            return self._settings.schedule_interval_seconds
        self._post()
        if (more := self._gather_until - time.monotonic()) > 0:
            return more  # under load every report would be a round of its own: let some of them come together
        gone: list[tuple[UUID, str]] = []
        with self._database.transaction():
            ledger = Dispatching(self._database, self._own)
            if ledger.lock():
                gone = self._sweep(ledger)
                self._round(self._database, ledger)
        for run_id, job_id in gone:
            self._announce(Event(Topic.RUN, str(run_id), job_id, RunState.CANCELLED))
        self._post()
        return self._settings.schedule_interval_seconds

    def within(self, database: Database) -> None:
        """In the transaction that writes new runs: let them go with it, if nobody else dispatches just now.

        What goes wrong here must not keep the runs from being written: they are looked at again in a moment.
        """
        ledger = Dispatching(database, self._own)
        try:
            with database.transaction():
                if self._settings.enabled and ledger.lock():
                    self._round(database, ledger)
                else:
                    ledger.tell()
        except DatabaseUnavailable:
            raise
        except EngineUnavailable as error:  # it has said so itself
            _LOG.debug("New runs wait for the engine: {}", error)
        except Exception as error:
            _LOG.opt(exception=error).error("New runs could not be dispatched at once")

    def _round(self, database: Database, ledger: Dispatching) -> None:
        out = ledger.outstanding()
        places = ledger.places(out, self._ahead(out))
        board = Board(self._reachable(places), self._choice, backfill_share=self._share)
        round_ = DispatchRound(
            ledger,
            self._definitions,
            board,
            budget=self._settings.max_concurrent_dispatches - sum(runs for runs, _ in out.values()),
            asks_for_last=self._choice is task_type_affinity,
            after=self._after,
        )
        round_.carry_out()
        self.nobody_for, self._after = frozenset(round_.nobody_for), round_.after
        self._out = {place: runs for place, (runs, _) in out.items()}
        for given in round_.given:
            self._out[given.worker_id] = self._out.get(given.worker_id, 0) + 1
        self._deliver(database, round_.given)
        if round_.given:
            self._gather_until = time.monotonic() + _GATHER_SECONDS

    def _ahead(self, out: dict[str, tuple[int, int]]) -> dict[str, int]:
        """What ended since the last round here, twice: so short runs never wait for the next one."""
        return {
            worker: 2 * (before - out.get(worker, (0, 0))[0])
            for worker, before in self._out.items()
            if before > out.get(worker, (0, 0))[0]
        }

    def _reachable(self, places: list[Place]) -> list[Place]:
        """While the engine is away only this process can be reached."""
        if self._engine.transactional or time.monotonic() >= self._engine_back_at:
            return places
        return [place for place in places if place.id == self._own.worker_id]

    def _deliver(self, database: Database, given: Sequence[Given]) -> None:
        by_worker: dict[str, list[UUID]] = defaultdict(list)
        for one in given:
            by_worker[one.worker_id].append(one.run_id)
        here = by_worker.pop(self._own.worker_id, [])
        if here:
            database.after_commit(lambda: self._offer_here(here))
        deliveries = [Delivery(worker, tuple(run_ids)) for worker, run_ids in by_worker.items()]
        if not deliveries:
            return
        if self._engine.transactional:
            with database.connection() as connection:
                self._engine.send(deliveries, connection)
        else:
            database.after_commit(lambda: self._hand_in(deliveries))

    def _hand_in(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            self._to_post.put(delivery)
        self.wake()

    def _post(self) -> None:
        """Give the engine what was handed in; what it cannot carry now is taken back."""
        deliveries: list[Delivery] = []
        with suppress(Empty):
            while True:
                deliveries.append(self._to_post.get_nowait())
        if not deliveries:
            return
        try:
            self._engine.send(deliveries)
        except EngineUnavailable as error:
            if time.monotonic() > self._engine_back_at + _ENGINE_AWAY_SECONDS:
                _LOG.warning("The engine does not carry anything just now, runs wait: {}", error)
            self._engine_back_at = time.monotonic() + _ENGINE_AWAY_SECONDS
            lost = [run_id for delivery in deliveries for run_id in delivery.run_ids]
            Dispatching(self._database, self._own).take_back_these(lost)

    def _sweep(self, ledger: Dispatching) -> list[tuple[UUID, str]]:
        """Now and then: take back what nobody began, end what nobody can begin any more."""
        now = time.monotonic()
        if now - self._swept_at < _SWEEP_SECONDS:
            return []
        self._swept_at = now
        ledger.take_back(self._patience)
        if now - self._forgot_at > _FORGET_SECONDS:
            self._forgot_at = now
            ledger.forget_starts()
        return ledger.give_up_parts()
