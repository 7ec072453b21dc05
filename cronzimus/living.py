"""What every process of the house has, whether it serves or only executes: a name, a voice, its runs' logs."""

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from uuid import UUID, uuid4

from cronzimus.common.logger import get_logger
from cronzimus.common.loop import Loop
from cronzimus.common.telemetry import end_telemetry
from cronzimus.errors import CronzimusError, Unavailable
from cronzimus.models.worker import Presence, Takes, WorkerRole
from cronzimus.parts import kinds_of
from cronzimus.pools import Pools
from cronzimus.services.events import Announcer
from cronzimus.services.life import machine
from cronzimus.services.log_writer import LogWriter
from cronzimus.services.presence import Life
from cronzimus.services.tracing import begin_tracing
from cronzimus.settings import Settings
from cronzimus.version import version

_LAST_LINES_SECONDS = 2.0
_LAST_LINES_IN_A_HURRY_SECONDS = 0.2


_LOG = get_logger(__name__)


class Living:
    """A process's presence, its announcements and its log writer, with their loops."""

    def __init__(
        self,
        settings: Settings,
        pools: Pools,
        me: Presence,
        *,
        running: Callable[[], Sequence[UUID]],
        on_drain: Callable[[], None],
        on_displaced: Callable[[], None],
        on_error: Callable[[str, Exception], None],
    ) -> None:
        """`running` names the runs it executes now; the rest is as `Life` takes it."""
        self._settings = settings
        self.announcer = Announcer(pools.service)
        self.announce_loop = Loop("announce", self.announcer.step, on_error=on_error)
        self.announcer.wake = self.announce_loop.wake
        self.log_writer = LogWriter(pools.logs, self.announcer.announce)
        self.log_loop = Loop("logs", self.log_writer.step, on_error=on_error)
        self.log_writer.wake = self.log_loop.wake
        self.life = Life(
            pools.service,
            me,
            running=running,
            announce=self.announcer.announce,
            every_seconds=settings.worker.heartbeat_interval_seconds,
            timeout_seconds=settings.worker.timeout_seconds,
            on_drain=on_drain,
            on_displaced=on_displaced,
        )
        self.presence_loop = Loop("presence", self.life.step, on_error=on_error)
        self.loops = (self.announce_loop, self.presence_loop, self.log_loop)

    def start(self) -> None:
        """Start every loop; the name is ours. Raises ConfigError NO_OTEL."""
        begin_tracing(self._settings)
        for loop in self.loops:
            loop.start()

    def hear(self, worker_id: str) -> None:
        """Somebody wants something of the worker of that name: look at once what it is."""
        if worker_id == self.life.me.id:
            self.presence_loop.wake()

    def drain(self) -> None:
        """Say that one is about to leave."""
        self.life.drain()
        self.presence_loop.wake()

    def stop(self, *, at_once: bool = False) -> None:
        """End every loop, once what runs have said is stored, and say goodbye where one said hello."""
        self.log_writer.flush(_LAST_LINES_IN_A_HURRY_SECONDS if at_once else _LAST_LINES_SECONDS)
        for loop in self.loops:
            loop.stop(timeout=0 if at_once else 2)
        if self.life.arrived:
            with suppress(CronzimusError):
                self.life.leave()
        end_telemetry()


def presence_of(
    settings: Settings, name: str, worker_id: str, *, fires: bool, serves: bool, takes: tuple[Takes, ...]
) -> Presence:
    """What a process called `name`, and `worker_id` where it executes, says of itself.

    Raises ConfigError where it wants kinds that there are not.
    """
    roles = ((WorkerRole.SCHEDULER, fires), (WorkerRole.API, serves), (WorkerRole.WORKER, bool(takes)))
    return Presence(
        id=worker_id,
        boot_id=uuid4(),
        replica=name,
        host=machine(),
        pid=os.getpid(),
        roles=tuple(role for role, has in roles if has),
        capacity=settings.worker.max_concurrent_tasks if takes else 0,
        version=version(),
        takes=takes,
        kinds=kinds_of(settings),
        queues=settings.worker.queues,
        labels=settings.worker.labels,
    )


def report_failure(name: str, error: Exception) -> None:
    """A loop's step failed and is tried again: an outage is told by others, everything else is worth a look."""
    if isinstance(error, Unavailable):
        _LOG.debug("{}: {}", name, error)
    else:
        _LOG.opt(exception=error).error("{} failed and will try again", name)


def end_process(stop: Callable[[], None]) -> None:
    """Stop beside whatever goes on, then end this process as failed; returns at once."""

    def _end() -> None:
        stop()
        os._exit(1)

    threading.Thread(target=_end, name="end", daemon=True).start()
