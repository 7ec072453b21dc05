"""The log channel remembers and writes."""

from cronzimus.services.channels.log import Log
from tests.services.channels.messages import MESSAGE


def test_a_message_is_remembered() -> None:
    channel = Log("log")
    channel.send(MESSAGE)
    assert list(channel.sent) == [MESSAGE]
