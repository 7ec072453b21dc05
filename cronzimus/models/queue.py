"""Queues and pools: what lets runs start, and what they take while they execute."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class QueueStatus(StrEnum):
    """A paused queue lets nothing start; one that drains, only what was there before the drain."""

    ACTIVE = "active"
    PAUSED = "paused"
    DRAINING = "draining"


@dataclass(frozen=True, slots=True)
class Queue:
    """A name that jobs or runs give, and how it stands; `changed_at` is None while nobody halted it ever.

    Of the runs that are `waiting`, `held` ones wait for something that is not theirs yet. Of a queue that drains
    `left` counts the runs that were there before the drain and have not ended.
    """

    name: str
    status: QueueStatus
    jobs: int
    waiting: int
    held: int
    running: int
    left: int | None
    changed_by: str | None
    changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredPool:
    """A pool, how many of its slots are taken, and how many runs wait for some."""

    name: str
    slots: int
    description: str
    taken: int
    waiting: int
    changed_by: str
    created_at: datetime
    updated_at: datetime
