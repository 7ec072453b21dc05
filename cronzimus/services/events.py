"""Live: what changed is announced by NOTIFY and handed to everybody who watches, in any process."""

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.errors import Unavailable
from cronzimus.models.event import Event, Topic, events_of, payloads

_SQL = queries("cronzimus.services.sql", "notify.sql")
EVENTS_CHANNEL = "cronzimus_events"
# Beyond this many between two announcements nobody wants them one by one.
_MOST_NAMED = 200
# NOTIFY takes a lock on the whole server at commit: at most some fifty a second from one process.
_SPACING_SECONDS = 0.02
_MOST_UNREAD = 500
_MANY = Event(Topic.MANY)

Announce = Callable[[Event], None]


def unannounced(event: Event) -> None:
    """Tell nobody."""


class Announcer:
    """Gathers what changed in this process and says it soon; `announce` never blocks and never raises.

    An announcement is a hint after the fact: one that is lost with its process costs a watcher a refresh.
    """

    def __init__(self, database: Database, wake: Callable[[], None] = lambda: None) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._waiting: dict[tuple[Topic, str], Event] = {}
        self.wake = wake

    def announce(self, event: Event) -> None:
        """Say soon that this changed; of one thing the last word counts."""
        with self._lock:
            first = not self._waiting
            if len(self._waiting) < _MOST_NAMED:
                self._waiting[event.topic, event.id] = event
            else:
                self._waiting[Topic.MANY, ""] = _MANY
        if first:
            self.wake()

    def step(self) -> float | None:
        """Announce what has gathered; for a loop that `announce` wakes."""
        with self._lock:
            gathered, self._waiting = self._waiting, {}
        if gathered:
            many = (Topic.MANY, "") in gathered
            for payload in payloads([_MANY] if many else gathered.values()):
                self._database.execute(_SQL["announce"], {"channel": EVENTS_CHANNEL, "payload": payload})
            time.sleep(_SPACING_SECONDS)
        return None


class Subscription:
    """What one watcher has not seen yet; one that reads too slowly is told to look at everything."""

    def __init__(self, wants: Callable[[Event], bool]) -> None:
        self._wants = wants
        self._unread: queue.Queue[Event | None] = queue.Queue(_MOST_UNREAD)
        self._ended = threading.Event()

    def offer(self, event: Event) -> None:
        """Put an event before the watcher, if it is of interest."""
        if event.topic is not Topic.MANY and not self._wants(event):
            return
        try:
            self._unread.put_nowait(event)
        except queue.Full:
            self._forget()
            self.offer(_MANY)

    def take(self, timeout: float) -> tuple[Event, ...] | None:
        """What came, waiting at most `timeout` seconds for the first; None when there will be no more.

        Of one thing only the last word is kept.
        """
        taken: dict[tuple[Topic, str], Event] = {}
        with suppress(queue.Empty):
            event = self._unread.get(timeout=timeout)
            while event is not None:
                taken[event.topic, event.id] = event
                event = self._unread.get_nowait()
            return None
        return tuple(taken.values())

    def rest(self, seconds: float) -> None:
        """Let more gather before the next take; ends at once with the subscription."""
        self._ended.wait(seconds)

    def end(self) -> None:
        """Let the watcher leave."""
        self._ended.set()
        self._forget()
        self._unread.put(None)

    def _forget(self) -> None:
        with suppress(queue.Empty):
            while True:
                self._unread.get_nowait()


class Hub:
    """Hands what the one listening session of this process hears to every watcher in it."""

    def __init__(self, most_watchers: int) -> None:
        self._most = most_watchers
        self._lock = threading.Lock()
        self._watchers: frozenset[Subscription] = frozenset()
        self._closed = False

    @property
    def watchers(self) -> int:
        """How many watch now."""
        return len(self._watchers)

    def subscribe(self, wants: Callable[[Event], bool] = lambda _: True) -> Subscription:
        """A new watcher; raises Unavailable TOO_MANY_STREAMS."""
        with self._lock:
            if self._closed or len(self._watchers) >= self._most:
                raise Unavailable(
                    f"this process serves {self._most} live streams already", code="TOO_MANY_STREAMS"
                )
            subscription = Subscription(wants)
            self._watchers |= {subscription}
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """A watcher that left."""
        with self._lock:
            self._watchers -= {subscription}

    def hear(self, payload: str) -> None:
        """A notification of the channel of events."""
        for event in events_of(payload):
            self.tell(event)

    def hear_job(self, job_id: str) -> None:
        """A notification of the channel of jobs."""
        self.tell(Event(Topic.JOB, job_id, job_id))

    def tell(self, event: Event) -> None:
        """Hand one event to every watcher."""
        for watcher in self._watchers:
            watcher.offer(event)

    def close(self) -> None:
        """Let every watcher leave; nobody comes any more."""
        with self._lock:
            self._closed = True
            leaving, self._watchers = self._watchers, frozenset()
        for watcher in leaving:
            watcher.end()
