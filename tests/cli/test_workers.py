"""`cronzimus worker`, and `workers`, which is the same."""

from uuid import UUID

import pytest

from cronzimus.cli import workers as cli
from cronzimus.models.worker import WorkerRole, WorkerStatus
from tests.api.fakes import FakeHouse, a_worker
from tests.cli.line import Line


def test_list(line: Line, house: FakeHouse) -> None:
    titles, first, second = line.out("workers", "list").splitlines()
    assert titles.split()[:4] == ["ID", "STATUS", "LEADS", "RUNNING"]
    assert first.split()[:6] == ["first", "alive", "yes", "1", "of", "10"]
    assert second.split()[:2] == ["second", "down"]
    assert [one["id"] for one in line.json("workers", "list")["items"]] == ["first", "second"]


@pytest.mark.parametrize("status", list(WorkerStatus))
@pytest.mark.parametrize("role", list(WorkerRole))
def test_choices_are_those_of_the_models(line: Line, house: FakeHouse, status: str, role: str) -> None:
    line.out("workers", "list", "--status", status, "--role", role)
    assert house.operating.processes.asked == {"status": status, "role": role}
    assert "asleep" in line.complaint("workers", "list", "--status", "asleep", code=2)


@pytest.mark.parametrize("group", ["worker", "workers"])
def test_both_names_list(line: Line, house: FakeHouse, group: str) -> None:
    assert len(line.json(group, "list")["items"]) == 2


def test_show_tells_everything(line: Line, house: FakeHouse) -> None:
    house.operating.processes.workers[0] = a_worker(
        "first", kinds=["shell"], queues=["slow"], labels={"zone": "eu"}
    )
    shown = line.out("worker", "show", "first")
    for part in ("shell", "slow", "zone=eu", "1 of 10", "3.5 % of a core, 80 MB", "scheduler workers"):
        assert part in shown
    assert line.json("worker", "show", "first")["id"] == "first"
    assert "no worker" in line.complaint("worker", "show", "nobody", code=1)


@pytest.mark.parametrize(
    ("takes", "said"),
    [
        (["workers"], "first drains: 1 of its runs go on"),
        (["scheduler", "workers"], "takes no more runs of workers"),
    ],
)
def test_drain_says_what_happens(line: Line, house: FakeHouse, takes: list[str], said: str) -> None:
    house.operating.processes.workers[0] = a_worker("first", takes=takes)
    assert said in line.out("worker", "drain", "first")


def test_drain_of_one_that_serves_is_not_waited_for(line: Line, house: FakeHouse) -> None:
    assert "takes no more" in line.out("worker", "drain", "first", "--wait")


def test_drain_waits_until_it_is_down(line: Line, house: FakeHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    processes = house.operating.processes
    processes.workers[0] = a_worker("first", takes=["workers"])
    pauses: list[float] = []

    def end(seconds: float) -> None:
        pauses.append(seconds)
        processes.workers[0] = a_worker("first", status="down")

    monkeypatch.setattr(cli.time, "sleep", end)
    assert line.out("worker", "drain", "first", "--wait").strip() == "first is down"
    assert len(pauses) == 1


def test_drain_is_over_when_another_life_has_the_name(
    line: Line, house: FakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes = house.operating.processes
    processes.workers[0] = a_worker("first", takes=["workers"])

    def begin_again(seconds: float) -> None:
        processes.workers[0] = a_worker("first", boot_id=UUID(int=77))

    monkeypatch.setattr(cli.time, "sleep", begin_again)
    assert line.out("worker", "drain", "first", "--wait").strip() == "first is down"


def test_drain_that_takes_too_long_is_124(line: Line, house: FakeHouse) -> None:
    house.operating.processes.workers[0] = a_worker("first", takes=["workers"])
    words = ("worker", "drain", "first", "--wait", "--timeout", "0.5s")
    assert "first is not down after 0.5 s: it runs 1" in line.complaint(*words, code=124)


def test_drain_of_one_that_is_down_fails(line: Line, house: FakeHouse) -> None:
    assert "down already" in line.complaint("worker", "drain", "second", code=1)
