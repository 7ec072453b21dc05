"""A process is there while it lives, says what it is, and stores what its runs said before it leaves."""

import os
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from cronzimus import living as module
from cronzimus.errors import ConfigError, DatabaseUnavailable
from cronzimus.living import Living, end_process, presence_of, report_failure
from cronzimus.models.worker import Takes
from cronzimus.pools import Pools
from cronzimus.services.processes import Processes
from cronzimus.settings import Settings
from tests.heart import until


def settings_of(url: str = "postgresql:///x", **worker: Any) -> Settings:
    return Settings.model_validate({"database": {"url": url}, "worker": worker})


@pytest.fixture
def pools(database_url: str) -> Iterator[Pools]:
    pools = Pools(database_url, settings_of(database_url).database)
    yield pools
    pools.close()


def test_presence_is_what_the_settings_say() -> None:
    settings = settings_of(kinds=("shell",), queues=("slow",), labels={"zone": "eu"}, max_concurrent_tasks=3)
    me = presence_of(settings, "vm:1", "w1", fires=False, serves=False, takes=(Takes.WORKERS,))
    assert (me.id, me.replica, me.pid, me.capacity) == ("w1", "vm:1", os.getpid(), 3)
    assert (me.roles, me.kinds, me.queues, me.labels) == (("worker",), ("shell",), ("slow",), {"zone": "eu"})


def test_process_that_takes_nothing_has_no_places() -> None:
    me = presence_of(settings_of(), "vm:1", "vm:1", fires=True, serves=True, takes=())
    assert (me.roles, me.capacity, me.kinds) == (
        ("scheduler", "api"),
        0,
        ("function", "shell", "http", "sql"),
    )


def test_each_start_is_another_life() -> None:
    lives = [presence_of(settings_of(), "n", "n", fires=False, serves=False, takes=()) for _ in range(2)]
    assert lives[0].boot_id != lives[1].boot_id


def test_kind_that_there_is_not_is_told_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="no kind 'shel', there are function, shell, http, sql.*'shell'"):
        presence_of(settings_of(kinds=("shel",)), "n", "n", fires=False, serves=False, takes=())


def test_word_for_the_worker_wakes_it_and_a_word_for_others_does_not(pools: Pools) -> None:
    settings, drained = (
        settings_of(heartbeat_interval_seconds=600, worker_timeout_seconds=900),
        threading.Event(),
    )
    living = Living(
        settings,
        pools,
        presence_of(settings, "n", "w1", fires=False, serves=False, takes=(Takes.WORKERS,)),
        running=list,
        on_drain=drained.set,
        on_displaced=lambda: None,
        on_error=lambda name, error: None,
    )
    processes = Processes(pools.service)
    living.start()
    until(lambda: processes.list(status="alive").total)
    processes.drain("w1")
    living.hear("w2")
    assert not drained.wait(0.2)
    living.hear("w1")
    assert drained.wait(20)
    living.drain()
    living.stop()
    assert processes.get("w1").status == "down"
    assert not any(loop.alive for loop in living.loops)


def test_outage_is_not_worth_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[str, object]] = []
    loud = SimpleNamespace(error=lambda text, name: said.append(("error", name)))
    quiet = SimpleNamespace(
        debug=lambda text, name, error: said.append(("debug", name)), opt=lambda exception: loud
    )
    monkeypatch.setattr(module, "_LOG", quiet)
    report_failure("loop", DatabaseUnavailable("away"))
    report_failure("loop", ValueError("odd"))
    assert said == [("debug", "loop"), ("error", "loop")]


def test_process_that_must_end_stops_first(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    ended = threading.Event()

    def leave(code: int) -> None:
        seen.append(code)
        ended.set()

    monkeypatch.setattr(module.os, "_exit", leave)
    end_process(lambda: seen.append("stopped"))
    assert ended.wait(20) and seen == ["stopped", 1]
