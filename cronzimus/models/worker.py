"""A process of the house, as the others see it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class WorkerStatus(StrEnum):
    """`down` is a process that said goodbye, or fell silent."""

    ALIVE = "alive"
    DRAINING = "draining"
    DOWN = "down"


class WorkerRole(StrEnum):
    """What a process is there for; one may have several."""

    SCHEDULER = "scheduler"
    API = "api"
    WORKER = "worker"


@dataclass(frozen=True, slots=True)
class Presence:
    """What a process says of itself once; `id` names it in the runs it executes, `replica` in the terms it holds."""

    id: str
    boot_id: UUID
    replica: str
    host: str
    pid: int
    roles: tuple[WorkerRole, ...]
    capacity: int
    version: str


@dataclass(frozen=True, slots=True)
class Worker:
    """A process and how it stands; `silent_seconds` is the time since its last sign of life."""

    id: str
    boot_id: UUID
    replica: str
    host: str
    pid: int
    roles: list[str]
    kinds: list[str]
    queues: list[str]
    labels: dict[str, Any]
    capacity: int
    running: int
    status: str
    leads: bool
    version: str
    started_at: datetime
    heartbeat_at: datetime
    silent_seconds: float
