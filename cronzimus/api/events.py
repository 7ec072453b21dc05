"""What changes, as it changes: server-sent events fed by NOTIFY."""

import functools
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Annotated

from flask import Response
from pydantic import Field
from pydantic_core import to_json

from cronzimus.api.security import needs
from cronzimus.api.support import Query, blueprint, house
from cronzimus.models.event import Event, Topic
from cronzimus.models.job import SLUG
from cronzimus.services.events import Hub, Subscription

api = blueprint("events")

HEARTBEAT_SECONDS = 15.0
# The first event of a quiet stream goes out at once. After it a stream rests, the longer the more there are, so that
# a busy house with many watchers is not busy with them: one process wakes at most so many streams a second.
WAKES_PER_SECOND = 1000
_RETRY = b"retry: 1000\n\n"
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class EventQuery(Query):
    """Which events a watcher wants; all of them when it does not say."""

    topic: Topic | None = Field(default=None, description="only events of this topic")
    job_id: Annotated[str, Field(pattern=SLUG)] | None = Field(default=None, description="only of this job")
    run_id: str | None = Field(default=None, max_length=36, description="only of this run, its log included")


@api.get("/events", responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}})
@needs("read")
def stream_events(query: EventQuery) -> Response:
    """Watch what changes; a watcher that was away looks again at what it shows."""
    hub = house().operating.hub
    return streamed(hub, hub.subscribe(_wanted(query)))


def streamed(
    hub: Hub, subscription: Subscription, show: Callable[[Event], Iterable[bytes]] | None = None
) -> Response:
    """An endless answer; `show` turns an event into what is sent, JSON under the topic's name by default."""
    return live(hub, subscription, _stream(hub, subscription, show or _json))


def live(hub: Hub, subscription: Subscription, chunks: Iterator[bytes]) -> Response:
    """An answer that is sent as it comes; whoever leaves gives the place back."""
    response = Response(chain([_RETRY], chunks), mimetype="text/event-stream", headers=_HEADERS)
    response.call_on_close(lambda: hub.unsubscribe(subscription))
    return response


def message(name: str, data: bytes, id: int | None = None) -> bytes:
    """One server-sent event; data of several lines becomes as many `data:` lines."""
    place = b"" if id is None else b"id: %d\n" % id
    lines = b"".join(b"data: " + line + b"\n" for line in data.split(b"\n"))
    return place + b"event: " + name.encode() + b"\n" + lines + b"\n"


def _wanted(query: EventQuery) -> Callable[[Event], bool]:
    def wants(event: Event) -> bool:
        """Whether every filter given lets the event pass."""
        return (
            query.topic in (None, event.topic)
            and query.job_id in (None, event.job_id)
            and query.run_id in (None, event.id)
        )

    return wants


def _stream(
    hub: Hub, subscription: Subscription, show: Callable[[Event], Iterable[bytes]]
) -> Iterator[bytes]:
    """The heartbeat finds out who has left, and keeps proxies from closing a quiet stream."""
    while (events := subscription.take(HEARTBEAT_SECONDS)) is not None:
        yield b"".join(chain.from_iterable(map(show, events))) or b": still here\n\n"
        subscription.rest(hub.watchers / WAKES_PER_SECOND)


@functools.lru_cache(maxsize=1024)
def _json(event: Event) -> tuple[bytes, ...]:
    """Every watcher is sent the same bytes."""
    return (message(event.topic, to_json(event.document())),)
