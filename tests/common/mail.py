"""A real mail server on a thread: it keeps what it takes, and refuses what the test says."""

import email
import email.policy
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session


@dataclass
class Post:
    """Where it listens, and what arrived."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    refusal: str = ""

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        if self.refusal:
            return self.refusal
        content = cast(bytes, envelope.original_content)
        parsed = email.message_from_bytes(content, policy=email.policy.default)
        self.mails.append(cast(EmailMessage, parsed))
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 taken"

    async def handle_RCPT(
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("nobody@"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"


@contextmanager
def posting(password: str | None = None, port: int = 0) -> Iterator[Post]:
    """A mail server for the length of the block; with a password it wants one."""
    post = Post()

    def check(server: Any, session: Any, envelope: Any, mechanism: str, given: LoginPassword) -> AuthResult:
        return AuthResult(success=given.password == (password or "").encode())

    wanted = {"authenticator": check, "auth_required": True, "auth_require_tls": False} if password else {}
    post.port = port or free_port()
    controller = Controller(post, hostname="127.0.0.1", port=post.port, ready_timeout=20, **wanted)
    controller.start()
    try:
        yield post
    finally:
        controller.stop()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
