"""What a run said: one line, whoever printed it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from cronzimus.common.logger import LEVELS, LevelName


class Stream(StrEnum):
    """Where a line came from; `system` is what the house itself has to say about the run."""

    LOG = "log"
    STDOUT = "stdout"
    STDERR = "stderr"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of one attempt, tame and masked; what was printed has neither level nor logger."""

    run_id: UUID
    job_id: str
    attempt: int
    at: datetime
    stream: Stream
    level: str | None
    logger: str | None
    line: str


@dataclass(frozen=True, slots=True)
class StoredLine:
    """A line as the database keeps it; `seq` grows with every line that is stored."""

    seq: int
    run_id: UUID
    job_id: str
    attempt: int
    at: datetime
    stream: Stream
    level: str | None
    logger: str | None
    line: str


class LogSink(Protocol):
    """Where the lines of a run go."""

    def put(self, lines: Sequence[LogLine]) -> None:
        """Take lines in; never blocks and never raises."""

    def flush(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds until what was put is stored; whether it is."""


def levels_from(lowest: LevelName) -> tuple[LevelName, ...]:
    """The level and everything more serious."""
    return LEVELS[LEVELS.index(lowest) :]
