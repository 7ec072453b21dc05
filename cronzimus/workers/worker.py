"""The worker: claims runs, has them executed, reports what they came to."""

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from cronzimus.common.db import Database
from cronzimus.common.logger import get_logger
from cronzimus.errors import DatabaseUnavailable
from cronzimus.models.log_line import LogSink
from cronzimus.models.run import Claim, Ended, RunState
from cronzimus.services.events import Announce, unannounced
from cronzimus.workers.attempt_log import AttemptLog, Limits, Unwritten
from cronzimus.workers.context import GRACE_SECONDS
from cronzimus.workers.engines.inline import InlineEngine
from cronzimus.workers.execution import Executor, conclude
from cronzimus.workers.heartbeat import Heartbeat
from cronzimus.workers.ledger import Claims, Definitions
from cronzimus.workers.outbox import Outbox
from cronzimus.workers.outcome import Outcome, Stop
from cronzimus.workers.pool import Pool
from cronzimus.workers.roster import LiveAttempt, Roster
from cronzimus.workers.rounds import Rounds
from cronzimus.workers.tree import RUN_COOKIE, sweep
from cronzimus.workers.warden import Warden

_LOG = get_logger(__name__)
_CONTROL_SECONDS = 2.0
_KILL_SECONDS = 6.0
_DELIVERY_SECONDS = 5.0
# Of a stop at once: when processes are killed, when threads have been given up, and what the last reports get.
_KILL_AT_ONCE_SECONDS, _LAST_REPORT_SECONDS = 0.4, 0.3
_GIVEN_UP_SECONDS = GRACE_SECONDS - _KILL_AT_ONCE_SECONDS + 0.1
_UNREMARKABLE = (RunState.SUCCESS, RunState.CANCELLED)


class Worker:
    """Three loops around one pool: rounds with the ledger, deadlines and cancels, heartbeats.

    Every public method may be called from any thread.
    """

    def __init__(
        self,
        claims: Claims,
        definitions: Definitions,
        engine: InlineEngine,
        database: Database,
        settings: Any,
        *,
        worker_id: str,
        allowed_functions: Iterable[str] | None = None,
        announce: Announce = unannounced,
        logs: LogSink = Unwritten(),
        log_limits: Limits = Limits(),
        ahead: bool = True,
        isolate: bool = False,
        left: Callable[[Sequence[UUID]], None] = lambda run_ids: None,
    ) -> None:
        """`database` is what task functions get; of `settings` the sections worker and scheduler are read.

        `ahead` claims more than there are places while runs are short; `isolate` gives every run a process of its
        own; `left` is told of the dispatcher's runs that are not here any more.
        """
        self._logs, self._log_limits = logs, log_limits
        self._claims, self._worker_id, self._left = claims, worker_id, left
        own = settings.worker
        size, share, lease = own.max_concurrent_tasks, own.backfill_share, float(own.lease_seconds)
        identity: Any = {"worker_id": worker_id, "lease_seconds": lease, "on_error": _on_error}
        listed = settings.scheduler.allowed_functions if allowed_functions is None else allowed_functions
        self._engine, self._pool, self._roster, self._outbox = engine, Pool(size), Roster(), Outbox()
        self._control = _control_of(database.url)
        self._progress, self._draining = threading.Condition(), False
        self._hurried, self._at_once = threading.Event(), threading.Event()
        self._warden = Warden(self._roster, self._pool, self._control, self._report, on_error=_on_error)
        self._heartbeat = Heartbeat(claims, self._roster, self._warden, self._outbox.held, **identity)
        self._executor = Executor(
            definitions,
            database,
            settings,
            worker_id=worker_id,
            allowed_functions=listed,
            expect=self._warden.expect,
            isolate=isolate,
        )
        self._rounds = Rounds(
            claims,
            engine,
            self._roster,
            self._outbox,
            sizes=(size, max(1, int(size * share))),
            accept=self._accept,
            progress=self._tell_progress,
            left=left,
            ahead=ahead,
            announce=announce,
            **identity,
        )
        self._loops = (self._rounds.loop, self._warden.loop, self._heartbeat.loop)

    @property
    def alive(self) -> bool:
        """Whether its loops run."""
        return all(loop.alive for loop in self._loops)

    @property
    def last_completed(self) -> float:
        """Moment of the last completed round on the monotonic clock; an idle worker makes none."""
        return self._rounds.loop.last_completed

    @property
    def running(self) -> int:
        """Runs executing now."""
        return self._roster.running

    @property
    def executing(self) -> list[UUID]:
        """Which runs those are."""
        return [attempt.claim.run_id for attempt in self._roster.started()]

    @property
    def waiting(self) -> int:
        """Runs claimed that wait for a thread."""
        return self._roster.waiting

    @property
    def claimed(self) -> int:
        """Attempts claimed since the start."""
        return self._rounds.claimed

    @property
    def finished(self) -> int:
        """Attempts reported since the start."""
        return self._rounds.finished

    @property
    def abandoned(self) -> int:
        """Threads that were given up and still run."""
        return self._pool.abandoned

    def start(self) -> None:
        """Begin to claim; starting twice is a no-op."""
        for loop in self._loops:
            loop.start()

    def cancel(self, run_id: UUID) -> bool:
        """End a run that is held here: its SQL, its process, its thread; False when it is not here."""
        return self._warden.cancel(run_id)

    def hand_back(self) -> None:
        """Give back to the dispatcher what it gave us and we have not claimed."""
        run_ids = self._claims.hand_back(worker_id=self._worker_id)
        for run_id in run_ids:
            self._engine.forget(run_id)
        if run_ids:
            self._left(run_ids)

    def hurry(self, *, at_once: bool = False) -> None:
        """Let a drain wait no longer, now or later; `at_once`, processes get no time either to end by themselves."""
        self._hurried.set()
        if at_once:
            self._at_once.set()
        with self._progress:
            self._progress.notify_all()

    def drain(self, timeout: float | None) -> bool:
        """Claim no more and let running attempts end for `timeout` seconds; whether all ended by themselves.

        What has not started goes back unspent. What does not end is stopped and recorded `lost`, or goes back
        to `pending` when its policy grants another attempt. Reports are delivered before the return, if the
        database takes them within seconds.
        """
        self._draining = True
        self._rounds.close()
        if not self.alive:
            return self._roster.is_empty
        self._wait(lambda: self._roster.is_empty or self._hurried.is_set(), timeout)
        if ended := self._roster.is_empty:
            self._wait(lambda: len(self._outbox) == 0, _DELIVERY_SECONDS)
        else:
            self._end_running()
        return ended

    def _end_running(self) -> None:
        for attempt in self._roster.started():
            self._warden.halt(attempt, Stop.SHUTDOWN)
        self._wait(lambda: self._roster.is_empty or self._at_once.is_set(), _KILL_SECONDS)
        if self._at_once.is_set():
            self._wait(lambda: self._roster.is_empty, _KILL_AT_ONCE_SECONDS)
            for attempt in self._roster.started():
                sweep(f"{RUN_COOKIE}={attempt.claim.run_id}:{attempt.claim.attempt}")
            self._wait(lambda: self._roster.is_empty, _GIVEN_UP_SECONDS)
        patience = _LAST_REPORT_SECONDS if self._at_once.is_set() else _DELIVERY_SECONDS
        self._wait(lambda: len(self._outbox) == 0, patience)

    def stop(self) -> None:
        """Drain without patience and end every thread of the worker; stopping twice is a no-op."""
        self.drain(0)
        for loop in self._loops:
            loop.stop(timeout=_CONTROL_SECONDS)
        self._pool.close()
        self._control.close()

    def _accept(self, claim: Claim) -> None:
        attempt = LiveAttempt(claim, self._perform, AttemptLog(claim, self._logs, self._log_limits))
        self._roster.add(attempt)
        self._pool.submit(attempt)

    def _perform(self, attempt: LiveAttempt) -> None:
        """On a thread of the pool: execute, and report unless somebody else has settled it meanwhile."""
        if self._roster.start(attempt):
            outcome = self._executor.perform(attempt)
            if self._roster.settle(attempt):
                self._report(attempt, outcome)

    def _report(self, attempt: LiveAttempt, outcome: Outcome) -> None:
        """Whoever settled the attempt reports it; one that was lost is somebody else's to report."""
        if attempt.stop is Stop.LOST:
            self._engine.forget(attempt.claim.run_id)
            attempt.log.close()
        else:
            ended = conclude(attempt, outcome)
            attempt.log.end(ended)
            self._outbox.add(ended)
            self._rounds.loop.wake()
            _note(attempt, ended)
        self._roster.leave(attempt)
        self._tell_progress()

    def _tell_progress(self) -> None:
        if self._draining:
            with self._progress:
                self._progress.notify_all()

    def _wait(self, condition: Callable[[], bool], timeout: float | None) -> bool:
        with self._progress:
            return self._progress.wait_for(condition, timeout)


def _control_of(url: str) -> Database:
    """A connection of its own: the task functions' pool may be used up by what is to be cancelled."""
    return Database(
        url,
        1,
        timeout=_CONTROL_SECONDS,
        statement_timeout=_CONTROL_SECONDS,
        application_name="cronzimus:control",
    )


def _note(attempt: LiveAttempt, ended: Ended) -> None:
    if ended.state in _UNREMARKABLE or ended.error is None:
        return
    claim = attempt.claim
    _LOG.bind(run_id=str(ended.run_id), job_id=claim.job_id, trace_id=claim.trace_id).warning(
        "Attempt {} of {} ended {}{}: {}: {}",
        ended.attempt,
        claim.job_id,
        ended.state,
        "" if ended.retry_in is None else f", tried again in {ended.retry_in:g} s",
        ended.error["type"],
        ended.error["message"],
    )


def _on_error(name: str, error: Exception) -> None:
    if not isinstance(error, DatabaseUnavailable):
        _LOG.opt(exception=error).error("{} failed and will try again", name)
