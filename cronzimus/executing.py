"""What executes runs in a process, beside a scheduler or alone: its presence, its line, its worker, its engine."""

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from uuid import UUID

from cronzimus.errors import CronzimusError
from cronzimus.living import Living, presence_of, report_failure
from cronzimus.models.run import Offer
from cronzimus.models.worker import Presence, Takes
from cronzimus.parts import new_engine, new_worker
from cronzimus.pools import Pools
from cronzimus.services.definitions import Definitions
from cronzimus.settings import Settings
from cronzimus.workers.engines.inline import InlineEngine
from cronzimus.workers.intake import Intake


class Executing:
    """The parts from an engine's delivery to the report of a run; built by the house that starts and stops them."""

    def __init__(
        self,
        settings: Settings,
        pools: Pools,
        definitions: Definitions,
        allowed_functions: Iterable[str],
        me: Presence,
        *,
        ahead: bool,
        isolate: bool,
        on_displaced: Callable[[], None],
        on_drain: Callable[[], None] | None = None,
    ) -> None:
        """Without `on_drain`, what was delivered and not begun goes back to the dispatcher, and nothing ends."""
        self._on_displaced = on_displaced
        self.line = InlineEngine()
        self.engine = new_engine(settings, pools.service.url)
        self.living = Living(
            settings,
            pools,
            me,
            running=lambda: self.worker.executing,
            on_drain=on_drain or self._hand_back,
            on_displaced=self._hear_of_the_end,
            on_error=report_failure,
        )
        self.intake = Intake(self.engine, self.line, me.id, on_error=report_failure)
        self.worker = new_worker(
            settings,
            pools,
            definitions,
            self.line,
            me.id,
            allowed_functions,
            self.living.announcer.announce,
            self.living.log_writer,
            ahead=ahead,
            isolate=isolate,
            left=self.intake.left,
        )

    @property
    def worker_id(self) -> str:
        """What the runs it executes say."""
        return self.living.life.me.id

    @property
    def takes(self) -> tuple[Takes, ...]:
        """Whose runs it executes."""
        return self.living.life.me.takes

    def offer(self, offers: Sequence[Offer]) -> None:
        """Take in runs of the scheduler, where these are executed here."""
        if Takes.SCHEDULER in self.takes:
            self.line.offer(offers)

    def arrive(self, given_up: threading.Event) -> None:
        """Wait for the name to be ours; raises Conflict WORKER_ID_IN_USE, DatabaseUnavailable."""
        while (pause := self.living.life.arrive()) is not None:
            if given_up.wait(pause):
                return

    def start(self) -> None:
        """Execute what is offered and what is delivered, where anything is executed at all."""
        if self.takes:
            self.worker.start()
            self.intake.start(receive=Takes.WORKERS in self.takes)

    def cancel(self, payload: str) -> None:
        """Somebody wants a run cancelled, which may be here."""
        self.worker.cancel(UUID(payload))

    def finish(self, patience: float | None) -> None:
        """Take nothing new, give back what has not begun, let what runs end for so many seconds; None is for ever."""
        was_there = self.worker.alive
        back = was_there and self._gave_back()
        with suppress(CronzimusError):
            self.worker.drain(patience)
        self.worker.stop()
        if back:
            self._gave_back()
        self.intake.stop()

    def _hear_of_the_end(self) -> None:
        """Another life has this one's name: what still runs here counts for nothing, so nobody waits for it."""
        self.worker.hurry()
        self._on_displaced()

    def _gave_back(self) -> bool:
        """Whether the dispatcher has what it gave us; a name that was taken over is not ours to speak for."""
        if self.living.life.displaced:
            return False
        with suppress(CronzimusError):
            self._hand_back()
            return True
        return False

    def _hand_back(self) -> None:
        self.worker.hand_back()


def beside_scheduler(
    settings: Settings,
    pools: Pools,
    definitions: Definitions,
    allowed_functions: Iterable[str],
    *,
    name: str,
    hosted: bool,
    on_displaced: Callable[[], None],
) -> Executing:
    """What a process that serves executes; `hosted`, several may have its settings, so each adds its number."""
    worker, scheduler = settings.worker, settings.scheduler
    worker_id = worker.worker_id and (f"{worker.worker_id}:{os.getpid()}" if hosted else worker.worker_id)
    may = ((Takes.SCHEDULER, scheduler.local_runs), (Takes.WORKERS, worker.enabled))
    takes = tuple(whose for whose, is_ours in may if is_ours)
    return Executing(
        settings,
        pools,
        definitions,
        allowed_functions,
        presence_of(settings, name, worker_id or name, fires=scheduler.enabled, serves=True, takes=takes),
        # A worker holds no more than it has places for: what it has no place for, another one may have.
        ahead=not worker.enabled,
        isolate=False,
        on_displaced=on_displaced,
    )
