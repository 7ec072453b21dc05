"""`cronzimus workers`."""

import pytest

from cronzimus.models.worker import WorkerRole, WorkerStatus
from tests.api.fakes import FakeHouse
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
