"""The thread that receives; what comes in is tried in test_contract.py."""

import signal
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from celery import current_app, shared_task
from kombu import Connection
from kombu.entity import Queue
from kombu.exceptions import OperationalError

from cronzimus.common.logger import get_logger
from cronzimus.workers.engine import EngineState
from cronzimus.workers.engines.celery_station import DELIVER, Station, new_app, opened
from cronzimus.workers.engines.health import Health
from tests.heart import until
from tests.workers.engines.carriers import Carrier, Inbox, arrives, broker, new_worker_id

AWAY = "amqp://guest:guest@127.0.0.1:1//"


@pytest.fixture
def health() -> Health:
    return Health("celery", get_logger("engine"))


@pytest.fixture(params=["rabbit", "redis"])
def carrier(request: pytest.FixtureRequest) -> Iterator[Carrier]:
    with broker(request.param) as carrier:
        yield carrier
        for engine in carrier.engines:
            engine.close()


def test_station_without_a_broker_waits_and_ends_when_asked(health: Health) -> None:
    station = Station(AWAY, Queue("q"), DELIVER, lambda _: None, health)
    station.start()
    until(lambda: health.state is EngineState.DOWN)
    began = time.monotonic()
    station.stop()
    station.join()
    assert time.monotonic() - began < 2.5
    assert not station._thread.is_alive()


@pytest.mark.parametrize("url", [AWAY, "redis://127.0.0.1:1/0"])
def test_opened_tries_once(url: str) -> None:
    began = time.monotonic()
    with pytest.raises(OperationalError):
        opened(new_app(url).connection_for_write())
    assert time.monotonic() - began < 1.5


def test_opened_tries_every_broker_of_the_url(carrier: Carrier) -> None:
    first = AWAY if carrier.url.startswith("amqp") else "redis://127.0.0.1:1/0"
    connection = opened(new_app(f"{first};{carrier.url}").connection_for_write())
    assert connection.connected
    connection.release()


def test_process_is_left_as_it_was(carrier: Carrier) -> None:
    signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = [signal.getsignal(name) for name in signals]
    main_app = current_app._get_current_object()
    engine, worker, inbox = carrier.engine(), new_worker_id(), Inbox()
    engine.receive(worker, inbox.take)
    arrives(engine, worker, inbox)
    assert [signal.getsignal(name) for name in signals] == before
    assert current_app._get_current_object() is main_app
    assert DELIVER not in main_app.tasks
    engine.close()
    assert socket.getdefaulttimeout() is None


def test_tasks_of_others_in_this_process_are_not_taken(carrier: Carrier) -> None:
    called = threading.Event()
    name = f"somebody.{new_worker_id()}"

    @shared_task(name=name)
    def _call() -> None:
        called.set()

    engine, worker, inbox = carrier.engine(), new_worker_id(), Inbox()
    engine.receive(worker, inbox.take)
    arrives(engine, worker, inbox)
    before = len(inbox.runs)
    with Connection(carrier.url) as connection:
        body: Any = [[], {}, {}]
        headers = {"task": name, "id": "1", "lang": "py"}
        connection.Producer().publish(
            body, routing_key=carrier.queue_of(worker), serializer="json", headers=headers
        )
    arrives(engine, worker, inbox)
    assert len(inbox.runs) == before + 1
    assert not called.is_set()


@pytest.mark.parametrize(
    ("url", "option"),
    [("amqp://h", "confirm_publish"), ("amqps://h", "read_timeout"), ("redis://h", "socket_timeout")],
)
def test_no_socket_waits_for_long(url: str, option: str) -> None:
    conf = new_app(url).conf
    assert conf.broker_transport_options[option] in (True, 1.0)
    assert conf.broker_connection_timeout == 1.0
    assert conf.accept_content == ["json"]
