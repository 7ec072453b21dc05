"""The thread that receives; what comes in is tried in test_contract.py."""

import asyncio
import logging
import signal
import time
from typing import Any

import pytest
from procrastinate import PsycopgConnector
from procrastinate.schema import SchemaManager

from cronzimus.common.logger import get_logger
from cronzimus.workers.engine import EngineState
from cronzimus.workers.engines import procrastinate_station
from cronzimus.workers.engines.health import Health
from cronzimus.workers.engines.procrastinate_schema import DeliverySchema
from cronzimus.workers.engines.procrastinate_station import Connector, Station
from tests.heart import until

AWAY = "postgresql://postgres@127.0.0.1:1/nothing"


def station(url: str, health: Health) -> Station:
    schema = DeliverySchema(url, "3.10.0", SchemaManager.get_schema())
    return Station(url, "q", lambda _: None, schema, health)


@pytest.fixture
def health() -> Health:
    return Health("procrastinate", get_logger("engine"))


def test_station_without_a_server_waits_and_ends_when_asked(health: Health) -> None:
    waiting = station(AWAY, health)
    waiting.start()
    until(lambda: health.state is EngineState.DOWN)
    began = time.monotonic()
    waiting.stop()
    waiting.join()
    assert time.monotonic() - began < 2.5
    waiting.stop()


def test_station_that_works_ends_when_asked(empty_database_url: str, health: Health) -> None:
    working = station(empty_database_url, health)
    health.down(OSError("before"))
    working.start()
    until(lambda: health.state is EngineState.UP)
    working.stop()
    working.join()
    assert not working._thread.is_alive()


@pytest.mark.parametrize("method", ["query", "query_one", "query_all"])
def test_server_that_does_not_answer_is_given_up(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def _for_ever(*_: Any, **__: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(procrastinate_station, "_ANSWER_SECONDS", 0.01)
    monkeypatch.setattr(PsycopgConnector, f"execute_{method}_async", _for_ever)
    answers: list[None] = []
    connector = Connector(lambda: answers.append(None), conninfo=AWAY)
    with pytest.raises(TimeoutError):
        asyncio.run(getattr(connector, f"execute_{method}_async")("SELECT 1"))
    assert answers == []


@pytest.mark.parametrize(
    ("row", "readable"),
    [
        ({"task_name": "cronzimus.deliver", "args": {"runs": []}}, True),
        ({"task_name": None, "args": None}, True),
        ({"id": 5}, True),
        ({"task_name": "cronzimus.deliver", "args": [1]}, False),
        ({"task_name": "somebody.else", "args": {}}, False),
    ],
)
def test_row_that_is_none_of_ours_says_so(
    row: dict[str, Any], readable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def _row(*_: Any, **__: Any) -> dict[str, Any]:
        return row

    monkeypatch.setattr(PsycopgConnector, "execute_query_one_async", _row)
    connector = Connector(lambda: None, conninfo=AWAY)
    found = asyncio.run(connector.execute_query_one_async("SELECT 1"))
    assert found == (row if readable else {**row, "task_name": "cronzimus.deliver", "args": {}})


def test_signals_of_the_process_are_left_alone(
    empty_database_url: str, health: Health, caplog: pytest.LogCaptureFixture
) -> None:
    before = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGINT)}
    working = station(empty_database_url, health)
    health.down(OSError("before"))
    with caplog.at_level(logging.ERROR):
        working.start()
        until(lambda: health.state is EngineState.UP)
        assert {name: signal.getsignal(name) for name in before} == before
        working.stop()
        working.join()
    assert caplog.records == []
