"""What tells an open page that something it shows has changed."""

from collections.abc import Iterator
from typing import Annotated, Any, Final

from flask import Response, request
from pydantic import BeforeValidator, Field
from pydantic_core import to_json

from cronzimus.api.events import message, streamed
from cronzimus.api.security import needs
from cronzimus.api.support import Query, house
from cronzimus.models.event import Event, Topic
from cronzimus.models.job import SLUG
from cronzimus.web.room import room

pages = room("stream")

_NAME: Final = "change"


def _split(value: Any) -> Any:
    return value.split() if isinstance(value, str) else value


class LiveQuery(Query):
    """What the page shows."""

    topics: Annotated[frozenset[Topic], BeforeValidator(_split)] = Field(
        default=frozenset(), description="separated by spaces"
    )
    job: Annotated[str, Field(pattern=SLUG)] | None = None

    def wants(self, event: Event) -> bool:
        """Whether the event changes the page."""
        return event.topic in self.topics and (self.job is None or event.job_id in (None, self.job))


@pages.get("/live")
@needs("read")
def get_stream() -> Response:
    """Events for one open page."""
    query = LiveQuery.model_validate(request.args.to_dict())
    hub = house().operating.hub
    return streamed(hub, hub.subscribe(query.wants), _told)


def _told(event: Event) -> Iterator[bytes]:
    yield message(_NAME, to_json(event.document()))
