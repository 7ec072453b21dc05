"""One verb on many jobs: what was asked, and what came of each."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class BatchAction(StrEnum):
    """What can be done to many jobs at once."""

    PAUSE = "pause"
    RESUME = "resume"
    RUN = "run"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """What came of one job: done, or refused with the reason; a run that was started has its id."""

    id: str
    done: bool
    code: str | None = None
    message: str | None = None
    run_id: UUID | None = None
