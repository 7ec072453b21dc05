"""What every engine does alike, whatever carries its deliveries."""

import threading
import time
from collections.abc import Iterator, Sequence
from uuid import UUID

import pytest

from cronzimus.common import logger as log
from cronzimus.common.db import Database
from cronzimus.errors import EngineUnavailable
from cronzimus.workers.engine import Delivery, EngineState
from tests.heart import until
from tests.workers.engines.carriers import (
    GARBAGE,
    Carrier,
    Inbox,
    arrives,
    broker,
    ids,
    inline,
    new_worker_id,
    postgres,
)

ALL = ["inline", "database", "elsewhere", "rabbit", "redis"]
SERVED = ["database", "elsewhere", "rabbit", "redis"]


@pytest.fixture
def carrier(request: pytest.FixtureRequest) -> Iterator[Carrier]:
    name = request.param
    if name == "inline":
        kind = inline()
    elif name in ("rabbit", "redis"):
        kind = broker(name)
    else:
        url = request.getfixturevalue("empty_database_url")
        kind = postgres(url, transactional=name == "database")
    with kind as carrier:
        yield carrier
        carrier.heal()
        for engine in carrier.engines:
            engine.close()


every_engine = pytest.mark.parametrize("carrier", ALL, indirect=True)
every_server = pytest.mark.parametrize("carrier", SERVED, indirect=True)


@every_engine
def test_what_is_sent_is_received(carrier: Carrier) -> None:
    engine, worker, inbox = carrier.engine(), new_worker_id(), Inbox()
    engine.receive(worker, inbox.take)
    wanted = ids(3)
    engine.send([Delivery(worker, wanted)])
    until(lambda: inbox.runs)
    assert inbox.deliveries == [wanted]
    assert engine.state is EngineState.UP


@every_engine
def test_each_worker_gets_its_own(carrier: Carrier) -> None:
    engine, workers = carrier.engine(), [new_worker_id(), new_worker_id()]
    inboxes = [Inbox(), Inbox()]
    for worker, inbox in zip(workers, inboxes, strict=True):
        engine.receive(worker, inbox.take)
    sent = [[Delivery(worker, ids(5)) for _ in range(50)] for worker in workers]
    engine.send([delivery for pair in zip(*sent, strict=True) for delivery in pair])
    until(lambda: all(len(inbox.deliveries) >= 50 for inbox in inboxes))
    for deliveries, inbox in zip(sent, inboxes, strict=True):
        assert sorted(inbox.deliveries) == sorted(delivery.run_ids for delivery in deliveries)


@every_engine
def test_nothing_to_send_is_sent(carrier: Carrier) -> None:
    engine = carrier.engine()
    engine.send([])
    assert engine.state is EngineState.UP


@every_server
def test_another_process_receives(carrier: Carrier) -> None:
    worker, inbox = new_worker_id(), Inbox()
    carrier.engine().receive(worker, inbox.take)
    arrives(carrier.engine(), worker, inbox)


@every_server
def test_delivery_waits_for_its_worker(carrier: Carrier) -> None:
    engine, worker, inbox, wanted = carrier.engine(), new_worker_id(), Inbox(), ids(2)
    engine.send([Delivery(worker, wanted)])
    engine.receive(worker, inbox.take)
    until(lambda: inbox.runs)
    assert inbox.deliveries == [wanted]


@every_server
@pytest.mark.parametrize("worker", ["w" * 200, "wörker é " * 20, "a.b/c@d#e", "quo\"te'd; --"])
def test_worker_may_have_any_name(carrier: Carrier, worker: str) -> None:
    engine, inbox, other = carrier.engine(), Inbox(), Inbox()
    engine.receive(worker, inbox.take)
    engine.receive(worker + "2", other.take)
    wanted = ids(1)
    engine.send([Delivery(worker, wanted), Delivery(worker + "2", ids(1))])
    until(lambda: inbox.runs and other.runs)
    assert inbox.deliveries == [wanted]


@every_server
def test_garbage_is_dropped(carrier: Carrier, capsys: pytest.CaptureFixture[str]) -> None:
    log.init_logger()
    engine, worker, inbox = carrier.engine(), new_worker_id(), Inbox()
    engine.receive(worker, inbox.take)
    arrives(engine, worker, inbox)
    before = len(inbox.runs)
    for body in GARBAGE:
        carrier.throw(worker, body)
    arrives(engine, worker, inbox)
    assert len(inbox.runs) == before + 1
    said = capsys.readouterr().err
    assert said.count("is none of ours") == 1
    assert "Traceback" not in said


@every_server
def test_take_that_raises_stops_nothing(carrier: Carrier) -> None:
    engine, worker, inbox = carrier.engine(), new_worker_id(), Inbox()

    def _take(run_ids: Sequence[UUID]) -> None:
        inbox.take(run_ids)
        raise RuntimeError("no room")

    engine.receive(worker, _take)
    arrives(engine, worker, inbox)
    arrives(engine, worker, inbox)


@every_server
def test_send_while_away_raises_soon(carrier: Carrier) -> None:
    engine, worker, inbox = carrier.engine(), new_worker_id(), Inbox()
    engine.receive(worker, inbox.take)
    arrives(engine, worker, inbox)
    carrier.cut()
    for _ in range(3):
        began = time.monotonic()
        with pytest.raises(EngineUnavailable, match="does not carry deliveries"):
            engine.send([Delivery(worker, ids(1))])
        assert time.monotonic() - began < 3
    assert engine.state is EngineState.DOWN


@every_server
def test_outage_is_survived_and_told_once(carrier: Carrier, capsys: pytest.CaptureFixture[str]) -> None:
    log.init_logger()
    engine, worker, inbox = carrier.engine(), new_worker_id(), Inbox()
    engine.receive(worker, inbox.take)
    arrives(engine, worker, inbox)
    capsys.readouterr()
    carrier.cut()
    until(lambda: engine.state is EngineState.DOWN)
    for _ in range(3):
        with pytest.raises(EngineUnavailable):
            engine.send([Delivery(worker, ids(1))])
    carrier.heal()
    arrives(engine, worker, inbox)
    assert engine.state is EngineState.UP
    ours = [line for line in capsys.readouterr().err.splitlines() if "workers.engines" in line]
    assert [("WARNING" in line, "nothing is lost" in line, "again" in line) for line in ours] == [
        (True, True, False),
        (False, False, True),
    ]


@every_server
def test_worker_that_begins_during_an_outage_receives_after_it(carrier: Carrier) -> None:
    engine, worker, inbox = carrier.engine(), new_worker_id(), Inbox()
    carrier.cut()
    engine.receive(worker, inbox.take)
    until(lambda: engine.state is EngineState.DOWN)
    carrier.heal()
    arrives(engine, worker, inbox)


@every_engine
def test_close_is_quick_and_may_be_called_twice(carrier: Carrier) -> None:
    engine, worker, inbox = carrier.engine(), new_worker_id(), Inbox()
    before = set(threading.enumerate())
    engine.receive(worker, inbox.take)
    arrives(engine, worker, inbox)
    began = time.monotonic()
    engine.close()
    assert time.monotonic() - began < 2.5
    engine.close()
    until(lambda: not set(threading.enumerate()) - before, 5)


@every_server
def test_close_during_an_outage_is_quick(carrier: Carrier) -> None:
    engine, worker, inbox = carrier.engine(), new_worker_id(), Inbox()
    engine.receive(worker, inbox.take)
    arrives(engine, worker, inbox)
    carrier.cut()
    until(lambda: engine.state is EngineState.DOWN)
    began = time.monotonic()
    engine.close()
    assert time.monotonic() - began < 3


@every_server
def test_report_never_raises(carrier: Carrier) -> None:
    engine = carrier.engine()
    carrier.cut()
    engine.report(new_worker_id(), ids(2))
    assert engine.state is EngineState.DOWN


@pytest.mark.parametrize("carrier", ["inline", "elsewhere", "rabbit", "redis"], indirect=True)
def test_report_wakes_who_listens(carrier: Carrier) -> None:
    engine, woken = carrier.engine(), threading.Event()
    engine.listen(woken.set)
    reporter = engine if engine.name == "inline" else carrier.engine()

    def _reported() -> bool:
        reporter.report(new_worker_id(), ids(2))
        return woken.wait(0.5)

    until(_reported)


@pytest.mark.parametrize("carrier", ["database"], indirect=True)
def test_transaction_decides_about_its_deliveries(carrier: Carrier) -> None:
    engine, worker, inbox = carrier.engine(), new_worker_id(), Inbox()
    assert engine.transactional
    engine.receive(worker, inbox.take)
    database = Database(carrier.database_url, 2)
    undone, kept = ids(1), ids(1)
    with pytest.raises(ZeroDivisionError), database.transaction() as connection:
        engine.send([Delivery(worker, undone)], connection)
        raise ZeroDivisionError
    with database.transaction() as connection:
        engine.send([Delivery(worker, kept)], connection)
        assert inbox.runs == []
    until(lambda: inbox.runs)
    arrives(engine, worker, inbox)
    assert undone[0] not in inbox.runs and inbox.runs[0] == kept[0]
    database.close()
