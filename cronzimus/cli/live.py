"""A live answer of the service as events, taken up again where it broke."""

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from cronzimus.cli.client import Client
from cronzimus.errors import Unavailable

_AGAIN_SECONDS: Final = 0.5
_PATIENCE_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """One server-sent event."""

    name: str
    data: Any


def events_of(lines: Iterable[bytes]) -> Iterator[LiveEvent | None]:
    """The events of a stream; None for a sign of life."""
    name, data = "", b""
    for line in lines:
        field, _, value = line.rstrip(b"\r").partition(b": ")
        if field == b"event":
            name = value.decode()
        elif field == b"data":
            data += value
        elif not field and name:
            yield LiveEvent(name, json.loads(data))
            name, data = "", b""
        else:
            yield None


def log_of(client: Client, run_id: str, *, after: int = 0, **query: Any) -> Iterator[dict[str, Any]]:
    """Every line of a run behind `after`, until it has ended; a service that restarts meanwhile is waited for."""
    heard = time.monotonic()
    while True:
        try:
            for event in events_of(client.stream("runs", run_id, "logs", "stream", after=after, **query)):
                heard = time.monotonic()
                if event is not None and event.name == "end":
                    return
                if event is not None and event.name == "line":
                    after = event.data["seq"]
                    yield event.data
        except Unavailable:
            if time.monotonic() - heard > _PATIENCE_SECONDS:
                raise
        time.sleep(_AGAIN_SECONDS)
