"""The house of a worker: it waits for what it needs, obeys orders, and says how it ended."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cronzimus import worker_house
from cronzimus.common.migrate import Migrations
from cronzimus.errors import ConfigError
from cronzimus.services.processes import Processes
from cronzimus.settings import Settings
from cronzimus.worker_house import DRAIN, END, GONE, WorkerHouse, work
from tests.heart import Heart, change_by_a_later_version, until
from tests.services.crew import Crew

Build = Callable[..., "Built"]


class Built:
    """A house, and the orders it gave."""

    def __init__(self, url: str, health: Path | None, **worker: Any) -> None:
        values = {"database": {"url": url}, "message_queue": {"url": "memory://"}, "worker": worker}
        self.given: list[int] = []
        self.house = WorkerHouse(Settings.model_validate(values), self.given.append, health=health)

    def is_there(self) -> bool:
        """Whether it takes runs."""
        return self.house.executing.worker.alive and self.house.watchdog_loop.alive


@pytest.fixture
def build() -> Iterator[Build]:
    """Builds houses and lets them leave."""
    made: list[Built] = []

    def build(url: str, *, health: Path | None = None, **worker: Any) -> Built:
        made.append(Built(url, health, **{"worker_id": "w1", **worker}))
        return made[-1]

    yield build
    for one in made:
        one.house.leave(0)
        until(lambda: GONE in one.given)


def test_worker_is_there_and_leaves_without_a_trace(build: Build, database_url: str, tmp_path: Path) -> None:
    one = build(database_url, health=tmp_path / "health", isolation="process", max_concurrent_tasks=3)
    one.house.start()
    until(one.is_there)
    processes = Processes(one.house.pools.service)
    me = processes.get("w1")
    assert (me.roles, me.takes, me.capacity, me.status) == (["worker"], ["workers"], 3, "alive")
    assert (tmp_path / "health").exists()
    one.house.leave(None)
    until(lambda: one.given == [GONE])
    with psycopg.connect(database_url) as session:
        assert session.execute("SELECT status FROM cronzimus.workers").fetchall() == [("down",)]
    assert not (tmp_path / "health").exists()


def test_health_file_goes_on_being_touched(build: Build, database_url: str, tmp_path: Path) -> None:
    health = tmp_path / "health"
    one = build(database_url, health=health)
    one.house.start()
    until(one.is_there)
    os.utime(health, (1, 1))
    until(lambda: health.stat().st_mtime > 1)


def test_health_file_that_cannot_be_is_refused(build: Build, database_url: str, tmp_path: Path) -> None:
    one = build(database_url, health=tmp_path / "no" / "such" / "folder")
    with pytest.raises(ConfigError, match="health file .* cannot be written"):
        one.house.start()


def test_drain_is_an_order(build: Build, database_url: str, heart: Heart) -> None:
    one = build(database_url, heartbeat_interval_seconds=600, worker_timeout_seconds=900)
    one.house.start()
    until(one.is_there)
    until(lambda: one.house.listener._session)
    Processes(heart.database).drain("w1")
    until(lambda: one.given == [DRAIN])


def test_name_that_was_taken_is_an_order_to_end(build: Build, database_url: str, heart: Heart) -> None:
    one = build(database_url)
    one.house.start()
    until(one.is_there)
    crew = Crew(heart.database)
    crew.silence(16)
    assert crew.life("w1", 5, host="elsewhere").arrive() is None
    one.house.executing.living.presence_loop.wake()
    until(lambda: one.given == [END])
    assert one.house.exit_code == 1


def test_worker_waits_for_a_schema_that_others_bring(build: Build, empty_database_url: str) -> None:
    one = build(empty_database_url)
    one.house.start()
    until(lambda: one.house._said)
    assert not one.is_there()
    Migrations(empty_database_url).upgrade()
    until(one.is_there)


def test_schema_that_is_newer_ends_it(build: Build, database_url: str, heart: Heart) -> None:
    change_by_a_later_version(heart.database)
    one = build(database_url)
    one.house.start()
    until(lambda: one.given == [END])
    assert one.house.exit_code == 1 and not one.is_there()


def test_database_that_is_away_is_waited_for(build: Build) -> None:
    one = build("postgresql://nobody@127.0.0.1:1/nowhere")
    one.house.start()
    until(lambda: one.house._said)
    assert one.given == []


class Scripted:
    """Orders that come one after the other."""

    def __init__(self, *coming: int) -> None:
        self.coming = list(coming)
        self.timeouts: list[float | None] = []

    def give(self, order: int) -> None:
        """Nobody listens."""

    def wait(self, *others: int, timeout: float | None = None) -> int:
        """The next one; 0 when nothing comes any more."""
        self.timeouts.append(timeout)
        return self.coming.pop(0) if self.coming else 0


class Obedient:
    """A house that writes down what it is told."""

    worker_id, exit_code = "w1", 1

    def __init__(self) -> None:
        self.told: list[object] = []
        self.settings = Settings.model_validate({"worker": {"drain_seconds": 9}})
        self.started = threading.Event()

    def leave(self, patience: float | None) -> None:
        """With so much patience."""
        self.told.append(patience)

    def hurry(self) -> None:
        """At once."""
        self.told.append("hurry")


@pytest.mark.parametrize(
    ("coming", "told", "code"),
    [
        ((DRAIN, GONE), [None], 0),
        ((signal.SIGTERM, GONE), [9.0], 143),
        ((signal.SIGINT, GONE), [9.0], 130),
        ((DRAIN, signal.SIGTERM, GONE), [None, 9.0], 143),
        ((END, GONE), [0], 1),
    ],
)
def test_orders_are_obeyed_and_tell_the_exit_code(
    coming: tuple[int, ...], told: list[object], code: int
) -> None:
    house: Any = Obedient()
    orders: Any = Scripted(*coming)
    assert worker_house._until_gone(orders, house) == code
    assert house.told == told and set(orders.timeouts) == {None}


@pytest.mark.parametrize("coming", [(15, 15), (15, 15, GONE)])
def test_second_signal_is_not_waited_for_beyond_two_seconds(
    coming: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave(code: int) -> None:
        raise SystemExit(code)

    house: Any = Obedient()
    orders: Any = Scripted(*coming)
    monkeypatch.setattr(worker_house.os, "_exit", leave)
    with pytest.raises(SystemExit) as left:
        worker_house._until_gone(orders, house)
    assert left.value.code == 143 and house.told == [9.0, "hurry"]
    assert orders.timeouts[:2] == [None, None] and 0 < orders.timeouts[2] < 2


def test_kind_that_there_is_not_is_a_refusal(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(worker_house, "Orders", lambda kill_after: Scripted())
    settings = Settings.model_validate(
        {"database": {"url": "postgresql:///x"}, "worker": {"kinds": ("magic",)}}
    )
    assert work(settings) == 78
    assert "there is no kind 'magic'" in capsys.readouterr().err
