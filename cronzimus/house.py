"""The house of one process: every part built once, started in order, stopped in reverse."""

import os
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from cronzimus.common.collector import collect_seldom
from cronzimus.common.logger import get_logger
from cronzimus.common.loop import Loop
from cronzimus.common.migrate import Migrations
from cronzimus.common.notify import Listener
from cronzimus.common.pooler import refuse_shared_sessions
from cronzimus.common.sql import queries
from cronzimus.desk import DISPATCH_CHANNEL, Desk
from cronzimus.errors import ConfigError, Conflict, DatabaseUnavailable
from cronzimus.executing import beside_scheduler
from cronzimus.jobs import APSchedulerConfig
from cronzimus.jobs.due import WakeUp
from cronzimus.jobs.scheduler import LedgerScheduler
from cronzimus.living import end_process, report_failure
from cronzimus.models.event import Event, Topic
from cronzimus.models.job import JobDefinition, Source
from cronzimus.models.leader import Term
from cronzimus.models.plan import Reloaded
from cronzimus.operating import Operating
from cronzimus.orders import give_up
from cronzimus.parts import modules_of, new_factory
from cronzimus.pools import Pools
from cronzimus.services.credentials import ACCESS_CHANNEL
from cronzimus.services.definitions import Definitions
from cronzimus.services.events import EVENTS_CHANNEL
from cronzimus.services.explain import Explain
from cronzimus.services.firing import CANCEL_CHANNEL, FiringService
from cronzimus.services.history import History
from cronzimus.services.leadership import Leadership
from cronzimus.services.life import machine
from cronzimus.services.processes import WORKERS_CHANNEL
from cronzimus.services.readiness import ReadinessReport
from cronzimus.services.runs import Runs
from cronzimus.services.timetable import Timetable
from cronzimus.services.upkeep import Upkeep
from cronzimus.services.verify import Verifier
from cronzimus.settings import Settings
from cronzimus.watchdog import Watchdog
from cronzimus.workers.releasing import DEPENDENCIES_CHANNEL

_LOG = get_logger(__name__)
_LISTEN = queries("cronzimus.services.sql", "notify.sql")["listen"]
_NOT_STARTED = "postgresql:///cronzimus-was-not-started"
_BOOT_RETRY_SECONDS = 0.5
_BOOT_STOP_SECONDS = 10.0


class House:
    """Everything one process needs to decide, execute and explain. Build it after a fork, never before."""

    def __init__(
        self,
        settings: Settings,
        more_jobs: Iterable[dict[str, Any]] = (),
        *,
        url: str | None = None,
        hosted: bool = False,
    ) -> None:
        """A `hosted` house may have others of the same settings beside it, so its process is part of its name."""
        self.settings = settings
        self.name = f"{machine()}:{os.getpid()}"
        self._schema_ready = threading.Event()
        self._draining = threading.Event()
        self._stopped = threading.Event()
        self._lead_since = time.monotonic()
        self.pools = Pools.of(settings.database, url)
        self.database = self.pools.service
        in_code = tuple(more_jobs)
        # What code put on the timetable itself may be called: nobody else chose it.
        self._allowed_functions = (*settings.scheduler.allowed_functions, *modules_of(in_code))
        self._build_services(hosted)
        self._build_firing()
        self._build_loops()
        self.config = APSchedulerConfig(settings, self.factory, in_code)

    @classmethod
    def on_paper(cls, settings: Settings) -> "House":
        """A house nobody lives in: its routes can be looked at, its database answers nothing."""
        house = cls(settings, url=_NOT_STARTED)
        house.pools.close()
        return house

    def start(self) -> None:
        """Start every part. A database that is away is waited for in the background; a wrong one is an error."""
        self.config.declared()
        collect_seldom()
        self.leader_loop.start()
        try:
            self._boot()
        except DatabaseUnavailable as error:
            _LOG.warning("The database is not there yet, the service waits for it: {}", error)
            self.boot_loop.start()

    def stop(self) -> None:
        """Resign, let runs finish for as long as settings allow, and leave; calling twice is a no-op."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        self.drain()
        self.boot_loop.stop(timeout=_BOOT_STOP_SECONDS)
        self.desk.stop_dispatching()
        self.executing.finish(self.settings.worker.drain_seconds)
        self.desk.stop()
        self.operating.stop()
        for loop in (self.watchdog_loop, self.upkeep_loop, self.listen_loop, self.leader_loop):
            loop.stop(timeout=2)
        self.listener.close()
        self.pools.close()

    def drain(self) -> None:
        """Hand leadership over at once and stop taking runs; what runs goes on."""
        if self._draining.is_set():
            return
        self._draining.set()
        with suppress(Exception):
            self.leadership.resign()
        self.operating.drain()
        self.scheduler.shutdown(wait=False)
        self.boot_loop.stop(timeout=0)

    def reload(self) -> Reloaded:
        """Take up what the files say now, jobs and the log's settings; ConfigError lists every fault, none is taken."""
        now = self.config.read_again()
        declared = now.declared()
        self.timetable.synchronise(declared)
        restart, self.config = self.config.restart_needed(now), now
        self.operating.audit.record("config.reload", "config/files", after={"jobs": len(declared)})
        return Reloaded(len(declared), restart)

    def declared_now(self) -> list[tuple[JobDefinition, Source]]:
        """What code and the files of this replica declare at this moment. Raises ConfigError."""
        return self.config.read_again().declared()

    def _build_services(self, hosted: bool) -> None:
        self.factory = new_factory(self.settings, self._allowed_functions)
        self.definitions = Definitions(self.pools.ledger, self.factory.check_function)
        self.verifier = Verifier(self.database, self.definitions)
        self.executing = beside_scheduler(
            self.settings,
            self.pools,
            self.definitions,
            self._allowed_functions,
            name=self.name,
            hosted=hosted,
            on_displaced=lambda: end_process(self.stop),
        )
        self.worker = self.executing.worker
        self.operating = Operating(
            self.settings,
            self.pools,
            self.verifier,
            living=self.executing.living,
            term=lambda: self.leadership.term,
        )
        self.timetable = Timetable(self.database, self.definitions)
        self.operating.take_timetable(self.timetable, self.definitions)
        self.history = History(self.database)
        self.explain = Explain(self.database, self.definitions, self.history)
        self.desk = Desk(self.settings, self.database, self.definitions, self.executing)
        self.runs = Runs(
            self.database,
            self.timetable,
            self.definitions,
            self.history,
            self.desk.offer,
            self.operating.announcer.announce,
            self.desk.within,
        )
        self.runs.allow_plain_secrets = self.settings.secrets.allow_plain

    def _build_firing(self) -> None:
        scheduler, announce = self.settings.scheduler, self.operating.announcer.announce
        self.leadership = Leadership(
            self.pools.leader,
            self.name,
            term_seconds=scheduler.leader_term_seconds,
            on_gain=self._on_gain,
            on_lose=self._on_lose,
            may_lead=self._may_lead,
        )
        self.firing = FiringService(
            self.pools.firing, self.definitions, self.leadership, announce, self.desk.within
        )
        self.wake_up = WakeUp(
            self.firing,
            lambda: self.leadership.term,
            self.desk.offer,
            batch_size=scheduler.batch_size,
            poll_seconds=scheduler.poll_seconds,
            backlog=lambda: self.executing.line.waiting,
            observe=self.operating.metrics.wake_ups.observe,
        )
        self.scheduler = LedgerScheduler(self.wake_up, self.factory, self.timetable, self.runs)
        self.upkeep = Upkeep(
            self.database,
            self.desk.offer,
            lambda: self.leadership.term,
            lease_seconds=self.settings.worker.lease_seconds,
            retention_days=self.settings.history.retention_days,
            announce=announce,
        )
        self.operating.take_term(self.settings, self.leadership, self.desk.offer, self.runs)

    def _build_loops(self) -> None:
        handlers = {
            "cronzimus_jobs": self._hear_of_job,
            CANCEL_CHANNEL: self.executing.cancel,
            WORKERS_CHANNEL: self.executing.living.hear,
            EVENTS_CHANNEL: self.operating.hear,
            DISPATCH_CHANNEL: self.desk.hear,
            DEPENDENCIES_CHANNEL: lambda _: self.operating.release_loop.wake(),
            ACCESS_CHANNEL: self.operating.access.credentials.forget,
        }
        self.listener = Listener(self.pools.url, _LISTEN, handlers)
        self.boot_loop = Loop("boot", self._boot_step, on_error=report_failure)
        self.leader_loop = Loop("leadership", self.leadership.step, on_error=report_failure)
        self.upkeep_loop = Loop("upkeep", self.upkeep.step, on_error=report_failure)
        self.listen_loop = Loop("listen", self.listener.step, on_error=report_failure)
        self.watchdog = self._new_watchdog()
        self.watchdog_loop = Loop("watchdog", self.watchdog.step, on_error=report_failure)
        self.readiness = ReadinessReport(
            self.leadership,
            schema_ready=self._schema_ready.is_set,
            scheduler_alive=lambda: self.scheduler.alive,
            worker_alive=lambda: self.worker.alive or not self.executing.takes,
            draining=self._draining.is_set,
            desk=self.desk.components,
            scheduler_enabled=self.settings.scheduler.enabled,
        )

    def _new_watchdog(self) -> Watchdog:
        return Watchdog(
            self.scheduler if self.settings.scheduler.enabled else None,
            self.wake_up,
            self.worker if self.executing.takes else None,
            (self.leader_loop, self.upkeep_loop, self.listen_loop),
            patience_seconds=self.settings.scheduler.watchdog_seconds,
            leading_since=lambda: self._lead_since if self.leadership.term else None,
            leaving=self._draining.is_set,
            look_after=self._look_after_database,
        )

    def _look_after_database(self) -> None:
        if self.readiness.report().components["database"] == "down":
            self.pools.revive()

    def _boot_step(self) -> float | None:
        try:
            self._boot()
        except DatabaseUnavailable:
            return _BOOT_RETRY_SECONDS
        except (ConfigError, Conflict) as error:
            give_up(error)
        return None

    def _boot(self) -> None:
        """Schema, declared jobs, then everything that needs both."""
        refuse_shared_sessions(self.pools.url)
        Migrations(self.pools.url).ensure(may_change=self.settings.database.auto_migrate)
        self.timetable.synchronise(self.config.declared())
        self._schema_ready.set()
        self.executing.arrive(self._stopped)
        self.executing.start()
        if self.settings.scheduler.enabled:
            self.scheduler.start()
        for loop in (self.listen_loop, self.upkeep_loop, self.watchdog_loop):
            loop.start()
        self.operating.start()
        self.desk.start()
        self.leader_loop.wake()

    def _may_lead(self) -> bool:
        """Only a replica whose schema is there and whose scheduler lives stands for election."""
        return self.settings.scheduler.enabled and self._schema_ready.is_set() and self.scheduler.alive

    def _on_gain(self, term: Term) -> None:
        _LOG.info("{} leads now, epoch {}", self.name, term.epoch)
        with suppress(DatabaseUnavailable):
            self.firing.mend_broken()
        self._lead_since = time.monotonic()
        self.scheduler.lead()
        self.operating.announcer.announce(Event(Topic.LEADER, self.name))

    def _on_lose(self) -> None:
        _LOG.info("{} does not lead any more", self.name)
        if self.scheduler.alive:
            self.scheduler.stand_by()

    def _hear_of_job(self, job_id: str) -> None:
        self.scheduler.wake()
        self.operating.hub.hear_job(job_id)
