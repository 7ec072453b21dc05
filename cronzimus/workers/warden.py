"""Watches deadlines and ends attempts that must end."""

import heapq
import threading
import time
from collections.abc import Callable
from itertools import count
from uuid import UUID

from cronzimus.common.db import Database
from cronzimus.common.logger import get_logger
from cronzimus.common.loop import Loop
from cronzimus.errors import DatabaseUnavailable
from cronzimus.workers.outcome import Outcome, Stop, stopped
from cronzimus.workers.pool import Pool
from cronzimus.workers.roster import LiveAttempt, Roster

_LOG = get_logger(__name__)
_STALE_ALARMS = 1000

Report = Callable[[LiveAttempt, Outcome], None]
Alarm = tuple[float, int, LiveAttempt, Callable[[LiveAttempt], None]]


class Warden:
    """How an attempt is ended from outside, whoever asks for it:

    1. `halt` says why and tells the function (`run.cancelled`, `on_cancel`): a process dies of this.
    2. The statements its database sessions execute are cancelled.
    3. After its grace it is settled, its thread given up and its sessions ended. What the function still
       does or returns changes nothing any more.
    """

    def __init__(
        self,
        roster: Roster,
        pool: Pool,
        control: Database,
        report: Report,
        *,
        on_error: Callable[[str, Exception], None],
    ) -> None:
        self._roster, self._pool, self._control, self._report = roster, pool, control, report
        self._lock = threading.Lock()
        self._alarms: list[Alarm] = []
        self._order = count()
        self.loop = Loop("cronzimus-warden", self._step, on_error=on_error)

    def expect(self, attempt: LiveAttempt, deadline: float) -> None:
        """Halt the attempt when the monotonic clock reaches `deadline`."""
        self._set_alarm(deadline, attempt, self._time_is_up)

    def halt(self, attempt: LiveAttempt, stop: Stop) -> None:
        """Make an attempt end, for the first reason that comes; returns at once, from any thread."""
        with self._lock:
            if attempt.stop is not None:
                return
            attempt.stopped_at = time.monotonic()
            attempt.stop = stop
        if attempt.run is not None:
            attempt.run.cancel()
        self._set_alarm(attempt.stopped_at, attempt, self._cancel_statements)
        self._set_alarm(attempt.stopped_at + attempt.grace_seconds, attempt, self._give_up)

    def cancel(self, run_id: UUID) -> bool:
        """End a run on somebody's request; False when it is not held here."""
        attempts = self._roster.of_run(run_id)
        for attempt in attempts:
            self.end(attempt, Stop.CANCELLED)
        return bool(attempts)

    def end(self, attempt: LiveAttempt, stop: Stop) -> None:
        """Halt an attempt, or take it out of the line before it starts."""
        if self._roster.withdraw(attempt):
            attempt.stop = stop
            self._report(attempt, stopped(stop))
        else:
            self.halt(attempt, stop)

    def _step(self) -> float | None:
        for attempt, action in self._due():
            action(attempt)
        with self._lock:
            return max(0.0, self._alarms[0][0] - time.monotonic()) if self._alarms else None

    def _due(self) -> list[tuple[LiveAttempt, Callable[[LiveAttempt], None]]]:
        now = time.monotonic()
        due = []
        with self._lock:
            while self._alarms and self._alarms[0][0] <= now:
                _, _, attempt, action = heapq.heappop(self._alarms)
                due.append((attempt, action))
        return due

    def _set_alarm(self, at: float, attempt: LiveAttempt, action: Callable[[LiveAttempt], None]) -> None:
        with self._lock:
            self._drop_stale_alarms()
            heapq.heappush(self._alarms, (at, next(self._order), attempt, action))
            is_first = self._alarms[0][2] is attempt
        if is_first:
            self.loop.wake()

    def _drop_stale_alarms(self) -> None:
        """Long deadlines of short runs would pile up: keep those of attempts that are still here."""
        if len(self._alarms) > _STALE_ALARMS + 4 * self._roster.running:
            live = {id(attempt) for attempt in self._roster.started()}
            self._alarms = [alarm for alarm in self._alarms if id(alarm[2]) in live or alarm[2].stop]
            heapq.heapify(self._alarms)

    def _time_is_up(self, attempt: LiveAttempt) -> None:
        if self._roster.is_running(attempt):
            self.halt(attempt, Stop.TIMEOUT)

    def _cancel_statements(self, attempt: LiveAttempt) -> None:
        if attempt.uses_database and self._roster.is_running(attempt):
            self._end_sessions(attempt, terminate=False)

    def _give_up(self, attempt: LiveAttempt) -> None:
        until = attempt.stopped_at + attempt.grace_seconds
        if until > time.monotonic() and self._roster.is_running(attempt):
            self._set_alarm(until, attempt, self._give_up)
            return
        if attempt.stop is None or not self._roster.settle(attempt):
            return  # it ended by itself, and a thread that reports must not be disturbed
        _LOG.warning("Run {} did not end when told to: its thread is given up", attempt.claim.run_id)
        self._pool.abandon(attempt)
        if attempt.uses_database:
            self._end_sessions(attempt, terminate=True)
        self._report(attempt, stopped(attempt.stop, attempt.policy.timeout))

    def _end_sessions(self, attempt: LiveAttempt, *, terminate: bool) -> None:
        run = attempt.run
        if run is None:
            return
        try:
            self._control.cancel_backends(run.session_name, terminate=terminate)
        except DatabaseUnavailable as error:
            _LOG.warning("The statements of run {} could not be cancelled: {}", run.id, error)
