"""A process of the house, as the others see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
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


class Takes(StrEnum):
    """Whose runs a process executes: those of jobs that run on the scheduler, or on workers."""

    SCHEDULER = "scheduler"
    WORKERS = "workers"


@dataclass(frozen=True, slots=True)
class Load:
    """What a process uses: processor (100 is one core), memory, and the runs it executes, the first hundred."""

    cpu_percent: float = 0.0
    memory_mb: float = 0.0
    runs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sign:
    """What one sign of life brought: whether somebody wants the process to drain."""

    drain_requested: bool


@dataclass(frozen=True, slots=True)
class Rival:
    """Another life that has one's name and was not found dead yet."""

    boot_id: UUID
    host: str
    pid: int
    heartbeat_at: datetime
    is_silent: bool


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
    takes: tuple[Takes, ...] = ()
    kinds: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


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
    takes: list[str] = field(default_factory=list)
    load: dict[str, Any] = field(default_factory=dict)
    drain_requested_at: datetime | None = None
