"""Ends a process that cannot do its work any more: something outside starts it again."""

import faulthandler
import os
import time
from collections.abc import Callable, Sequence

from cronzimus.common.logger import get_logger
from cronzimus.common.loop import Loop
from cronzimus.jobs.due import WakeUp
from cronzimus.jobs.scheduler import LedgerScheduler
from cronzimus.workers.worker import Worker

_LOG = get_logger(__name__)
_EVERY_SECONDS = 1.0
EXIT_CODE = 70


class Watchdog:
    """Believes completed wake-ups and living threads, never anybody's word; `step` is called by a loop.

    What a process does not have is None; `look_after` is called at every look.
    """

    def __init__(
        self,
        scheduler: LedgerScheduler | None,
        wake_up: WakeUp | None,
        worker: Worker | None,
        loops: Sequence[Loop],
        *,
        patience_seconds: float,
        leading_since: Callable[[], float | None],
        leaving: Callable[[], bool],
        look_after: Callable[[], None],
    ) -> None:
        self._scheduler, self._wake_up, self._worker, self._loops = scheduler, wake_up, worker, loops
        self._patience_seconds = patience_seconds
        self._leading_since, self._leaving, self._look_after = leading_since, leaving, look_after

    def step(self) -> float:
        """Look once; ends the process when something stopped for good. Seconds until the next look."""
        trouble = self.trouble()
        if trouble is not None and not self._leaving():
            _LOG.critical("The watchdog ends this process: {}. What its threads were doing:", trouble)
            faulthandler.dump_traceback(all_threads=True)
            os._exit(EXIT_CODE)
        self._look_after()
        return _EVERY_SECONDS

    def trouble(self) -> str | None:
        """What has stopped for good, None while everything lives."""
        if self._scheduler is not None and not self._scheduler.alive:
            return "the scheduler's thread died"
        silent = self._seconds_without_wake_up()
        if silent > self._patience_seconds:
            return f"no wake-up was completed for {silent:.0f} s"
        dead = [loop.name for loop in self._loops if not loop.alive]
        if self._worker is not None and not self._worker.alive:
            dead.append("worker")
        return f"these loops died: {', '.join(dead)}" if dead else None

    def _seconds_without_wake_up(self) -> float:
        """Only a leader has to wake up; it counts from when it began to lead."""
        since = self._leading_since()
        if since is None or self._wake_up is None:
            return 0.0
        return time.monotonic() - max(since, self._wake_up.last_completed)
