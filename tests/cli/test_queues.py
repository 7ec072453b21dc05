"""`cronzimus queue`."""

from typing import Any

import pytest

from cronzimus.models.queue import QueueStatus
from tests.api.fakes import FakeHouse
from tests.api.fakes_queues import a_queue
from tests.cli.line import Line


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cronzimus.cli.queues._PAUSE", 0.0)


def test_queues_are_listed(line: Line, house: FakeHouse) -> None:
    titles, etl, web = line.out("queue", "list").splitlines()
    assert titles.split()[:6] == ["NAME", "STATUS", "WAITING", "HELD", "RUNNING", "JOBS"]
    assert etl.split()[:6] == ["etl", "active", "2", "0", "1", "3"]
    assert web.split()[:2] == ["web", "paused"]


@pytest.mark.parametrize(("verb", "status"), [("pause", "paused"), ("resume", "active")])
def test_queues_are_turned(line: Line, house: FakeHouse, verb: str, status: str) -> None:
    said = line("queue", verb, "etl", "none", "web")
    assert said.stdout == f"{verb}d etl\n{verb}d web\n" and said.exit_code == 1
    assert "no job and no run has a queue 'none'" in said.stderr
    assert {one.status for one in house.operating.queues.stored.values()} == {status}


def test_drain_says_what_is_left(line: Line, house: FakeHouse) -> None:
    assert line.out("queue", "drain", "etl") == "queue etl drains: 2 runs from before have not ended\n"


def test_drain_waits_until_nothing_is_left(line: Line, house: FakeHouse) -> None:
    said = line.out("queue", "drain", "etl", "--wait", "--timeout", "1m")
    assert said == "queue etl is drained; 0 runs wait until it is resumed\n"
    assert house.operating.queues.stored["etl"].left == 0


def test_drain_that_somebody_ends_is_said(
    line: Line, house: FakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resumed(name: str) -> Any:
        return a_queue(name, status=QueueStatus.ACTIVE)

    monkeypatch.setattr(house.operating.queues, "get", resumed)
    assert "is active: somebody changed it" in line.out("queue", "drain", "etl", "--wait")


def test_waiting_ends_with_its_time(line: Line, house: FakeHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = a_queue("etl", status=QueueStatus.DRAINING, left=3)
    monkeypatch.setattr(house.operating.queues, "get", lambda name: stuck)
    complaint = line.complaint("queue", "drain", "etl", "--wait", "--timeout", "10ms", code=124)
    assert "3 runs left" in complaint


def test_timeout_needs_wait(line: Line, house: FakeHouse) -> None:
    assert "give --wait" in line.complaint("queue", "drain", "etl", "--timeout", "1m", code=2)
