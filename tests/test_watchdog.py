"""The watchdog believes what was completed, never what somebody says."""

import faulthandler
import os
import time
from types import SimpleNamespace
from typing import Any

import pytest

from cronzimus.watchdog import EXIT_CODE, Watchdog


def watchdog(**changes: Any) -> Watchdog:
    """A watchdog that is told so; moments are seconds ago."""
    now = time.monotonic()
    for moment in ("since", "last_completed"):
        if changes.get(moment) is not None:
            changes[moment] = now - changes[moment]
    told: dict[str, Any] = {
        "scheduler_alive": True,
        "worker_alive": True,
        "last_completed": now,
        "loops": [("upkeep", True)],
        "since": None,
        "leaving": False,
        "scheduler_enabled": True,
        "worker_enabled": True,
        "look_after": lambda: None,
    } | changes
    parts: list[Any] = [
        SimpleNamespace(alive=told["scheduler_alive"]) if told["scheduler_enabled"] else None,
        SimpleNamespace(last_completed=told["last_completed"]) if told["scheduler_enabled"] else None,
        SimpleNamespace(alive=told["worker_alive"]) if told["worker_enabled"] else None,
        [SimpleNamespace(name=name, alive=alive) for name, alive in told["loops"]],
    ]
    return Watchdog(
        *parts,
        patience_seconds=5,
        leading_since=lambda: told["since"],
        leaving=lambda: told["leaving"],
        look_after=told["look_after"],
    )


def test_living_process_is_left_alone() -> None:
    assert watchdog(since=100).trouble() is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"scheduler_alive": False}, "thread died"),
        ({"worker_alive": False}, "worker"),
        ({"loops": [("upkeep", False), ("listen", False)]}, "upkeep, listen"),
        ({"since": 100, "last_completed": 50}, "no wake-up"),
    ],
)
def test_what_stopped_for_good_is_named(changes: dict[str, Any], said: str) -> None:
    assert said in (watchdog(**changes).trouble() or "")


@pytest.mark.parametrize(
    "changes",
    [
        {"scheduler_alive": False, "scheduler_enabled": False},
        {"worker_alive": False, "worker_enabled": False},
        {"since": None, "last_completed": 1000},
        {"since": 0, "last_completed": 1000},
        {"scheduler_enabled": False, "since": 100, "last_completed": 50},
    ],
)
def test_what_need_not_live_is_no_trouble(changes: dict[str, Any]) -> None:
    assert watchdog(**changes).trouble() is None


def test_process_in_trouble_ends_with_the_stacks_of_its_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(os, "_exit", seen.append)
    monkeypatch.setattr(faulthandler, "dump_traceback", lambda all_threads: seen.append(all_threads))
    watchdog(scheduler_alive=False).step()
    assert seen == [True, EXIT_CODE]


def test_process_that_leaves_is_not_hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(os, "_exit", seen.append)
    watchdog(scheduler_alive=False, leaving=True).step()
    assert seen == []


def test_embedded_server_is_looked_after_each_time() -> None:
    seen: list[int] = []
    dog = watchdog(look_after=lambda: seen.append(1))
    dog.step()
    dog.step()
    assert seen == [1, 1]
