"""What a change of the timetable would do: the jobs it touches, and the instants it moves."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from cronzimus.models.job import JobDefinition


class Action(StrEnum):
    """What becomes of a job."""

    CREATE = "create"
    CHANGE = "change"
    REMOVE = "remove"
    UNCHANGED = "unchanged"


class Move(StrEnum):
    """What becomes of one instant to come."""

    STAYS = "stays"
    APPEARS = "appears"
    VANISHES = "vanishes"
    MOVES = "moves"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A job as somebody wants it; `paused` None leaves it as it stands.

    `calendar_version` is that of the calendar it keeps to, once somebody has looked it up.
    """

    definition: JobDefinition
    paused: bool | None = None
    calendar_version: int | None = None


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a document that differs; `field` is a dotted path."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Expected:
    """An instant to come, on the clock of the zone it was written for too."""

    due_at: datetime
    local: str
    dst: str | None


@dataclass(frozen=True, slots=True)
class FiringChange:
    """An instant before and after; one side is None where it appears or vanishes."""

    move: Move
    before: Expected | None
    after: Expected | None


@dataclass(frozen=True, slots=True)
class JobPlan:
    """What would become of one job; `firings` is empty for one that stays as it is."""

    id: str
    action: Action
    source: str | None
    version: int | None
    timezone: str
    fields: tuple[FieldChange, ...]
    firings: tuple[FiringChange, ...]
    open_runs: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Load:
    """How much happens at one time: runs at once, and starts within one minute, each with its first moment."""

    peak: int = 0
    peak_at: datetime | None = None
    starts: int = 0
    starts_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Concurrency:
    """The load of the whole timetable from `since` to `until`, before and after; `assumed` jobs never ran yet."""

    since: datetime
    until: datetime
    before: Load
    after: Load
    assumed: tuple[str, ...]
    assumed_seconds: float


@dataclass(frozen=True, slots=True)
class TimetablePlan:
    """Every job asked for and what would become of it; `hash` is what `apply` insists on.

    `unlisted` are the jobs of the timetable that were not asked for and stay.
    """

    hash: str
    made_at: datetime
    jobs: tuple[JobPlan, ...]
    concurrency: Concurrency
    unlisted: tuple[str, ...] = ()

    @property
    def changes(self) -> tuple[JobPlan, ...]:
        """The jobs that would not stay as they are."""
        return tuple(job for job in self.jobs if job.action is not Action.UNCHANGED)

    @property
    def summary(self) -> dict[str, int]:
        """How many jobs each action concerns."""
        return {action: sum(job.action is action for job in self.jobs) for action in Action}


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What a reload took up: how many jobs are declared, and which settings wait for a restart."""

    jobs: int
    restart_needed: tuple[str, ...]


class DriftKind(StrEnum):
    """How the timetable differs from what code and files declare."""

    MISSING = "missing"
    CHANGED = "changed"
    UNDECLARED = "undeclared"
    PAUSED = "paused"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Drifted:
    """One job that is not as declared; `source` is who declares it, or where it came from if nobody does."""

    id: str
    kind: DriftKind
    source: str
    fields: tuple[FieldChange, ...]
    changed_by: str | None
    changed_at: datetime | None


def differences(before: Any, after: Any, path: str = "") -> Iterator[FieldChange]:
    """Every leaf in which two documents differ; lists count as one leaf."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in {**before, **after}:
            yield from differences(before.get(name), after.get(name), f"{path}.{name}" if path else name)
    elif before != after:
        yield FieldChange(path, before, after)
