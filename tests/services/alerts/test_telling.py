"""All of it together, with its loops: a failure becomes a message, by itself."""

from collections.abc import Callable
from typing import Any

import pytest

from cronzimus.common.db import Database
from cronzimus.errors import ConfigError
from cronzimus.models.run import RunState
from cronzimus.services.alerts.telling import Telling
from cronzimus.services.channels.log import Log
from cronzimus.settings import Settings
from tests.heart import Heart, until
from tests.services.alerts.support import by_hand, ended

ALERTS: dict[str, Any] = {
    "every_seconds": 0.1,
    "channels": ({"name": "log", "type": "log"},),
    "rules": ({"id": "any", "when": "failure", "channels": ("log",)},),
}


def telling(database: Database, **alerts: Any) -> Telling:
    """As the house builds it."""
    settings = Settings.model_validate({"alerts": {**ALERTS, **alerts}})
    return Telling(settings, database, _fail, "test", lambda: None, lambda event: None)


def _fail(name: str, error: Exception) -> None:
    raise error


def running(one: Telling) -> Callable[[], None]:
    """Start the loops; what ends them."""
    for loop in one.loops:
        loop.start()

    def end() -> None:
        one.stop()
        for loop in one.loops:
            loop.stop()

    return end


def test_a_failure_is_told_by_itself(heart: Heart, database: Database) -> None:
    by_hand(heart)
    one = telling(database)
    end = running(one)
    try:
        until(lambda: one.rules.list(source="file").total == 1)
        ended(heart, RunState.FAILED)
        channel = one.courier.channels["log"]
        assert isinstance(channel, Log)
        until(lambda: [message.kind for message in channel.sent] == ["raised"])
        ended(heart)
        until(lambda: [message.kind for message in channel.sent] == ["raised", "resolved"])
    finally:
        end()


def test_a_process_may_leave_it_to_others(database: Database) -> None:
    assert telling(database, enabled=False).loops == ()


def test_the_switch_is_there_when_it_has_somebody_to_ping(database: Database) -> None:
    names = [loop.name for loop in telling(database, dead_mans_switch={"url": "https://example.org"}).loops]
    assert names == ["alerts", "notifications", "dead man's switch"]


def test_a_rule_without_its_channel_stops_the_start(database: Database) -> None:
    with pytest.raises(ConfigError, match="no channel is called 'log'"):
        telling(database, channels=())
