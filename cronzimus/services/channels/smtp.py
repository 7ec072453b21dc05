"""Mail: text and HTML with the same facts, threaded by alert."""

import re
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from cronzimus.common.masking import register_secret
from cronzimus.common.smtp import MailFailed, Server, send_mail
from cronzimus.errors import ConfigError
from cronzimus.models.alert_message import Message
from cronzimus.services.channel import NotDelivered

_ADDRESS = re.compile(r"[^\s@<>,;\"]+@[A-Za-z0-9][A-Za-z0-9.-]*")


class Smtp:
    """Hands each message to one mail server; accepted by it is delivered."""

    type = "smtp"

    def __init__(
        self, name: str, server: Server, sender: str, to: tuple[str, ...], *, timeout: float = 10.0
    ) -> None:
        self.name = name
        self._server = server
        self._sender = _address(name, sender)
        self._to = tuple(_address(name, one) for one in to)
        self._timeout = timeout
        if server.password:
            register_secret(server.password)

    @property
    def target(self) -> str:
        """Who gets it, by which server."""
        return (
            f"{', '.join(one.addr_spec for one in self._to)} through {self._server.host}:{self._server.port}"
        )

    def send(self, message: Message) -> None:
        """Deliver the message."""
        try:
            send_mail(self._server, self._mail(message), timeout=self._timeout)
        except MailFailed as error:
            raise NotDelivered(f"{self._server.host}:{self._server.port}: {error}") from None

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["From"] = self._sender
        mail["To"] = self._to
        mail["Subject"] = _one_line(message.title)
        mail["Date"] = format_datetime(datetime.now(UTC))
        mail["Message-ID"] = f"<{message.id}@{self._sender.domain}>"
        mail["References"] = f"<{message.thread}@{self._sender.domain}>"
        # No answering machine shall answer, and a filter can tell these from what people write.
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Cronzimus-Kind"] = message.kind
        mail.set_content(message.text)
        mail.add_alternative(message.html, subtype="html")
        return mail


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 200 else f"{line[:199]}…"


def _address(name: str, text: str) -> Address:
    user, _, domain = text.rpartition("@")
    if _ADDRESS.fullmatch(text):
        return Address(username=user, domain=domain)
    raise ConfigError(f"alerts.channels: {text!r} of {name!r} is no mail address")
