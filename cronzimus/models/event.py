"""What changed: a hint that travels by NOTIFY, so that whoever looks at it knows to look again."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

# PostgreSQL refuses a payload of 8000 bytes; ids and slugs are ASCII, so characters are bytes.
_LARGEST_PAYLOAD = 7900


class Topic(StrEnum):
    """What kind of thing changed."""

    JOB = "job"
    RUN = "run"
    LOG = "log"
    WORKER = "worker"
    LEADER = "leader"
    ALERT = "alert"
    BACKFILL = "backfill"
    MANY = "many"
    """More changed than is worth naming: look at everything again."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that changed; `id` names it, `job_id` the job it belongs to, `state` how it stands now."""

    topic: Topic
    id: str = ""
    job_id: str | None = None
    state: str | None = None

    def document(self) -> dict[str, Any]:
        """As JSON carries it; what is not known is left out."""
        fields = {"topic": str(self.topic), "id": self.id, "job_id": self.job_id, "state": self.state}
        return {name: value for name, value in fields.items() if value}


def payloads(events: Iterable[Event]) -> Iterator[str]:
    """The events as few JSON lists that each fit a notification."""
    parts: list[str] = []
    size = 2
    for event in events:
        part = json.dumps(event.document(), separators=(",", ":"))
        if parts and size + len(part) + 1 > _LARGEST_PAYLOAD:
            yield f"[{','.join(parts)}]"
            parts, size = [], 2
        parts.append(part)
        size += len(part) + 1
    if parts:
        yield f"[{','.join(parts)}]"


def events_of(payload: str) -> tuple[Event, ...]:
    """The events of one notification; what nobody here understands, such as a later version's, is `MANY`."""
    try:
        return tuple(Event(**{**fields, "topic": Topic(fields["topic"])}) for fields in json.loads(payload))
    except (ValueError, TypeError, KeyError):
        return (Event(Topic.MANY),)
