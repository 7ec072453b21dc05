"""The service's own log as a channel: for a first try, and for tests."""

from collections import deque

from cronzimus.common.logger import get_logger
from cronzimus.models.alert_message import Message

_LOG = get_logger(__name__)
_KEPT = 100


class Log:
    """Writes a line and remembers the last messages."""

    type = "log"
    target = "the log of this service"

    def __init__(self, name: str) -> None:
        self.name = name
        self.sent: deque[Message] = deque(maxlen=_KEPT)

    def send(self, message: Message) -> None:
        """Deliver the message."""
        self.sent.append(message)
        _LOG.warning("{}", message.title)
