"""The outside service hears from this installation only while it really fires."""

from collections.abc import Callable

import pytest

from cronzimus.common.db import Database
from cronzimus.services.alerts.dead_mans_switch import DeadMansSwitch
from tests.common.web import Web, plain, serving
from tests.heart import Heart


def switch(heart: Heart, web: Web, method: str = "GET") -> Callable[[], float]:
    """One look at a time."""
    url = f"{web.url}/ping/hidden-key"
    return DeadMansSwitch(
        heart.database, lambda: heart.leadership.term, url, every_seconds=30, method=method
    ).step


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_leader_pings(heart: Heart, method: str) -> None:
    with serving() as web:
        assert switch(heart, web, method)() == 30
    assert [asked.line.split()[:2] for asked in web.asked] == [[method, "/ping/hidden-key"]]


def test_who_does_not_lead_is_silent(heart: Heart) -> None:
    heart.leadership.resign()
    with serving() as web:
        assert switch(heart, web)() == 1
    assert web.asked == []


def test_a_leader_that_leaves_things_lying_is_silent(heart: Heart, database: Database) -> None:
    heart.add()
    heart.make_due("a", "clock_timestamp() - interval '31 seconds'")
    heart.lead()
    with serving() as web:
        switch(heart, web)()
        assert web.asked == []
        heart.make_due("a")
        heart.lead()
        switch(heart, web)()
    assert len(web.asked) == 1


def test_pings_that_fail_are_logged_once_without_the_url(heart: Heart, logged: list[str]) -> None:
    with serving(plain(500)) as web:
        step = switch(heart, web)
        for _ in range(3):
            heart.lead()
            step()
        web.answer = plain(200)
        heart.lead()
        step()
    assert logged == [
        "The dead man's switch is not pinged: it answered 500",
        "The dead man's switch is pinged again",
    ]


def test_nobody_there_is_logged_without_the_url(heart: Heart, logged: list[str]) -> None:
    with serving() as web:
        pass
    switch(heart, web)()
    (line,) = logged
    assert "hidden-key" not in line and line.startswith("The dead man's switch is not pinged: ")
