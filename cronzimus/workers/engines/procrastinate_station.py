"""Where deliveries of procrastinate come in: its worker, in an event loop on a thread of its own."""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, LiteralString

from procrastinate import App, PsycopgConnector

from cronzimus.common.db import as_json, session_conninfo
from cronzimus.common.guards import GUARD, session_guards
from cronzimus.common.logger import get_logger
from cronzimus.common.sql import queries
from cronzimus.utils.backoff import wait_before
from cronzimus.workers.engine import Take
from cronzimus.workers.engines.health import Health
from cronzimus.workers.engines.payload import run_ids_of
from cronzimus.workers.engines.procrastinate_schema import DeliverySchema

_SQL = queries("cronzimus.workers.engines", "procrastinate.sql")
_TASK = "cronzimus.deliver"
_ANSWER_SECONDS = 5.0
_STATEMENT_SECONDS = 4.0
_POLL_SECONDS = 1.0
_CLOSE_SECONDS = 2.0
_PRUNE_SECONDS = 600.0
_LONG_SECONDS = 10.0
_OLD = timedelta(hours=1)
# A delivery that comes twice is harmless, so that nobody waits for the disk.
_UNSAFE_COMMITS = {"synchronous_commit": "off"}
_GUARDS = session_guards(_STATEMENT_SECONDS, _UNSAFE_COMMITS)
_log = get_logger(__name__)


class Connector(PsycopgConnector):
    """The library's own, which gives up on a server that does not answer, and tells when one does."""

    def __init__(self, answered: Callable[[], None], **pool: Any) -> None:
        super().__init__(**pool)
        self._answered = answered

    async def execute_query_async(self, query: LiteralString, **arguments: Any) -> None:
        """As the library does it, in bounded time."""
        async with asyncio.timeout(_ANSWER_SECONDS):
            await super().execute_query_async(query, **arguments)
        self._answered()

    async def execute_query_one_async(self, query: LiteralString, **arguments: Any) -> dict[str, Any]:
        """As the library does it, in bounded time."""
        async with asyncio.timeout(_ANSWER_SECONDS):
            row: dict[str, Any] = await super().execute_query_one_async(query, **arguments)
        self._answered()
        return _readable(row)

    async def execute_query_all_async(self, query: LiteralString, **arguments: Any) -> list[dict[str, Any]]:
        """As the library does it, in bounded time."""
        async with asyncio.timeout(_ANSWER_SECONDS):
            rows: list[dict[str, Any]] = await super().execute_query_all_async(query, **arguments)
        self._answered()
        return rows


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    """A row that is none of our deliveries as one that says so: the library stumbles over some of them."""
    ours = row.get("task_name") in (None, _TASK) and isinstance(row.get("args"), dict | None)
    return row if ours else {**row, "task_name": _TASK, "args": {}}


class Station:
    """Takes in the deliveries of one queue, and begins again after every outage until it is stopped."""

    def __init__(self, url: str, queue: str, take: Take, schema: DeliverySchema, health: Health) -> None:
        self._conninfo = session_conninfo(url, "cronzimus:receive")
        self._queue = queue
        self._take = take
        self._schema = schema
        self._health = health
        self._stopping = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="engine-station", daemon=True)

    def start(self) -> None:
        """Begin to take in."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end."""
        with suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(self._stopping.set)

    def join(self) -> None:
        """Wait until it has ended, if the server lets it end in time."""
        self._thread.join(_CLOSE_SECONDS)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._stay())

    async def _stay(self) -> None:
        # What its tasks leave behind when the server goes is the outage we tell of.
        self._loop.set_exception_handler(lambda _, left: _log.debug("left behind: {}", left.get("message")))
        failures = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                await self._session()
            except Exception as error:
                if self._stopping.is_set():
                    return
                self._schema.doubt()
                self._health.down(error)
                failures = 1 if time.monotonic() - began > _LONG_SECONDS else failures + 1
                await self._rest(wait_before(failures + 1, backoff=0.1, multiplier=2, cap=2))

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _session(self) -> None:
        """Work until asked to stop; raises when the worker ends before that."""
        await asyncio.to_thread(self._schema.ensure)
        app = self._new_app()
        async with app.open_async():
            worker = asyncio.create_task(self._work(app))
            pruning = asyncio.create_task(self._prune())
            stopped = asyncio.create_task(self._stopping.wait())
            try:
                await asyncio.wait({worker, stopped}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (worker, pruning, stopped):
                    task.cancel()
            with suppress(asyncio.CancelledError):
                await worker
                raise RuntimeError("its worker has ended")

    async def _work(self, app: App) -> None:
        await app.run_worker_async(
            queues=[self._queue],
            concurrency=1,
            fetch_job_polling_interval=_POLL_SECONDS,
            abort_job_polling_interval=3600.0,
            shutdown_graceful_timeout=0.5,
            listen_notify=True,
            delete_jobs="always",
            install_signal_handlers=False,
        )

    async def _prune(self) -> None:
        while True:
            with suppress(Exception):  # whatever it is, the worker meets it too
                await asyncio.to_thread(self._schema.prune, _OLD)
            await asyncio.sleep(_PRUNE_SECONDS)

    async def _deliver(self, **payload: Any) -> None:
        try:
            self._take(run_ids_of(payload))
        except Exception as error:
            self._health.dropped(self._queue, error)

    def _new_app(self) -> App:
        patience = {"timeout": 2.0, "reconnect_timeout": 2.0}
        pool = {"conninfo": self._conninfo, "min_size": 0, "max_size": 2, "configure": _enter, **patience}
        app = App(connector=Connector(self._health.up, **pool))
        app.task(name=_TASK)(self._deliver)
        return app


async def _enter(connection: Any) -> None:
    await connection.set_autocommit(True)
    await connection.execute(GUARD, [as_json(_GUARDS)])
    await connection.execute(_SQL["enter"], {"for_transaction": False})
