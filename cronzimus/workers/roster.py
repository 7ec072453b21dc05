"""Which attempts this worker holds, and how far each of them is."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from cronzimus.models.policy import Policy
from cronzimus.models.run import Claim, Held
from cronzimus.workers.attempt_log import AttemptLog, Limits, Unwritten
from cronzimus.workers.context import GRACE_SECONDS, RunContext
from cronzimus.workers.outcome import Stop

_NO_POLICY = Policy()


class LiveAttempt:
    """One attempt from its claim to its report; called by a thread of the pool, it executes itself."""

    __slots__ = (
        "claim",
        "held",
        "policy",
        "run",
        "stop",
        "stopped_at",
        "started_at",
        "claimed_at",
        "isolated",
        "log",
        "_perform",
    )

    def __init__(
        self, claim: Claim, perform: "Callable[[LiveAttempt], None]", log: AttemptLog | None = None
    ) -> None:
        self.claim = claim
        self.log = log or AttemptLog(claim, Unwritten(), Limits())
        self.held = Held(claim.run_id, claim.attempt)
        self.policy = _NO_POLICY
        self.run: RunContext | None = None
        self.stop: Stop | None = None
        self.stopped_at = 0.0
        self.claimed_at = time.monotonic()
        self.started_at: datetime | None = None
        self.isolated = False
        self._perform = perform

    def __call__(self) -> None:
        self._perform(self)

    @property
    def uses_database(self) -> bool:
        """Whether the server may have a session of this run; a process of its own may always have one."""
        return self.isolated or (self.run is not None and self.run.uses_database)

    @property
    def grace_seconds(self) -> float:
        """How long the function may take to end once it was told to."""
        return GRACE_SECONDS if self.run is None else self.run.grace_seconds

    def bind(self, run: RunContext) -> None:
        """Give it its context; a stop that came before is passed on to it.

        Whoever stops sets `stop` before it reads `run`, this sets `run` before it reads `stop`: one of
        the two sees the other.
        """
        self.run = run
        if self.stop is not None:
            run.cancel()


class Roster:
    """The attempts between claim and report; each leaves once: the first to `settle` it reports it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[Held, LiveAttempt] = {}
        self._running: dict[Held, LiveAttempt] = {}
        self._leaving: dict[Held, LiveAttempt] = {}
        self._of_backfills = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits, runs, or is still to be reported or given back."""
        with self._lock:
            return not (self._waiting or self._running or self._leaving)

    @property
    def waiting(self) -> int:
        """Attempts claimed and not yet on a thread."""
        return len(self._waiting)

    @property
    def running(self) -> int:
        """Attempts on a thread."""
        return len(self._running)

    @property
    def held_count(self) -> int:
        """Attempts that the ledger believes to be here, those whose report is about to be made included."""
        with self._lock:
            return len(self._waiting) + len(self._running) + len(self._leaving)

    @property
    def of_backfills(self) -> int:
        """Attempts of backfills, on a thread or not."""
        return self._of_backfills

    def longest_wait(self) -> float:
        """Seconds for which the oldest claim has waited for a thread, 0 when none waits."""
        with self._lock:
            oldest = next(iter(self._waiting.values()), None)
        return 0.0 if oldest is None else time.monotonic() - oldest.claimed_at

    def add(self, attempt: LiveAttempt) -> None:
        """Hold a new claim."""
        with self._lock:
            self._waiting[attempt.held] = attempt
            self._of_backfills += attempt.claim.backfill

    def start(self, attempt: LiveAttempt) -> bool:
        """Mark it as executing; False when it was withdrawn while it waited."""
        with self._lock:
            if self._waiting.get(attempt.held) is not attempt:
                return False
            del self._waiting[attempt.held]
            self._running[attempt.held] = attempt
        attempt.started_at = datetime.now(UTC)
        return True

    def settle(self, attempt: LiveAttempt) -> bool:
        """Take off one that was started; True for the first who asks, who reports it and lets it `leave`."""
        with self._lock:
            return self._move(attempt, self._running)

    def withdraw(self, attempt: LiveAttempt) -> bool:
        """The same for one that has not started; False when it has, or is not here."""
        with self._lock:
            return self._move(attempt, self._waiting)

    def withdraw_all(self) -> list[LiveAttempt]:
        """The same for all that have not started."""
        with self._lock:
            attempts = list(self._waiting.values())
            for attempt in attempts:
                self._move(attempt, self._waiting)
            return attempts

    def leave(self, attempt: LiveAttempt) -> None:
        """It has been reported or given back: nothing is left to do for it here."""
        with self._lock:
            self._leaving.pop(attempt.held, None)

    def is_running(self, attempt: LiveAttempt) -> bool:
        """Whether it is on a thread and nobody has settled it."""
        return attempt.held in self._running

    def find(self, held: Held) -> LiveAttempt | None:
        """The attempt, started or not."""
        with self._lock:
            return self._running.get(held) or self._waiting.get(held)

    def of_run(self, run_id: UUID) -> list[LiveAttempt]:
        """The attempts of a run; more than one only after a lease was lost without our knowing."""
        return [attempt for attempt in self.everything() if attempt.claim.run_id == run_id]

    def started(self) -> list[LiveAttempt]:
        """Those on a thread."""
        with self._lock:
            return list(self._running.values())

    def everything(self) -> list[LiveAttempt]:
        """Started or not."""
        with self._lock:
            return [*self._running.values(), *self._waiting.values()]

    def held(self) -> list[Held]:
        """Everything whose lease must be kept; a run its own transaction has ended needs none."""
        with self._lock:
            attempts = [*self._running.values(), *self._waiting.values(), *self._leaving.values()]
        return [a.held for a in attempts if a.run is None or not a.run.committed]

    def _move(self, attempt: LiveAttempt, group: dict[Held, LiveAttempt]) -> bool:
        if group.pop(attempt.held, None) is None:
            return False
        self._leaving[attempt.held] = attempt
        self._of_backfills -= attempt.claim.backfill
        return True
