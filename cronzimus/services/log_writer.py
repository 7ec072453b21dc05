"""Stores what runs say, in batches, beside them: a database that is away costs lines and never a run."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from cronzimus.common.arrays import array
from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.errors import DatabaseUnavailable
from cronzimus.models.event import Event, Topic
from cronzimus.models.log_line import LogLine, Stream
from cronzimus.services.events import Announce, unannounced

_SQL = queries("cronzimus.services.sql", "run_logs.sql")
# Lines that come one by one are stored together; whoever waits for the end of a run does not wait for this.
_SPACING_SECONDS = 0.1
_LARGEST_BATCH = 2000
_MOST_WAITING_BYTES = 16 * 1024 * 1024
_OVERHEAD = 256

Attempt = tuple[UUID, str, int]


class LogWriter:
    """A queue with a bound. `put` never blocks and never raises; `step` is called for ever by a loop.

    While the database is away the oldest lines give way, and a line says how many they were. A batch whose
    answer was lost is stored again: a line may then appear twice.
    """

    def __init__(
        self, database: Database, announce: Announce = unannounced, wake: Callable[[], None] = lambda: None
    ) -> None:
        self._database = database
        self._announce = announce
        self.wake = wake
        self._changed = threading.Condition()
        self._waiting: deque[LogLine] = deque()
        self._bytes = 0
        self._batch: list[LogLine] = []
        self._missing: dict[Attempt, int] = {}
        self._taken_in = self._settled = 0
        self._urgent = self._away = False
        self._written_at = 0.0

    def put(self, lines: Sequence[LogLine]) -> None:
        """Take lines in."""
        with self._changed:
            was_empty = not self._waiting
            self._waiting.extend(lines)
            self._taken_in += len(lines)
            self._bytes += sum(map(_size, lines))
            while self._bytes > _MOST_WAITING_BYTES:
                self._give_up_oldest()
        if was_empty and lines:
            self.wake()

    def flush(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds until what was put is stored; not at all while the database is away."""
        with self._changed:
            goal = self._taken_in
            if self._settled >= goal or self._away:
                return self._settled >= goal
            self._urgent = True
        self.wake()
        with self._changed:
            self._changed.wait_for(lambda: self._settled >= goal or self._away, timeout)
            return self._settled >= goal

    def step(self) -> float | None:
        """Store what has gathered; seconds until the next time."""
        pause = self._written_at + _SPACING_SECONDS - time.monotonic()
        with self._changed:
            if pause > 0 and not self._urgent and not self._batch:
                return pause if self._waiting else None
            self._urgent = False
            self._take()
        if self._batch:
            self._store()
        return 0.0 if self._waiting else None

    def _take(self) -> None:
        """The next batch, unless the last one is still to be stored."""
        if self._batch:
            return
        missing, self._missing = self._missing, {}
        self._batch = [_note(attempt, number) for attempt, number in missing.items()]
        # The notes were not put by anybody: they must not settle what was.
        self._settled -= len(self._batch)
        while self._waiting and len(self._batch) < _LARGEST_BATCH:
            line = self._waiting.popleft()
            self._bytes -= _size(line)
            self._batch.append(line)

    def _store(self) -> None:
        try:
            self._database.execute(_SQL["add"], _columns(self._batch))
        except DatabaseUnavailable:
            self._away = True
            with self._changed:
                self._changed.notify_all()
            raise
        except Exception:
            self._conclude()  # a batch that cannot be stored must not keep the next from it
            raise
        runs = {(line.run_id, line.job_id) for line in self._batch}
        self._conclude()
        for run_id, job_id in runs:
            self._announce(Event(Topic.LOG, str(run_id), job_id))

    def _conclude(self) -> None:
        self._written_at = time.monotonic()
        with self._changed:
            self._away = False
            self._settled += len(self._batch)
            self._batch = []
            self._changed.notify_all()

    def _give_up_oldest(self) -> None:
        line = self._waiting.popleft()
        self._bytes -= _size(line)
        self._settled += 1
        attempt = (line.run_id, line.job_id, line.attempt)
        self._missing[attempt] = self._missing.get(attempt, 0) + 1


def _size(line: LogLine) -> int:
    return _OVERHEAD + len(line.line)


def _note(attempt: Attempt, number: int) -> LogLine:
    run_id, job_id, count = attempt
    text = f"{number} lines were lost here while the database did not answer."
    return LogLine(run_id, job_id, count, datetime.now(UTC), Stream.SYSTEM, "WARNING", None, text)


def _columns(lines: Sequence[LogLine]) -> dict[str, str]:
    return {
        "runs": array([line.run_id for line in lines]),
        "jobs": array([line.job_id for line in lines]),
        "attempts": array([line.attempt for line in lines]),
        "ats": array([line.at for line in lines]),
        "streams": array([str(line.stream) for line in lines]),
        "levels": array([line.level for line in lines]),
        "loggers": array([line.logger for line in lines]),
        "lines": array([line.line for line in lines]),
    }
