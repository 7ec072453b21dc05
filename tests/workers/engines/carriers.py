"""Every engine behind one face: how to make one, to cut it off from its server, and to put garbage before it."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import psycopg
import pytest
from kombu import Connection
from kombu.entity import Queue

from cronzimus.errors import EngineUnavailable
from cronzimus.utils.ids import new_id
from cronzimus.workers.engine import Delivery, Engine
from cronzimus.workers.engines.celery import CeleryEngine
from cronzimus.workers.engines.inline import InlineEngine
from cronzimus.workers.engines.procrastinate import ProcrastinateEngine
from tests.e2e.proxy import Proxy
from tests.heart import until

BROKERS = {"rabbit": "TEST_AMQP_URL", "redis": "TEST_REDIS_URL"}
GARBAGE = [b"", b"\xff\x00", b"[1, 2", b'{"runs": 5}', b'[[], {"runs": ["x"]}, null]', b'"runs"']


@dataclass
class Carrier:
    """One engine to be tried, and what surrounds it. `cut` takes the server away, `heal` brings it back."""

    make: Callable[[], Engine]
    cut: Callable[[], None]
    heal: Callable[[], None]
    throw: Callable[[str, bytes], None]
    task_queue: str
    database_url: str = ""
    url: str = ""
    status_queue: str = ""
    engines: list[Engine] = field(default_factory=list)

    def engine(self) -> Engine:
        """An engine that is closed at the end of the test."""
        self.engines.append(self.make())
        return self.engines[-1]

    def queue_of(self, worker_id: str) -> str:
        """The name of a worker's queue."""
        return f"{self.task_queue}.{worker_id}"

    def declared(self, worker_id: str) -> Any:
        """A worker's queue as the engine on a broker declares it."""
        engine, *_ = [engine for engine in self.engines if isinstance(engine, CeleryEngine)]
        return engine._queue_of(worker_id)


class Inbox:
    """What a worker has taken in."""

    def __init__(self) -> None:
        self.runs: list[UUID] = []
        self.deliveries: list[tuple[UUID, ...]] = []

    def take(self, run_ids: Any) -> None:
        """What an engine calls."""
        self.deliveries.append(tuple(run_ids))
        self.runs.extend(run_ids)


def new_worker_id() -> str:
    """A name nobody has."""
    return f"w-{uuid4().hex[:8]}"


def ids(count: int) -> tuple[UUID, ...]:
    """Ids of runs."""
    return tuple(new_id() for _ in range(count))


def arrives(engine: Engine, worker_id: str, inbox: Inbox) -> None:
    """Send until something of it comes out at the other end, as the dispatcher does."""

    def _came() -> bool:
        wanted = ids(1)
        with suppress(EngineUnavailable):
            engine.send([Delivery(worker_id, wanted)])
        with suppress(AssertionError):
            until(lambda: wanted[0] in inbox.runs, 1.0)
        return wanted[0] in inbox.runs

    until(_came)


def broker_url(name: str) -> str:
    """Where the broker is; skips where there is none."""
    url = os.environ.get(BROKERS[name])
    if not url:
        pytest.skip(f"no broker: set {BROKERS[name]}")
    return url


@contextmanager
def inline() -> Iterator[Carrier]:
    """The engine of one process, which has no server."""
    yield Carrier(InlineEngine, lambda: None, lambda: None, lambda *_: None, "task_queue")


@contextmanager
def postgres(url: str, *, transactional: bool) -> Iterator[Carrier]:
    """procrastinate on a database of its own."""
    database = urlsplit(url).path.strip("/")
    with psycopg.connect(url, autocommit=True) as admin, _beside(url) as outside:
        assert admin.info.dbname == database

        def _cut() -> None:
            outside.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")
            outside.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND application_name LIKE 'cronzimus:%%'",
                [database],
            )

        def _throw(worker_id: str, body: bytes) -> None:
            with suppress(ValueError):
                _put(admin, f"task_queue.{worker_id}", json.loads(body))

        yield Carrier(
            lambda: ProcrastinateEngine(url, transactional=transactional),
            _cut,
            lambda: outside.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS true") and None,
            _throw,
            "task_queue",
            database_url=url,
        )
        outside.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS true")


@contextmanager
def broker(name: str) -> Iterator[Carrier]:
    """Celery on a broker, behind a network that can be cut."""
    url = broker_url(name)
    port = urlsplit(url).port or {"rabbit": 5672, "redis": 6379}[name]
    proxy = Proxy(port)
    through = url.replace(f":{port}", f":{proxy.port}")
    task_queue, status_queue = f"t{uuid4().hex[:8]}", f"s{uuid4().hex[:8]}"

    def _throw(worker_id: str, body: bytes) -> None:
        with Connection(url) as connection:
            connection.Producer().publish(
                body, routing_key=f"{task_queue}.{worker_id}", content_type="application/json"
            )

    yield Carrier(
        lambda: CeleryEngine(through, task_queue, status_queue),
        proxy.cut,
        proxy.heal,
        _throw,
        task_queue,
        url=url,
        status_queue=status_queue,
    )
    proxy.close()
    with Connection(url) as connection:
        Queue(status_queue, channel=connection.default_channel).delete()


@contextmanager
def _beside(url: str) -> Iterator[psycopg.Connection[Any]]:
    """A session on another database of the same server."""
    with psycopg.connect(url, dbname="postgres", autocommit=True) as connection:
        yield connection


def _put(admin: psycopg.Connection[Any], queue: str, args: Any) -> None:
    admin.execute(
        "INSERT INTO cronzimus_deliveries.procrastinate_jobs (queue_name, task_name, args)"
        " SELECT %s, name, %s FROM unnest(ARRAY['cronzimus.deliver', 'somebody.else']) AS name",
        [queue, psycopg.types.json.Jsonb(args)],
    )
