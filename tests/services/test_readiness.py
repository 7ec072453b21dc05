"""Readiness is told from pulses and never waits."""

import time
from typing import Any

import pytest

from cronzimus.services.leadership import Leadership
from cronzimus.services.readiness import PULSE_SECONDS, ReadinessReport
from tests.heart import Heart


def report(leadership: Leadership, **states: Any) -> ReadinessReport:
    told: dict[str, Any] = {
        "schema_ready": True,
        "scheduler_alive": True,
        "worker_alive": True,
        "draining": False,
        "desk": {"dispatcher": "running", "queue": "up"},
    } | states
    enabled = told.pop("scheduler_enabled", True)
    parts = {name: (lambda value=value: value) for name, value in told.items()}
    return ReadinessReport(leadership, scheduler_enabled=enabled, **parts)


def test_leading_replica_is_ready(heart: Heart) -> None:
    answer = report(heart.leadership).report()
    assert answer.ready and answer.status == "ok"
    assert answer.components["database"] == "up" and answer.components["scheduler"] == "leader"


def test_replica_that_stands_by_is_ready_too(heart: Heart, other: Heart) -> None:
    other.leadership.step()
    answer = report(other.leadership).report()
    assert answer.ready and answer.components["scheduler"] == "standby"


@pytest.mark.parametrize(
    "states",
    [{"schema_ready": False}, {"scheduler_alive": False}, {"worker_alive": False}, {"draining": True}],
)
def test_part_that_is_missing_makes_it_not_ready(heart: Heart, states: dict[str, bool]) -> None:
    assert not report(heart.leadership, **states).report().ready


def test_scheduler_switched_off_is_no_fault(heart: Heart) -> None:
    answer = report(heart.leadership, scheduler_alive=False, scheduler_enabled=False).report()
    assert answer.ready and answer.components["scheduler"] == "off"


def test_silence_of_the_database_is_an_outage(heart: Heart) -> None:
    heart.leadership.last_contact = time.monotonic() - PULSE_SECONDS - 0.1
    answer = report(heart.leadership).report()
    assert not answer.ready and answer.components["database"] == "down" and answer.status == "unavailable"


def test_database_never_heard_of_is_down(database_url: str, other: Heart) -> None:
    assert report(other.leadership).report().components["database"] == "down"


def test_draining_says_so(heart: Heart) -> None:
    assert report(heart.leadership, draining=True).report().status == "draining"


def test_the_desk_tells_but_turns_nobody_away(heart: Heart) -> None:
    answer = report(heart.leadership, desk={"dispatcher": "NO_ELIGIBLE_WORKER", "queue": "down"}).report()
    assert answer.ready
    assert answer.components["dispatcher"] == "NO_ELIGIBLE_WORKER" and answer.components["queue"] == "down"
