"""A name has one living boot at a time, whoever starts, falls silent, comes back, or is thought dead."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cronzimus.common.db import Database
from cronzimus.errors import Conflict
from cronzimus.models.event import Topic
from cronzimus.models.worker import Takes
from cronzimus.services.presence import Life
from tests.services.crew import NOBODY, RUN, Crew


@pytest.fixture
def crew(database: Database) -> Crew:
    return Crew(database)


def arrived(life: Life) -> bool:
    """Whether the name is this life's."""
    return life.arrive() is None


def test_process_says_what_it_is_and_how_busy(crew: Crew) -> None:
    crew.come("a", boot=3)
    (me,) = crew.processes.list().items
    assert (me.id, me.roles, me.running, me.capacity) == ("a", ["scheduler", "worker"], 3, 4)
    assert (me.takes, me.kinds, me.queues, me.labels) == (["workers"], ["shell", "http"], [], {"zone": "eu"})
    assert me.load["runs"] == [str(RUN)] * 3 and me.load["memory_mb"] > 1 and me.load["cpu_percent"] >= 0
    assert (me.status, me.leads) == ("alive", False) and 0 <= me.silent_seconds < 60
    assert crew.told() == [("a", "alive")]


def test_second_sign_of_life_is_no_news(crew: Crew) -> None:
    crew.come("a").step()
    assert crew.told() == [("a", "alive")] and crew.processes.list().total == 1


def test_one_that_drains_says_so_and_then_leaves(crew: Crew) -> None:
    life = crew.come("a")
    life.drain()
    life.step()
    assert crew.states() == {"a/1": "draining"}
    life.leave()
    (gone,) = crew.processes.list().items
    assert (gone.status, gone.running) == ("down", 0)
    assert crew.told() == [("a", "alive"), ("a", "down")]
    life.leave()
    assert crew.told() == []


def test_silent_one_is_down_until_it_is_heard_again(crew: Crew) -> None:
    silent = crew.come("a", boot=1)
    crew.silence(16)
    crew.come("b", boot=2)
    assert crew.states() == {"a/1": "down", "b/2": "alive"}
    assert ("a", "down") in crew.told()
    silent.step()
    assert crew.states() == {"a/1": "alive", "b/2": "alive"} and crew.displaced == []


def test_silence_is_what_the_settings_say(crew: Crew, database: Database) -> None:
    crew.come("a")
    crew.silence(2)
    hasty = Life(database, crew.life("b", 2).me, every_seconds=0.5, timeout_seconds=1)
    assert hasty.step() == 0.5
    assert crew.states()["a/1"] == "down"


def test_names_that_come_back_are_other_processes(crew: Crew) -> None:
    crew.come("a", boot=1).leave()
    crew.come("a", boot=2)
    assert crew.states() == {"a/2": "alive", "a/1": "down"}
    assert crew.processes.get("a").pid == 2


def test_dead_are_forgotten_after_a_day(crew: Crew) -> None:
    crew.come("a").leave()
    crew.silence(86_401)
    crew.come("b", boot=2)
    assert crew.states() == {"b/2": "alive"}


def test_events_are_of_workers(crew: Crew) -> None:
    crew.come("a")
    assert [event.topic for event in crew.heard] == [Topic.WORKER]


# --- the name of somebody else -----------------------------------------------------------------------


def test_name_of_a_dead_process_of_this_host_is_free_at_once(crew: Crew) -> None:
    crew.come("a", boot=1, pid=NOBODY)
    assert arrived(crew.life("a", boot=2))
    assert crew.states() == {"a/2": "alive", "a/1": "down"}


def test_name_of_a_process_with_our_own_number_is_free_at_once(crew: Crew) -> None:
    crew.come("a", boot=1, pid=os.getpid())
    assert arrived(crew.life("a", boot=2, pid=os.getpid()))


@pytest.mark.parametrize("host", ["h", "elsewhere"])
def test_name_in_use_is_waited_for_and_then_refused(crew: Crew, host: str) -> None:
    first = crew.come("a", boot=1, host=host, pid=os.getppid())
    second = crew.life("a", boot=2)
    assert second.arrive() and second.arrive()
    first.step()
    with pytest.raises(Conflict, match=f"process {os.getppid()} on {host} lives") as refused:
        second.arrive()
    assert refused.value.code == "WORKER_ID_IN_USE"
    assert crew.states() == {"a/1": "alive"}


def test_dead_process_of_another_host_keeps_its_name_until_its_silence_is_over(crew: Crew) -> None:
    crew.come("a", boot=1, host="elsewhere", pid=NOBODY)
    second = crew.life("a", boot=2)
    crew.silence(14)
    assert not arrived(second)
    crew.silence(2)
    assert arrived(second)
    assert crew.states() == {"a/2": "alive", "a/1": "down"}


def test_another_who_was_faster_is_waited_for_anew(crew: Crew) -> None:
    crew.come("a", boot=1, host="elsewhere")
    late = crew.life("a", boot=3)
    assert not arrived(late)
    crew.silence(16)
    faster = crew.life("a", boot=2, host="elsewhere")
    assert arrived(faster)
    assert not arrived(late)
    faster.step()
    with pytest.raises(Conflict):
        late.arrive()


def test_one_that_is_heard_while_one_looks_stays(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    first = crew.come("a", boot=1)
    crew.silence(16)
    second = crew.life("a", boot=2)
    look = second._living_rival

    def look_and_be_late() -> Any:
        rival = look()
        first.step()
        return rival

    monkeypatch.setattr(second, "_living_rival", look_and_be_late)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(second.arrive).result(20)
    assert crew.states() == {"a/1": "alive"}


@pytest.mark.parametrize("gone", ["nobody", "silent", "dead"])
def test_of_many_who_start_at_once_one_has_the_name(crew: Crew, gone: str) -> None:
    if gone != "nobody":
        crew.come("a", boot=99, pid=NOBODY, host="h" if gone == "dead" else "elsewhere")
        crew.silence(16 if gone == "silent" else 0)
    lives = [crew.life("a", boot, pid=os.getppid()) for boot in range(1, 7)]
    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(arrived, lives))
    assert outcomes.count(True) == 1
    states = {name: state for name, state in crew.states().items() if name != "a/99"}
    assert states == {f"a/{outcomes.index(True) + 1}": "alive"}


def test_life_that_was_thought_dead_does_not_come_back_under_a_taken_name(crew: Crew) -> None:
    old = crew.come("a", boot=1, pid=os.getppid())
    crew.silence(16)
    assert arrived(crew.life("a", boot=2, pid=os.getppid()))
    old.step()
    old.step()
    assert crew.displaced == ["a/1"] and old.displaced
    assert crew.states() == {"a/2": "alive", "a/1": "down"}
    old.leave()
    assert crew.states() == {"a/2": "alive", "a/1": "down"}


def test_life_that_was_thought_dead_comes_back_when_its_successor_is_gone(crew: Crew) -> None:
    old = crew.come("a", boot=1)
    crew.silence(16)
    crew.come("a", boot=2).leave()
    old.step()
    assert crew.states()["a/1"] == "alive" and crew.displaced == []


# --- being asked to drain ----------------------------------------------------------------------------


def test_drain_is_heard_once_at_the_next_sign_of_life(crew: Crew) -> None:
    life = crew.come("a")
    crew.processes.drain("a")
    life.step()
    life.step()
    assert crew.drained == ["a/1"] and crew.states() == {"a/1": "draining"}


def test_drain_that_could_not_be_obeyed_is_heard_again(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    life = crew.come("a")
    crew.processes.drain("a")
    monkeypatch.setattr(life, "_on_drain", lambda: crew.drained[3])
    with pytest.raises(IndexError):
        life.step()
    monkeypatch.setattr(life, "_on_drain", lambda: crew.drained.append("later"))
    life.step()
    assert crew.drained == ["later"]


def test_one_that_takes_runs_of_the_scheduler_too_stays_alive(crew: Crew) -> None:
    life = crew.come("a", takes=(Takes.SCHEDULER, Takes.WORKERS))
    crew.processes.drain("a")
    life.step()
    assert crew.drained == ["a/1"] and crew.states() == {"a/1": "alive"}
    assert crew.processes.get("a").takes == ["scheduler"]


def test_drain_ends_with_the_life(crew: Crew) -> None:
    life = crew.come("a", boot=1)
    crew.processes.drain("a")
    life.step()
    life.leave()
    crew.come("a", boot=2).step()
    again = crew.processes.get("a")
    assert (again.status, again.takes, again.drain_requested_at) == ("alive", ["workers"], None)
    assert crew.drained == ["a/1"]


def test_drain_outlives_a_time_of_silence(crew: Crew) -> None:
    life = crew.come("a", boot=1)
    crew.processes.drain("a")
    crew.silence(16)
    crew.come("b", boot=2)
    life.step()
    assert crew.drained == ["a/1"] and crew.processes.get("a").takes == []
