"""Where deliveries of Celery come in: its worker, on a thread of its own."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from celery import Celery
from celery.bootsteps import RUN
from celery.exceptions import WorkerShutdown
from celery.worker import WorkController
from celery.worker.consumer import Consumer
from kombu.entity import Exchange, Queue

from cronzimus.utils.backoff import wait_before
from cronzimus.workers.engines.health import Health

DELIVER: Final = "cronzimus.deliver"
LEFT: Final = "cronzimus.left"
_CONNECT_SECONDS = 1.0
_LISTEN_SECONDS = 0.5
_CLOSE_SECONDS = 2.0
# A dead broker is noticed in 8 s at the most, as a dead PostgreSQL is.
_KEEPALIVE = {
    socket.TCP_KEEPIDLE: 5,
    socket.TCP_KEEPINTVL: 2,
    socket.TCP_KEEPCNT: 3,
    socket.TCP_USER_TIMEOUT: 8000,
}


Taker = Callable[[dict[str, Any]], None]


class App(Celery):  # type: ignore[misc]
    """Celery that is nobody's current app and keeps to the URL it was given, whatever CELERY_BROKER_URL says."""

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__("cronzimus", set_as_current=False, autofinalize=True, **options)
        self._url = url

    def connection_for_read(self, url: str | None = None, **options: Any) -> Any:
        """A connection to the broker."""
        return super().connection_for_read(self._url, **options)

    def connection_for_write(self, url: str | None = None, **options: Any) -> Any:
        """A connection to the broker."""
        return super().connection_for_write(self._url, **options)


def new_app(url: str) -> App:
    """An app that carries deliveries: JSON, no results, nothing that waits for long."""
    app = App(url)
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        result_backend=None,
        broker_connection_timeout=_CONNECT_SECONDS,
        broker_connection_retry=False,
        broker_connection_retry_on_startup=False,
        broker_heartbeat=0,
        broker_transport_options=_patience(url),
        worker_hijack_root_logger=False,
        worker_enable_remote_control=False,
        worker_prefetch_multiplier=64,
        worker_send_task_events=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        task_create_missing_queues=False,
    )
    return app


def _patience(url: str) -> dict[str, Any]:
    """How long a socket may keep us waiting, in the words of each broker."""
    if url.startswith("redis"):
        return {
            "socket_timeout": _CONNECT_SECONDS,
            "socket_connect_timeout": _CONNECT_SECONDS,
            "socket_keepalive": True,
            "health_check_interval": 5,
            "visibility_timeout": 3600,
        }
    return {
        "confirm_publish": True,
        "socket_settings": _KEEPALIVE,
        "read_timeout": _CONNECT_SECONDS,
        "write_timeout": _CONNECT_SECONDS,
    }


def opened(connection: Any) -> Any:
    """The connection, after one try at each of the brokers its URL names."""
    brokers = max(len(connection.alt), 1)
    return connection.ensure_connection(max_retries=brokers - 1, interval_start=0, interval_step=0)


class Station:
    """Takes in the messages of one queue, and begins again after every outage until it is stopped."""

    def __init__(self, url: str, queue: Queue, task: str, take: Taker, health: Health) -> None:
        self._url = url
        self._queue = queue
        self.task = task
        self._take = take
        self._health = health
        self._stopping = threading.Event()
        self._failures = 0
        self._thread = threading.Thread(target=self._run, name="engine-station", daemon=True)

    @property
    def stopping(self) -> bool:
        """Whether to end."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Begin to take in."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end."""
        self._stopping.set()

    def join(self) -> None:
        """Wait until it has ended, if the broker lets it end in time."""
        self._thread.join(_CLOSE_SECONDS)

    def ready(self) -> None:
        """Messages come in."""
        self._failures = 0
        self._health.up()

    def dropped(self, reason: Exception | str) -> None:
        """A message was none of ours."""
        self._health.dropped(self._queue.name, reason)

    def lost(self, error: BaseException | None) -> None:
        """The consumer has ended, of itself or because it was told to."""
        if not self.stopping:
            self._health.down(error or RuntimeError("its worker has ended"))

    def _run(self) -> None:
        while not self.stopping:
            try:
                self._session()
            except Exception as error:
                self.lost(error)
            self._failures += 1
            self._stopping.wait(wait_before(self._failures + 1, backoff=0.1, multiplier=2, cap=2))

    def _session(self) -> None:
        app = new_app(self._url)
        app.station = self
        app.conf.task_queues = [self._queue]
        # Celery would bind it to an exchange of its own, and Redis remember the binding for ever.
        app.amqp.queues[self._queue.name].exchange = Exchange("")  # type: ignore[no-untyped-call]
        app.task(name=self.task, shared=False)(self._taken)
        app.set_current()  # of this thread; celery looks its tasks up there
        try:
            Worker(
                app=app,
                pool="solo",
                concurrency=1,
                consumer_cls=Intake,
                use_eventloop=False,
                without_mingle=True,
                without_gossip=True,
                without_heartbeat=True,
            ).start()
        finally:
            app.close()

    def _taken(self, **payload: Any) -> None:
        try:
            self._take(payload)
        except Exception as error:
            self.dropped(error)


class Worker(WorkController):  # type: ignore[misc]
    """Celery's worker, which leaves the time limits of other people's sockets alone when it ends."""

    def _shutdown(self, warm: bool = True) -> None:
        self.blueprint.stop(self, terminate=not warm)
        self.blueprint.join()


class Intake(Consumer):  # type: ignore[misc]
    """Celery's consumer, which ends when it is asked to and drops what is none of ours."""

    def start(self) -> None:
        """Consume until the end, and tell the station why it came."""
        try:
            super().start()
        except SystemExit as end:
            self.app.station.lost(end.__cause__)
            raise
        except Exception as error:
            self.app.station.lost(error)
            raise WorkerShutdown(1) from error

    def ensure_connected(self, conn: Any) -> Any:
        """Try once: whether and when to try again is the station's business."""
        return opened(conn)

    def update_strategies(self) -> None:
        """Of all tasks this process knows, the user's shared ones among them, only the station's may be called."""
        super().update_strategies()
        for name in self.strategies.keys() - {self.app.station.task}:
            del self.strategies[name]

    def loop_args(self) -> tuple[()]:
        """Everything the loop needs is here already."""
        return ()

    def loop(self) -> None:
        """Take in messages until the connection breaks or the station stops."""
        self.task_consumer.on_message = self.create_task_handler()
        self.task_consumer.consume()
        self.on_ready()
        self.app.station.ready()
        while self.blueprint.state == RUN and self.connection:
            if self.app.station.stopping:
                raise WorkerShutdown(0)
            if self.qos.prev != self.qos.value:
                self.qos.update()
            self.perform_pending_operations()
            with suppress(TimeoutError):
                self.connection.drain_events(timeout=_LISTEN_SECONDS)

    def on_unknown_message(self, body: Any, message: Any) -> None:
        """Not a task at all."""
        self._drop(message, "it is not a task")

    def on_unknown_task(self, body: Any, message: Any, exc: Exception) -> None:
        """A task of somebody else."""
        self._drop(message, f"no such task: {exc}")

    def on_invalid_task(self, body: Any, message: Any, exc: Exception) -> None:
        """A task that cannot be read."""
        self._drop(message, exc)

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """A body that cannot be read."""
        self._drop(message, exc)

    def _drop(self, message: Any, reason: Exception | str) -> None:
        self.app.station.dropped(reason)
        message.reject()
