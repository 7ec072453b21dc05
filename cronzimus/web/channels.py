"""The channels: where people are told, whether that works, and what was sent."""

from typing import Final

from werkzeug.wrappers import Response

from cronzimus.api.alert_shapes import ChannelPath, NotificationQuery
from cronzimus.api.security import caller, needs
from cronzimus.api.support import V1, house
from cronzimus.models.alert import Notification, Progress
from cronzimus.web.forms import check_form, done
from cronzimus.web.room import Answer, address, live, page, query_of, room

pages = room("channels")

_HERE: Final = "/alerts/channels"


@pages.get("/alerts/channels")
@live
@needs("read")
def show_channels() -> Answer:
    """The channels of this process, and the outbox of all."""
    query = query_of(NotificationQuery)
    courier = house().operating.telling.courier
    return page(
        "channels.html",
        twin=f"{V1}/channels",
        topics="alert",
        query=query,
        states=tuple(Progress),
        channels=tuple(courier.channels.values()),
        found=courier.list(**dict(query)),
        href=lambda offset: address(_HERE, **{**dict(query), "offset": offset}),
    )


@pages.post("/alerts/channels/<name>/test")
@needs("operate")
def test_channel(name: str) -> Response:
    """Send a test message now, and say what came of it."""
    check_form()
    known = ChannelPath(name=name).name
    return done(_told(house().operating.telling.courier.test(known, by=caller())), _HERE)


def _told(sent: Notification) -> str:
    if sent.progress is Progress.DELIVERED:
        return f"{sent.channel} took the test message"
    return f"{sent.channel} did not deliver the test message: {sent.error}"
