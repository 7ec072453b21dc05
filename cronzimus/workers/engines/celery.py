"""Deliveries through Celery: messages on RabbitMQ or Redis, sent once the dispatch has committed."""

import threading
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from celery import Celery
from kombu.entity import Exchange, Queue

from cronzimus.common.logger import get_logger
from cronzimus.workers.engine import Delivery, EngineState, Take
from cronzimus.workers.engines.celery_station import DELIVER, LEFT, Station, Taker, new_app, opened
from cronzimus.workers.engines.health import Health
from cronzimus.workers.engines.naming import queue_for
from cronzimus.workers.engines.payload import payload_of, run_ids_of

# RabbitMQ's names have 255 bytes at the most.
_LONGEST_QUEUE = 200
_CONFIRM_SECONDS = 1.0
_HOUR_MS = 3_600_000
# A report nobody has heard for so long says nothing any more.
_REPORT_SECONDS = 10
_TRANSIENT = 1
_log = get_logger(__name__)


class CeleryEngine:
    """Carries deliveries as tasks of Celery, one queue for each worker.

    A message is acknowledged when it was taken in. The broker need not write it to disk, and forgets the queue of a
    worker that was not there for an hour: what gets lost is sent again.
    """

    name = "celery"
    transactional = False

    def __init__(self, url: str, task_queue: str = "task_queue", status_queue: str = "status_queue") -> None:
        self._url = url
        self._task_queue = task_queue
        self._status_queue = _queue(
            status_queue, {"x-message-ttl": _REPORT_SECONDS * 1000, "x-max-length": 10_000}
        )
        self._health = Health("celery", _log)
        self._post = Post(url)
        self._stations: list[Station] = []

    @property
    def state(self) -> EngineState:
        """As the last try has shown."""
        return self._health.state

    def send(self, deliveries: Sequence[Delivery], connection: Any = None) -> None:
        """Publish all deliveries, each confirmed by the broker."""
        letters = [
            (DELIVER, payload_of(delivery.run_ids), self._queue_of(delivery.worker_id))
            for delivery in deliveries
        ]
        try:
            self._post.send(letters)
        except Exception as error:
            raise self._health.down(error) from error
        self._health.up()

    def receive(self, worker_id: str, take: Take) -> None:
        """Let a worker of Celery take in what comes for this one of ours."""
        self._attend(self._queue_of(worker_id), DELIVER, lambda payload: take(run_ids_of(payload)))

    def report(self, worker_id: str, run_ids: Sequence[UUID]) -> None:
        """Publish to the status queue."""
        payload = {"worker": worker_id, **payload_of(run_ids)}
        try:
            self._post.send([(LEFT, payload, self._status_queue)], expires=_REPORT_SECONDS)
        except Exception as error:
            self._health.down(error)

    def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake` at what comes to the status queue; of several who listen, each report reaches one."""

        def _left(payload: dict[str, Any]) -> None:
            run_ids_of(payload)
            wake()

        self._attend(self._status_queue, LEFT, _left)

    def close(self) -> None:
        """End the workers and leave the broker."""
        for station in self._stations:
            station.stop()
        for station in self._stations:
            station.join()
        self._stations.clear()
        self._post.close()

    def _attend(self, queue: Queue, task: str, take: Taker) -> None:
        station = Station(self._url, queue, task, take, self._health)
        self._stations.append(station)
        station.start()

    def _queue_of(self, worker_id: str) -> Queue:
        return _queue(queue_for(self._task_queue, worker_id, _LONGEST_QUEUE), {"x-expires": _HOUR_MS})


class Post:
    """One connection that publishes, and is made anew when it broke. Thread-safe; fails within two seconds."""

    def __init__(self, url: str) -> None:
        self._app: Celery = new_app(url)
        self._lock = threading.Lock()
        self._producer: Any = None

    def send(
        self, letters: Sequence[tuple[str, dict[str, Any], Queue]], expires: float | None = None
    ) -> None:
        """Publish (task, payload, queue) each.

        A connection that broke while nobody spoke shows it only now, and that is no outage: so one more try.
        """
        with self._lock:
            try:
                known = self._producer is not None
                self._publish(letters, expires)
            except Exception:
                self._drop()
                if not known:
                    raise
                self._publish_or_drop(letters, expires)

    def close(self) -> None:
        """Leave the broker."""
        with self._lock:
            self._drop()
            self._app.close()

    def _publish_or_drop(
        self, letters: Sequence[tuple[str, dict[str, Any], Queue]], expires: float | None
    ) -> None:
        try:
            self._publish(letters, expires)
        except Exception:
            self._drop()
            raise

    def _publish(self, letters: Sequence[tuple[str, dict[str, Any], Queue]], expires: float | None) -> None:
        if self._producer is None:
            self._producer = self._connected()
        for task, payload, queue in letters:
            self._app.send_task(
                task,
                kwargs=payload,
                queue=queue,
                producer=self._producer,
                expires=expires,
                retry=False,
                ignore_result=True,
                delivery_mode=_TRANSIENT,
                confirm_timeout=_CONFIRM_SECONDS,
            )

    def _connected(self) -> Any:
        connection = self._app.connection_for_write()
        try:
            return self._app.amqp.Producer(opened(connection), auto_declare=False)
        except Exception:
            connection.release()
            raise

    def _drop(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            _forget(producer)


def _forget(producer: Any) -> None:
    connection = producer.connection
    try:
        connection.collect()
    except Exception as error:
        _log.debug("a broken connection was left behind: {}", error)


def _queue(name: str, arguments: dict[str, Any]) -> Queue:
    unnamed = Exchange("")  # type: ignore[no-untyped-call]
    return Queue(name, unnamed, name, queue_arguments=arguments)  # type: ignore[no-untyped-call]
