"""What a task function may know and ask of its own run."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from cronzimus.common.db import Database
from cronzimus.common.logger import get_logger
from cronzimus.common.sql import queries
from cronzimus.errors import Conflict
from cronzimus.models.run import Cause, Claim, session_name

if TYPE_CHECKING:
    from cronzimus.common.logger import Logger

_SQL = queries("cronzimus.workers", "queries.sql")
_LOG = get_logger(__name__)

GRACE_SECONDS = 1.0


class RunContext:
    """One attempt of a run as its task function sees it; never stored, never pickled."""

    __slots__ = (
        "id",
        "job_id",
        "due_at",
        "attempt",
        "max_attempts",
        "cause",
        "params",
        "trace_id",
        "part",
        "parts",
        "inputs",
        "deadline",
        "settings",
        "grace_seconds",
        "committed",
        "_worker_id",
        "_on_commit",
        "_pool",
        "_database",
        "_logger",
        "_asked",
        "_lock",
        "_callbacks",
    )

    id: UUID
    job_id: str
    due_at: datetime | None
    attempt: int
    max_attempts: int
    cause: Cause
    params: dict[str, Any]
    trace_id: str
    part: int | None
    """Of a run that is one of several for the same moment, its number from 0; None when it is the only one."""
    parts: int | None
    inputs: Mapping[str, Any]
    """What the jobs it depends on came to: the result of each, a list of results where that ran in parts."""
    deadline: float | None
    """Moment on the monotonic clock at which the attempt is stopped; None is never."""
    settings: Any
    grace_seconds: float
    """How long the function may take to end once it was asked to; later its thread is given up."""
    committed: bool
    """Whether a fenced transaction has already ended the run."""

    def __init__(
        self,
        claim: Claim,
        database: Database,
        settings: Any,
        *,
        worker_id: str,
        deadline: float | None = None,
        inputs: Mapping[str, Any] | None = None,
        on_commit: Callable[[], None] = lambda: None,
    ) -> None:
        self.id, self.job_id, self.due_at = claim.run_id, claim.job_id, claim.due_at
        self.attempt, self.max_attempts = claim.attempt, claim.max_attempts
        self.cause, self.params, self.trace_id = claim.cause, claim.params or {}, claim.trace_id
        self.part, self.parts = claim.part, claim.parts
        self.inputs = inputs or {}
        self.deadline = deadline
        self.settings = settings
        self.grace_seconds = GRACE_SECONDS
        self.committed = False
        self._worker_id = worker_id
        self._on_commit = on_commit
        self._pool = database
        self._database: Database | None = None
        self._logger: Logger | None = None
        self._asked = threading.Event()
        # Re-entrant: a signal handler may ask to cancel while the same thread holds it.
        self._lock = threading.RLock()
        self._callbacks: list[Callable[[], None]] = []

    def __reduce__(self) -> str:
        raise TypeError("a RunContext belongs to one attempt in one process; it cannot be pickled")

    @property
    def key(self) -> str:
        """Names what is to be done once, whatever the attempt: job and due instant, cycle or run, and the part.

        Who starts a run by hand for a moment that has had its run wants the work done again, and all that follows.
        """
        if self.cause == Cause.DEPENDENCY:
            return self._of_part(f"{self.job_id}/{self.trace_id}")
        due_at = None if self.cause in (Cause.MANUAL, Cause.RETRY) else self.due_at
        moment = due_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if due_at else str(self.id)
        return self._of_part(f"{self.job_id}/{moment}")

    @property
    def database(self) -> Database:
        """The pooled database; its sessions carry the run's name, so that a cancel can find them."""
        if self._database is None:
            self._database = self._pool.scoped(self.session_name)
        return self._database

    @property
    def session_name(self) -> str:
        """The `application_name` of the run's database sessions."""
        return session_name(self.job_id, self.id)

    @property
    def uses_database(self) -> bool:
        """Whether the run may have a database session open."""
        return self._database is not None

    @property
    def logger(self) -> "Logger":
        """A log whose lines carry run_id, job_id and trace_id."""
        if self._logger is None:
            marks = {"run_id": str(self.id), "job_id": self.job_id, "trace_id": self.trace_id}
            self._logger = get_logger(f"cronzimus.run.{self.job_id}").bind(**marks)
        return self._logger

    def time_left(self) -> float | None:
        """Seconds until the deadline, never below 0; None without one."""
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())

    @property
    def cancelled(self) -> bool:
        """Whether the function should end now: somebody cancelled the run, or its time is up."""
        return self._asked.is_set()

    def wait_cancelled(self, timeout: float | None = None) -> bool:
        """Wait at most `timeout` seconds for a cancel; whether one came. Use it in place of `time.sleep`."""
        return self._asked.wait(timeout)

    @contextmanager
    def on_cancel(self, callback: Callable[[], None]) -> Iterator[None]:
        """Within the block a cancel calls `callback`, from another thread; it must return at once."""
        with self._lock:
            self._callbacks.append(callback)
            if self._asked.is_set():
                callback()
        try:
            yield
        finally:
            with self._lock:
                self._callbacks.remove(callback)

    def cancel(self) -> None:
        """Ask the function to end; asking twice changes nothing."""
        with self._lock:
            if self._asked.is_set():
                return
            self._asked.set()
            for callback in list(self._callbacks):
                self._tell(callback)

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """Commit what is written inside together with the run's success, or neither; yields the connection.

        1. The block runs in one transaction of the run's own database; calls of `db` join it.
        2. At its end the run's row is updated, and so locked, if the run is still `running` under this
           attempt and this worker. Otherwise everything is rolled back: Conflict FENCED.
        3. The commit makes the success final: what happens after the block changes neither state nor
           result, so let it be the last thing the function does.
        """
        mine = {"run_id": self.id, "attempt": self.attempt, "worker_id": self._worker_id}
        with self.database.transaction() as connection:
            yield connection
            if connection.execute(_SQL["succeed"], mine).fetchone() is None:
                raise Conflict(f"attempt {self.attempt} of run {self.id} is no longer its own", code="FENCED")
        self.committed = True
        self._on_commit()

    def _of_part(self, key: str) -> str:
        return key if self.part is None else f"{key}/{self.part}"

    def _tell(self, callback: Callable[[], None]) -> None:
        try:
            callback()
        except Exception as error:
            _LOG.opt(exception=error).warning("A cancel callback of run {} failed", self.id)


current_run: ContextVar[RunContext | None] = ContextVar("cronzimus_current_run", default=None)
