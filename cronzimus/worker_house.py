"""The process that only executes: it takes what the dispatcher gives it, and serves nothing."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cronzimus.common.collector import collect_seldom
from cronzimus.common.logger import get_logger
from cronzimus.common.loop import Loop
from cronzimus.common.migrate import Migrations
from cronzimus.common.notify import Listener
from cronzimus.common.pooler import refuse_shared_sessions
from cronzimus.common.sql import queries
from cronzimus.errors import ConfigError, Conflict, CronzimusError, DatabaseUnavailable
from cronzimus.executing import Executing
from cronzimus.living import presence_of, report_failure
from cronzimus.models.worker import Takes
from cronzimus.orders import EXIT_FAILED, STOPS, Orders, exit_code_of, refused
from cronzimus.parts import new_factory
from cronzimus.pools import Pools
from cronzimus.services.definitions import Definitions
from cronzimus.services.firing import CANCEL_CHANNEL
from cronzimus.services.life import machine
from cronzimus.services.processes import WORKERS_CHANNEL
from cronzimus.settings import Settings
from cronzimus.version import version
from cronzimus.watchdog import Watchdog

_LOG = get_logger(__name__)
_LOOK_AGAIN_SECONDS = 0.5
# What is left then is left to whoever finds it: leases run out, and a guard kills what still runs.
_AT_ONCE_SECONDS = 1.75

# Orders beside signals: it was asked to drain, it must end, it has ended.
DRAIN: Final = 200
END: Final = 201
GONE: Final = 202


class WorkerHouse:
    """Everything a worker's process needs; `order` is called with DRAIN, END and GONE. Build it after a fork."""

    def __init__(
        self,
        settings: Settings,
        order: Callable[[int], None],
        *,
        url: str | None = None,
        health: Path | None = None,
    ) -> None:
        """`health` is a file that is touched for as long as the process is sound."""
        self.settings = settings
        self.name = f"{machine()}:{os.getpid()}"
        self.worker_id = settings.worker.worker_id or self.name
        self.exit_code = EXIT_FAILED
        self._order, self._health = order, health
        self._leaving, self._leaving_once = threading.Event(), threading.Lock()
        self._at_once = threading.Event()
        self._said: str | None = None
        self.pools = Pools.of(settings.database, url)
        self._build_executing()
        self._build_loops()

    def start(self) -> None:
        """Begin in the background: the database, its schema and the name are waited for. Raises ConfigError."""
        collect_seldom()
        try:
            self._touch()
        except OSError as error:
            raise ConfigError(
                f"the health file {self._health} cannot be written: {error.strerror}"
            ) from error
        self.boot_loop.start()

    def leave(self, patience: float | None) -> None:
        """Take nothing new, finish what runs within so many seconds (None is as long as it takes), and go.

        Returns at once. Asked again, the shorter patience counts; without any, processes are killed too.
        """
        if patience is not None:
            self._lose_patience_in(patience)
        with self._leaving_once:
            if not self._leaving.is_set():
                self._leaving.set()
                threading.Thread(target=self._leave, name="leave", daemon=True).start()

    def hurry(self) -> None:
        """Go at once: what runs is stopped, killed and reported within seconds."""
        self._at_once.set()
        self.executing.worker.hurry(at_once=True)
        self.leave(None)

    def _build_executing(self) -> None:
        settings = self.settings
        factory = new_factory(settings, settings.scheduler.allowed_functions)
        self.executing = Executing(
            settings,
            self.pools,
            Definitions(self.pools.ledger, factory.check_function),
            settings.scheduler.allowed_functions,
            presence_of(
                settings, self.name, self.worker_id, fires=False, serves=False, takes=(Takes.WORKERS,)
            ),
            ahead=False,
            isolate=settings.worker.isolation == "process",
            on_drain=lambda: self._order(DRAIN),
            on_displaced=lambda: self._order(END),
        )

    def _build_loops(self) -> None:
        handlers = {CANCEL_CHANNEL: self.executing.cancel, WORKERS_CHANNEL: self.executing.living.hear}
        listen = queries("cronzimus.services.sql", "notify.sql")["listen_as_worker"]
        self.listener = Listener(self.pools.url, listen, handlers)
        self.boot_loop = Loop("boot", self._boot_step, on_error=report_failure)
        self.listen_loop = Loop("listen", self.listener.step, on_error=report_failure)
        self.watchdog = Watchdog(
            None,
            None,
            self.executing.worker,
            (self.listen_loop, self.executing.intake.loop, *self.executing.living.loops),
            patience_seconds=self.settings.scheduler.watchdog_seconds,
            leading_since=lambda: None,
            leaving=self._leaving.is_set,
            look_after=self._look_after,
        )
        self.watchdog_loop = Loop("watchdog", self.watchdog.step, on_error=report_failure)

    def _boot_step(self) -> float | None:
        try:
            return self._boot()
        except DatabaseUnavailable as error:
            return self._wait(f"The database is not there yet, the worker waits for it: {error}")
        except (ConfigError, Conflict) as error:
            _LOG.critical("The worker {} cannot start: {}", self.worker_id, error.message)
            self.exit_code = exit_code_of(error)
            self._order(END)
        return None

    def _boot(self) -> float | None:
        """The schema, which others bring up to date; the name; then everything that needs both."""
        if not Migrations(self.pools.url).is_ready():
            return self._wait("The schema is older than this version: the worker waits for its upgrade")
        refuse_shared_sessions(self.pools.url)
        self.executing.arrive(self._leaving)
        if self._leaving.is_set():
            return None
        self.executing.living.start()
        self.executing.start()
        for loop in (self.listen_loop, self.watchdog_loop):
            loop.start()
        worker = self.settings.worker
        _LOG.info(
            "Worker {} takes up to {} runs ({})", self.worker_id, worker.max_concurrent_tasks, self._wishes()
        )
        return None

    def _wait(self, why: str) -> float:
        """Seconds until the next look; of what is waited for each thing is said once."""
        if self._said != (what := why.partition(":")[0]):
            _LOG.warning(why)
        self._said = what
        self._touch()
        return _LOOK_AGAIN_SECONDS

    def _wishes(self) -> str:
        me = self.executing.living.life.me
        labels = ", ".join(f"{name}={value}" for name, value in me.labels.items())
        parts = (f"kinds: {', '.join(me.kinds)}", f"queues: {', '.join(me.queues) or 'all'}")
        return "; ".join((*parts, *([f"labels: {labels}"] if labels else [])))

    def _look_after(self) -> None:
        self._touch()
        silent = time.monotonic() - self.executing.living.presence_loop.last_completed
        if silent > self.settings.worker.timeout_seconds:
            self.pools.revive()

    def _touch(self) -> None:
        if self._health is not None:
            self._health.touch()

    def _lose_patience_in(self, seconds: float) -> None:
        timer = threading.Timer(seconds, self.executing.worker.hurry)
        timer.daemon = True
        timer.start()

    def _leave(self) -> None:
        try:
            self._finish()
        finally:
            if self._health is not None:
                self._health.unlink(missing_ok=True)
            self._order(GONE)

    def _finish(self) -> None:
        self.boot_loop.stop(timeout=_AT_ONCE_SECONDS)
        living = self.executing.living
        living.drain()
        self.executing.finish(None)
        living.stop(at_once=self._at_once.is_set())
        if self._at_once.is_set():
            return
        self.executing.engine.close()
        for loop in (self.watchdog_loop, self.listen_loop):
            loop.stop(timeout=2)
        self.listener.close()
        self.pools.close()


def work(settings: Settings, *, health: Path | None = None) -> int:
    """Execute until it is told to stop, drained, or displaced; the exit code.

    The first SIGINT or SIGTERM lets runs end for `worker.drain_seconds`, the second ends them at once.
    """
    orders = Orders(kill_after=3)
    try:
        house = WorkerHouse(settings, orders.give, health=health)
        _LOG.info("Cronzimus {} starts worker {} ({})", version(), house.worker_id, settings.environment)
        house.start()
    except CronzimusError as error:
        return refused(error)
    return _until_gone(orders, house)


def _until_gone(orders: Orders, house: WorkerHouse) -> int:
    code, signals, deadline = 0, 0, None
    while True:
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        order = orders.wait(DRAIN, END, GONE, timeout=left)
        if order in STOPS:
            code, signals = 128 + order, signals + 1
            if signals == 1:
                _LOG.info("Stopping: what runs may finish, what has not begun goes back")
                house.leave(house.settings.worker.drain_seconds)
            else:
                deadline = time.monotonic() + _AT_ONCE_SECONDS
                house.hurry()
        elif order == DRAIN:
            _LOG.info("Worker {} was asked to drain: it finishes what runs, and ends", house.worker_id)
            house.leave(None)
        elif order == END:
            code = house.exit_code
            house.leave(0)
        elif order == GONE and deadline is None:
            return code
        else:
            os._exit(code)
