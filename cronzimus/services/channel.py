"""A channel: one way to tell somebody. The implementations are in `channels/`, the log one is for tests as well."""

from typing import Protocol

from cronzimus.errors import CronzimusError
from cronzimus.models.alert_message import Message


class NotDelivered(CronzimusError):
    """The message did not get through; `final` when another try cannot help."""

    code = "NOT_DELIVERED"

    def __init__(self, message: str, *, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


class Channel(Protocol):
    """Sends one message at a time and returns, or raises NotDelivered, within its timeout."""

    @property
    def name(self) -> str:
        """What rules call it."""

    @property
    def type(self) -> str:
        """How it sends."""

    @property
    def target(self) -> str:
        """Where it sends to, as it may be shown: without any secret."""

    def send(self, message: Message) -> None:
        """Deliver the message."""
