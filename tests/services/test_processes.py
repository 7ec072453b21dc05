"""Who is there, who leaves, who falls silent, and who comes back."""

from collections.abc import Callable
from uuid import UUID

import pytest

from cronzimus.common.db import Database
from cronzimus.errors import NotFound
from cronzimus.models.event import Event, Topic
from cronzimus.models.worker import Presence, WorkerRole
from cronzimus.services.processes import Processes
from tests.heart import Heart


class Crew:
    """Processes of one house, each a service of its own."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.heard: list[Event] = []

    def come(self, name: str, boot: int = 1, **more: object) -> Processes:
        me = Presence(
            id=name,
            boot_id=UUID(int=boot),
            replica=name,
            host="h",
            pid=boot,
            roles=(WorkerRole.SCHEDULER, WorkerRole.WORKER),
            capacity=4,
            version="1",
        )
        process = Processes(self.database, me, running=lambda: boot, announce=self.heard.append)
        process.step()
        return process

    def silence(self, seconds: int) -> None:
        """Let everybody have been silent for so long."""
        self.database.execute(
            f"UPDATE cronzimus.workers SET heartbeat_at = heartbeat_at - interval '{seconds} s'"
        )

    def told(self) -> list[tuple[str, str | None]]:
        found, self.heard = [(event.id, event.state) for event in self.heard], []
        return found


@pytest.fixture
def crew(database: Database) -> Crew:
    return Crew(database)


def states(process: Processes) -> dict[str, str]:
    return {f"{worker.id}/{worker.pid}": worker.status for worker in process.list().items}


def test_process_says_what_it_is_and_how_busy(crew: Crew) -> None:
    (me,) = crew.come("a", boot=3).list().items
    assert (me.id, me.roles, me.running, me.capacity) == ("a", ["scheduler", "worker"], 3, 4)
    assert (me.status, me.leads) == ("alive", False) and 0 <= me.silent_seconds < 60
    assert crew.told() == [("a", "alive")]


def test_second_sign_of_life_is_no_news(crew: Crew) -> None:
    process = crew.come("a")
    process.step()
    assert crew.told() == [("a", "alive")] and process.list().total == 1


def test_one_that_drains_says_so_and_then_leaves(crew: Crew) -> None:
    process = crew.come("a")
    process.drain()
    process.step()
    assert states(process) == {"a/1": "draining"}
    process.leave()
    (gone,) = process.list().items
    assert (gone.status, gone.running) == ("down", 0)
    assert crew.told() == [("a", "alive"), ("a", "down")]


def test_silent_one_is_down_until_it_is_heard_again(crew: Crew) -> None:
    silent = crew.come("a", boot=1)
    crew.silence(16)
    other = crew.come("b", boot=2)
    assert states(other) == {"a/1": "down", "b/2": "alive"}
    assert ("a", "down") in crew.told()
    silent.step()
    assert states(other) == {"a/1": "alive", "b/2": "alive"}


def test_names_that_come_back_are_other_processes(crew: Crew) -> None:
    crew.come("a", boot=1).leave()
    again = crew.come("a", boot=2)
    assert states(again) == {"a/2": "alive", "a/1": "down"}
    assert again.get("a").pid == 2


def test_dead_are_forgotten_after_a_day(crew: Crew) -> None:
    crew.come("a").leave()
    crew.silence(86_401)
    assert states(crew.come("b", boot=2)) == {"b/2": "alive"}


def test_leader_comes_first(crew: Crew, heart: Heart) -> None:
    heart.lead()
    crew.come(heart.name, boot=1)
    process = crew.come("zzz", boot=2)
    assert [(worker.id, worker.leads) for worker in process.list().items] == [
        (heart.name, True),
        ("zzz", False),
    ]
    heart.leadership.resign()
    assert not any(worker.leads for worker in process.list().items)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"status": "down"}, ["b"]),
        ({"status": "alive"}, ["a"]),
        ({"role": "api"}, []),
        ({"role": "worker", "status": "alive"}, ["a"]),
        ({"limit": 1, "offset": 1}, ["b"]),
    ],
)
def test_list_filters_and_pages(crew: Crew, filters: dict[str, object], found: list[str]) -> None:
    process = crew.come("a", boot=1)
    crew.come("b", boot=2).leave()
    list_: Callable[..., object] = process.list
    assert [worker.id for worker in list_(**filters).items] == found  # type: ignore[attr-defined]


def test_unknown_one_is_not_found(crew: Crew) -> None:
    with pytest.raises(NotFound, match="no worker 'x'"):
        crew.come("a").get("x")


def test_events_are_of_workers(crew: Crew) -> None:
    crew.come("a")
    assert [event.topic for event in crew.heard] == [Topic.WORKER]
