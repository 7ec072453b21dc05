"""The desk of one process: where runs for workers are handed over, by whatever engine carries them."""

from collections.abc import Sequence
from datetime import timedelta

from cronzimus.common.db import Database
from cronzimus.common.loop import Loop
from cronzimus.executing import Executing
from cronzimus.living import report_failure
from cronzimus.models.run import Offer
from cronzimus.services.definitions import Definitions
from cronzimus.settings import Settings
from cronzimus.workers.dispatcher import Dispatcher
from cronzimus.workers.dispatching import OwnPool

# A worker that missed so many heartbeats gets nothing more; that it is dead is said later.
_BEATS_MISSED = 3
DISPATCH_CHANNEL = "cronzimus_dispatch"


class Desk:
    """The dispatcher and its loop; what may execute in this process goes to the worker of it."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        definitions: Definitions,
        executing: Executing,
    ) -> None:
        """Raises ConfigError when the strategy that the settings name cannot be had."""
        self.engine, self._offer = executing.engine, executing.offer
        self._enabled = settings.dispatcher.enabled
        own = OwnPool(
            executing.worker_id,
            settings.worker.max_concurrent_tasks if settings.scheduler.local_runs else 0,
            timedelta(seconds=_BEATS_MISSED * settings.worker.heartbeat_interval_seconds),
        )
        self.dispatcher = Dispatcher(
            database,
            definitions,
            self.engine,
            settings.dispatcher,
            own,
            offer_here=executing.intake.take,
            backfill_share=settings.worker.backfill_share,
            announce=executing.living.announcer.announce,
        )
        self.loop = Loop("dispatch", self.dispatcher.step, on_error=report_failure)
        self.dispatcher.wake = self.loop.wake

    def components(self) -> dict[str, str]:
        """How the dispatcher and the queue to the workers stand, for the health report."""
        if not self._enabled:
            dispatcher = "off"
        elif not self.loop.alive:
            dispatcher = "stopped"
        else:
            dispatcher = "NO_ELIGIBLE_WORKER" if self.dispatcher.nobody_for else "running"
        return {"dispatcher": dispatcher, "queue": self.engine.state}

    def start(self) -> None:
        """Begin to dispatch."""
        self.engine.listen(self.loop.wake)
        self.loop.start()

    def stop_dispatching(self) -> None:
        """Dispatch no more: what waits is for the other replicas."""
        self.loop.stop(timeout=2)

    def stop(self) -> None:
        """Dispatch no more and close the engine; stopping twice is a no-op."""
        self.stop_dispatching()
        self.engine.close()

    def offer(self, offers: Sequence[Offer]) -> None:
        """Runs somebody should claim: those that need no dispatcher go into the line, for the others it is woken."""
        self._offer(offers)
        if any(offer.gated for offer in offers):
            self.loop.wake()

    def hear(self, payload: str) -> None:
        """A notification of the channel of dispatch."""
        self.loop.wake()

    def within(self, database: Database) -> None:
        """Let runs go in the transaction that writes them."""
        self.dispatcher.within(database)
