"""Workflows as people look at them: jobs that depend on each other, and how they stand in one cycle."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from cronzimus.models.dependency import When

WAITING: Final = "waiting"
SKIPPED: Final = "skipped"


@dataclass(frozen=True, slots=True)
class Edge:
    """`job` goes before `follower`, which starts when it has ended as `when` says."""

    job: str
    follower: str
    when: When


@dataclass(frozen=True, slots=True)
class Node:
    """A job, and its last run in the cycle; its state is the run's, or `waiting` or `skipped` where there is none."""

    job_id: str
    state: str
    run_id: UUID | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Workflow:
    """One cycle, or with `trace_id` None the graph around a job, where the state of a node is its job's status."""

    trace_id: str | None
    due_at: datetime | None
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @property
    def alone(self) -> bool:
        """Whether nothing depends on anything here."""
        return not self.edges
