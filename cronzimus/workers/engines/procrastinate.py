"""Deliveries through procrastinate: rows of PostgreSQL, written in the transaction that dispatches."""

import json
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from procrastinate import __version__ as release
from procrastinate.schema import SchemaManager

from cronzimus.common.db import Database
from cronzimus.common.logger import get_logger
from cronzimus.common.loop import Loop
from cronzimus.common.notify import Listener
from cronzimus.common.sql import queries
from cronzimus.workers.engine import Delivery, EngineState, Take
from cronzimus.workers.engines.health import Health
from cronzimus.workers.engines.naming import queue_for
from cronzimus.workers.engines.payload import payload_of
from cronzimus.workers.engines.procrastinate_schema import DeliverySchema
from cronzimus.workers.engines.procrastinate_station import Station

_SQL = queries("cronzimus.workers.engines", "procrastinate.sql")
_CHANNEL = "cronzimus_dispatch"
# Its triggers notify a channel called after the queue with 23 letters before it; a channel's name has 63 at the most.
_LONGEST_QUEUE = 40
_log = get_logger(__name__)


class ProcrastinateEngine:
    """Carries deliveries through one PostgreSQL: a connection to send, and up to three for each who receives.

    In the service's own database it is transactional: a dispatch and its deliveries commit together. Elsewhere it
    sends what was committed.
    """

    name = "procrastinate"

    def __init__(self, url: str, task_queue: str = "task_queue", *, transactional: bool = True) -> None:
        self.transactional = transactional
        self._url = url
        self._task_queue = task_queue
        self._database = Database(url, 1, timeout=2.0, application_name="cronzimus:deliver")
        self._schema = DeliverySchema(url, release, SchemaManager.get_schema())
        self._health = Health("procrastinate", _log)
        self._stations: list[Station] = []
        self._ears: list[tuple[Loop, Listener]] = []

    @property
    def state(self) -> EngineState:
        """As the last try has shown."""
        return self._health.state

    def send(self, deliveries: Sequence[Delivery], connection: Any = None) -> None:
        """Write all deliveries with one statement, on `connection` or on its own."""
        if not deliveries:
            return
        values = {
            "queues": [self._queue_of(delivery.worker_id) for delivery in deliveries],
            "args": [json.dumps(payload_of(delivery.run_ids)) for delivery in deliveries],
        }
        try:
            self._schema.ensure()
            (self._database if connection is None else connection).execute(_SQL["deliver"], values)
        except Exception as error:
            self._schema.doubt()
            raise self._health.down(error) from error
        self._health.up()

    def receive(self, worker_id: str, take: Take) -> None:
        """Let a worker of procrastinate take in what comes for this one of ours."""
        station = Station(self._url, self._queue_of(worker_id), take, self._schema, self._health)
        self._stations.append(station)
        station.start()

    def report(self, worker_id: str, run_ids: Sequence[UUID]) -> None:
        """Notify the channel `cronzimus_dispatch`."""
        try:
            self._database.execute(_SQL["report"], {"worker": worker_id})
        except Exception as error:
            self._health.down(error)

    def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake` at notifications from another database.

        In the service's own, the house listens to the channel `cronzimus_dispatch` already.
        """
        if self.transactional:
            return
        listener = Listener(self._url, _SQL["listen"], {_CHANNEL: lambda _: wake()})
        loop = Loop("engine-ear", listener.step, on_error=lambda _, error: self._deaf(error))
        self._ears.append((loop, listener))
        loop.start()

    def close(self) -> None:
        """End the workers and leave the server."""
        for station in self._stations:
            station.stop()
        for loop, _ in self._ears:
            loop.stop(timeout=0)
        for station in self._stations:
            station.join()
        for loop, listener in self._ears:
            loop.stop(timeout=2.0)
            listener.close()
        self._stations.clear()
        self._ears.clear()
        self._database.close()

    def _deaf(self, error: Exception) -> None:
        self._health.down(error)

    def _queue_of(self, worker_id: str) -> str:
        return queue_for(self._task_queue, worker_id, _LONGEST_QUEUE)
