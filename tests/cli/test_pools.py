"""`cronzimus pool`."""

from tests.api.fakes import FakeHouse
from tests.cli.line import Line


def test_pools_are_listed(line: Line, house: FakeHouse) -> None:
    titles, db, _ = line.out("pool", "list").splitlines()
    assert titles.split()[:3] == ["NAME", "TAKEN", "WAITING"]
    assert db.split()[:5] == ["db", "2", "of", "5", "1"]


def test_pool_is_set_and_closed(line: Line, house: FakeHouse) -> None:
    said = line.out("pool", "set", "api", "3", "--description", "their limit")
    assert said == "pool api has 3 slots, 0 taken\n"
    assert line.out("pool", "set", "db", "0") == "pool db is closed; 2 slots are still taken\n"
    stored = house.operating.slot_pools.stored
    assert (stored["api"].description, stored["db"].description) == ("their limit", "the replica")


def test_pools_are_deleted_unless_jobs_need_them(line: Line, house: FakeHouse) -> None:
    said = line("pool", "delete", "--yes", "used", "db")
    assert said.stdout == "deleted db\n" and said.exit_code == 1
    assert "used by job hourly" in said.stderr
    assert list(house.operating.slot_pools.stored) == ["used"]


def test_deletion_is_asked_for(line: Line, house: FakeHouse) -> None:
    assert "say --yes" in line.complaint("pool", "delete", "db", code=2)
    assert "db" in house.operating.slot_pools.stored
