"""What it takes to operate the house: to see what it does, to say who may change it, to be told in time.

Built by the house beside the heart, which does not know it: firing and running go on without any of this.
"""

from collections.abc import Callable
from datetime import timedelta

from cronzimus.common.loop import Loop
from cronzimus.living import Living, report_failure
from cronzimus.models.leader import Term
from cronzimus.pools import Pools
from cronzimus.services.access import Access
from cronzimus.services.alerts.telling import Telling
from cronzimus.services.audit import Audit
from cronzimus.services.backfill_driver import BackfillDriver
from cronzimus.services.backfills import Backfills
from cronzimus.services.blackouts import Blackouts
from cronzimus.services.calendar_upkeep import CalendarUpkeep
from cronzimus.services.calendars import Calendars
from cronzimus.services.definitions import Definitions
from cronzimus.services.doorkeeper import Doorkeeper
from cronzimus.services.drift import Drift
from cronzimus.services.events import Hub
from cronzimus.services.export import Exporter
from cronzimus.services.holds import Holds
from cronzimus.services.idempotency import Idempotency
from cronzimus.services.insight import Insight
from cronzimus.services.leadership import Leadership
from cronzimus.services.ledger_check import LedgerCheck
from cronzimus.services.metrics import ProcessMetrics, Scrape
from cronzimus.services.planning import Planner
from cronzimus.services.pools import SlotPools
from cronzimus.services.processes import Processes
from cronzimus.services.queues import Queues
from cronzimus.services.run_logs import RunLogs
from cronzimus.services.runs import Runs
from cronzimus.services.timeline import Timelines
from cronzimus.services.timetable import Timetable
from cronzimus.services.totals import LedgerTotals
from cronzimus.services.upkeep import OfferRuns
from cronzimus.services.verify import Verifier
from cronzimus.services.workflows import Workflows
from cronzimus.settings import Settings
from cronzimus.workers.cycles import Judge
from cronzimus.workers.releasing import Releasing


class Operating:
    """The services around the heart and their loops; start and stop as the house does."""

    def __init__(
        self,
        settings: Settings,
        pools: Pools,
        verifier: Verifier,
        *,
        living: Living,
        term: Callable[[], Term | None],
        on_error: Callable[[str, Exception], None] = report_failure,
    ) -> None:
        """`living` is what the process has anyway."""
        self.living = living
        self.announcer, self.log_writer = living.announcer, living.log_writer
        self._on_error = on_error
        self.audit = Audit(pools.service)
        self.database = pools.service
        self.idempotency = Idempotency(pools.service)
        self.access = Access(pools.service, self.audit, settings.api.auth)
        self.doorkeeper = Doorkeeper(self.access, self.audit, timedelta(days=settings.history.audit_days))
        self.hub = Hub(settings.server.streams)
        self.run_logs = RunLogs(pools.service)
        self.totals = LedgerTotals(pools.service)
        self.metrics = ProcessMetrics(pools.named(), lambda: self.hub.watchers)
        self.scrape = Scrape(self.totals, self.metrics)
        self.ledger_check = LedgerCheck(pools.service, verifier, term)
        self.metrics_loop = Loop("metrics", self.metrics.step, on_error=on_error)
        self.check_loop = Loop("ledger check", self.ledger_check.step, on_error=on_error)
        self.insight = Insight(pools.service)
        self.timelines = Timelines(pools.service)
        self.processes = Processes(pools.service, self.announcer.announce)
        self.telling = Telling(
            settings, pools.service, on_error, living.life.me.replica, term, self.announcer.announce
        )
        # Loops that live as long as the house; each step that only the leader takes asks for the term itself.
        self.door_loop = Loop("doorkeeper", self.doorkeeper.step, on_error=on_error)
        self.loops: tuple[Loop, ...] = (
            self.metrics_loop,
            self.check_loop,
            self.door_loop,
            *self.telling.loops,
        )

    def take_timetable(self, timetable: Timetable, definitions: Definitions) -> None:
        """What stands on the timetable, which is made later than what it stands on itself."""
        self.planner = Planner(self.database, definitions, timetable, self.audit)
        self.drift = Drift(self.database, definitions)
        self.exporter = Exporter(timetable)
        self.definitions = definitions
        self.calendars = Calendars(self.database, timetable)
        self.blackouts = Blackouts(self.database)
        self.slot_pools = SlotPools(self.database)
        self.holds = Holds(self.database)
        self.backfills = Backfills(self.database, timetable, definitions, self.announcer.announce)

    def take_term(self, settings: Settings, leadership: Leadership, offer: OfferRuns, runs: Runs) -> None:
        """What only the leader does, and what offers runs to the pool of this process."""
        self.queues = Queues(self.database, offer)

        def _term() -> Term | None:
            return leadership.term

        self.backfill_driver = BackfillDriver(
            self.database,
            self.definitions,
            offer,
            _term,
            leadership.fence,
            retention_days=settings.history.retention_days,
            announce=self.announcer.announce,
        )
        self.workflows = Workflows(self.database, runs)
        self.calendar_upkeep = CalendarUpkeep(self.calendars, _term)

        def _judge() -> Judge:
            term = leadership.term
            return Judge(leadership.holder_name, term.epoch if term else 0)

        self.releasing = Releasing(self.database, self.definitions, offer, _judge, self.announcer.announce)
        self.release_loop = Loop("dependencies", self.releasing.step, on_error=self._on_error)
        self.backfill_loop = Loop("backfill", self.backfill_driver.step, on_error=self._on_error)
        self.calendar_loop = Loop("calendars", self.calendar_upkeep.step, on_error=self._on_error)
        self.loops += (self.backfill_loop, self.calendar_loop, self.release_loop)

    def hear(self, payload: str) -> None:
        """A notification of the channel of events: the end of a run may make room for the next of a backfill."""
        self.hub.hear(payload)
        ended = self.backfill_driver.busy and ('"run"' in payload or '"many"' in payload)
        if ended or '"backfill"' in payload:
            self.backfill_loop.wake()

    def start(self) -> None:
        """Start every loop; the schema is there. Raises ConfigError NO_OTEL."""
        self.living.start()
        for loop in self.loops:
            loop.start()

    def drain(self) -> None:
        """Let the watchers leave, so that a server that waits for its requests can stop."""
        self.hub.close()
        self.living.drain()

    def stop(self) -> None:
        """End every loop, once what runs have said is stored, and say goodbye where one said hello."""
        self.telling.stop()
        for loop in self.loops:
            loop.stop(timeout=2)
        self.living.stop()
