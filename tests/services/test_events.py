"""What changed reaches everybody who watches, and nobody can be flooded."""

import threading

import pytest

from cronzimus.common.db import Database
from cronzimus.common.notify import Listener
from cronzimus.common.sql import queries
from cronzimus.errors import Unavailable
from cronzimus.models.event import Event, Topic
from cronzimus.services.events import (
    _MOST_NAMED,
    _MOST_UNREAD,
    EVENTS_CHANNEL,
    Announcer,
    Hub,
    unannounced,
)

RUN = Event(Topic.RUN, "r1", "a", "running")
DONE = Event(Topic.RUN, "r1", "a", "success")
JOB = Event(Topic.JOB, "a", "a")
MANY = Event(Topic.MANY)


class Ears:
    """A listening session and the hub it feeds."""

    def __init__(self, database: Database) -> None:
        self.hub = Hub(10)
        listen = queries("cronzimus.services.sql", "notify.sql")["listen"]
        quiet = {"cronzimus_jobs": self.hub.hear_job, "cronzimus_cancel": lambda _: None}
        self.listener = Listener(database.url, listen, {**quiet, EVENTS_CHANNEL: self.hub.hear})
        self.listener._session = self.listener._open()
        self.subscription = self.hub.subscribe()

    def heard(self) -> tuple[Event, ...] | None:
        self.listener.step()
        return self.subscription.take(0.001)


@pytest.fixture
def ears(database: Database) -> Ears:
    return Ears(database)


def test_announcement_reaches_another_session(database: Database, ears: Ears) -> None:
    announcer = Announcer(database)
    announcer.announce(RUN)
    announcer.announce(JOB)
    assert announcer.step() is None
    assert ears.heard() == (RUN, JOB)
    ears.listener.close()


def test_of_one_thing_the_last_word_counts(database: Database, ears: Ears) -> None:
    announcer = Announcer(database)
    for event in (RUN, DONE):
        announcer.announce(event)
    announcer.step()
    assert ears.heard() == (DONE,)
    announcer.step()
    assert ears.heard() == ()
    ears.listener.close()


def test_a_flood_becomes_one_word(database: Database, ears: Ears) -> None:
    announcer = Announcer(database)
    for n in range(_MOST_NAMED + 50):
        announcer.announce(Event(Topic.RUN, str(n)))
    announcer.step()
    assert ears.heard() == (MANY,)
    ears.listener.close()


def test_first_event_wakes_the_loop_and_the_others_ride_along(database: Database) -> None:
    woken: list[int] = []
    announcer = Announcer(database, lambda: woken.append(1))
    for _ in range(3):
        announcer.announce(RUN)
    assert woken == [1]
    announcer.step()
    announcer.announce(RUN)
    assert woken == [1, 1]


def test_job_notifications_are_events_too() -> None:
    hub = Hub(1)
    subscription = hub.subscribe()
    hub.hear_job("a")
    assert subscription.take(0) == (JOB,)


def test_watcher_gets_what_it_wants_and_every_many() -> None:
    hub = Hub(2)
    picky = hub.subscribe(lambda event: event.job_id == "a")
    for event in (RUN, Event(Topic.RUN, "r2", "b"), MANY):
        hub.tell(event)
    assert picky.take(0) == (RUN, MANY)
    assert picky.take(0.001) == ()


def test_watcher_hears_the_last_word_on_each_thing() -> None:
    hub = Hub(1)
    watcher = hub.subscribe()
    for event in (RUN, JOB, DONE):
        hub.tell(event)
    assert watcher.take(0) == (DONE, JOB)


def test_resting_watcher_is_woken_by_the_end() -> None:
    hub = Hub(1)
    watcher = hub.subscribe()
    resting = threading.Thread(target=watcher.rest, args=[600])
    resting.start()
    hub.close()
    resting.join(10)
    assert not resting.is_alive()


def test_slow_watcher_is_told_to_look_at_everything() -> None:
    hub = Hub(1)
    slow = hub.subscribe()
    for n in range(_MOST_UNREAD + 1):
        hub.tell(Event(Topic.RUN, str(n)))
    assert slow.take(0) == (MANY,)


def test_places_are_bounded_and_given_back() -> None:
    hub = Hub(1)
    first = hub.subscribe()
    with pytest.raises(Unavailable, match="serves 1 live streams already"):
        hub.subscribe()
    hub.unsubscribe(first)
    assert hub.watchers == 0
    hub.subscribe()
    assert hub.watchers == 1


def test_closed_hub_sends_everybody_home() -> None:
    hub = Hub(2)
    watcher = hub.subscribe()
    hub.tell(RUN)
    hub.close()
    assert watcher.take(1) is None
    with pytest.raises(Unavailable):
        hub.subscribe()


def test_unannounced_says_nothing() -> None:
    unannounced(RUN)
