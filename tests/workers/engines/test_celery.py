"""What only the engine on a broker does; the rest stands in test_contract.py."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from kombu import Connection

from cronzimus.errors import EngineUnavailable
from cronzimus.workers.engine import Delivery, EngineState
from cronzimus.workers.engines.celery import CeleryEngine, Post
from tests.heart import until
from tests.workers.engines.carriers import Carrier, Inbox, arrives, broker, broker_url, ids, new_worker_id

brokers = pytest.mark.parametrize("carrier", ["rabbit", "redis"], indirect=True)


@pytest.fixture
def carrier(request: pytest.FixtureRequest) -> Iterator[Carrier]:
    with broker(request.param) as carrier:
        yield carrier
        for engine in carrier.engines:
            engine.close()


@pytest.fixture
def letter(carrier: Carrier) -> Any:
    """A delivery as it lies on its queue."""
    engine, worker, run_ids = carrier.engine(), new_worker_id(), ids(2)
    engine.send([Delivery(worker, run_ids)])
    name = carrier.queue_of(worker)
    with Connection(carrier.url) as connection:
        message = until(lambda: connection.SimpleQueue(carrier.declared(worker)).get_nowait())
        message.ack()
    return name, run_ids, message


@brokers
def test_delivery_is_a_task_of_celery_with_nothing_but_ids(letter: Any) -> None:
    _, run_ids, message = letter
    assert message.headers["task"] == "cronzimus.deliver"
    assert message.content_type == "application/json"
    args, kwargs, _ = json.loads(message.body)
    assert (args, kwargs) == ([], {"runs": [str(run_id) for run_id in run_ids]})


@brokers
def test_connection_that_broke_in_silence_costs_nothing(carrier: Carrier) -> None:
    engine, worker = carrier.engine(), new_worker_id()
    engine.send([Delivery(worker, ids(1))])
    carrier.cut()
    carrier.heal()
    engine.send([Delivery(worker, ids(1))])
    assert engine.state is EngineState.UP


@brokers
def test_threads_may_send_at_once(carrier: Carrier) -> None:
    engine, worker, inbox = carrier.engine(), new_worker_id(), Inbox()
    engine.receive(worker, inbox.take)
    sent = [ids(2) for _ in range(40)]
    parts = [sent[n::4] for n in range(4)]

    def _send(part: list[Any]) -> None:
        for run_ids in part:
            engine.send([Delivery(worker, run_ids)])

    threads = [threading.Thread(target=_send, args=[part]) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: len(inbox.deliveries) == len(sent))
    assert sorted(inbox.deliveries) == sorted(sent)


@brokers
def test_garbage_on_the_status_queue_wakes_nobody_and_stops_nothing(carrier: Carrier) -> None:
    engine, woken = carrier.engine(), threading.Semaphore(0)
    engine.listen(lambda: woken.release() and None)
    until(lambda: (engine.report("w", ids(1)), woken.acquire(timeout=0.5))[1])
    while woken.acquire(timeout=0.3):
        continue
    with Connection(carrier.url) as connection:
        for body in (b"", b"[", b'{"worker": 1}', b'[[], {"runs": 1}, {}]'):
            connection.Producer().publish(
                body, routing_key=carrier.status_queue, content_type="application/json"
            )
    engine.report("w", ids(1))
    assert woken.acquire(timeout=10)
    assert not woken.acquire(timeout=0.3)


def test_queue_of_a_worker_that_never_came_back_expires() -> None:
    with broker("rabbit") as carrier:
        worker = new_worker_id()
        carrier.engine().send([Delivery(worker, ids(1))])
        queue = carrier.declared(worker)
        assert queue.queue_arguments == {"x-expires": 3_600_000}
        with Connection(carrier.url) as connection:
            assert queue.bind(connection.default_channel).queue_declare().message_count == 1
            queue.bind(connection.default_channel).delete()
        carrier.engines[0].close()


def test_redis_remembers_no_worker() -> None:
    with broker("redis") as carrier:
        engine, worker, inbox = carrier.engine(), new_worker_id(), Inbox()
        engine.receive(worker, inbox.take)
        arrives(engine, worker, inbox)
        engine.close()
        with Connection(carrier.url) as connection:
            client = connection.default_channel.client
            bound = client.smembers("_kombu.binding.celery")
            assert not client.exists(carrier.queue_of(worker))
        assert not any(worker.encode() in binding for binding in bound)


def test_password_is_in_no_message() -> None:
    engine = CeleryEngine("amqp://guest:geheim77@127.0.0.1:1//")
    with pytest.raises(EngineUnavailable) as error:
        engine.send([Delivery("w", ids(1))])
    assert "geheim77" not in error.value.message
    engine.close()


def test_broker_that_refuses_the_password_is_told() -> None:
    port = broker_url("rabbit").rpartition(":")[2].split("/")[0]
    engine = CeleryEngine(f"amqp://guest:wrong@127.0.0.1:{port}//")
    with pytest.raises(EngineUnavailable, match="ACCESS_REFUSED|refused"):
        engine.send([Delivery("w", ids(1))])
    engine.close()


def test_post_keeps_to_its_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", "amqp://elsewhere:1//")
    post = Post("amqp://guest:guest@127.0.0.1:5//")
    for connection in (post._app.connection_for_write(), post._app.connection_for_read()):
        assert (connection.hostname, connection.port) == ("127.0.0.1", 5)
    post.close()


@brokers
def test_reconnects_while_idle(carrier: Carrier) -> None:
    engine, worker, inbox = carrier.engine(), new_worker_id(), Inbox()
    engine.receive(worker, inbox.take)
    arrives(engine, worker, inbox)
    carrier.cut()
    until(lambda: engine.state is EngineState.DOWN)
    carrier.heal()
    until(lambda: engine.state is EngineState.UP)
