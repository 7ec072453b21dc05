"""The one door to mail: one message to one server, in bounded time."""

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from functools import cache


class MailFailed(Exception):
    """The server did not take the message; the text holds no password."""


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server and how to speak to it: `security` is starttls, tls or none."""

    host: str
    port: int
    security: str = "starttls"
    username: str | None = None
    password: str | None = field(default=None, repr=False)


def send_mail(server: Server, mail: EmailMessage, *, timeout: float) -> None:
    """Hand the message over within `timeout` seconds; raises MailFailed, also when one recipient is refused."""
    try:
        with _connected(server, timeout) as session, _alarm(session, timeout):
            if server.username is not None:
                session.login(server.username, server.password or "")
            refused = session.send_message(mail)
    except smtplib.SMTPAuthenticationError as error:
        raise MailFailed(f"the server refuses the password: {error.smtp_code}") from None
    except smtplib.SMTPRecipientsRefused as error:
        raise MailFailed(f"refused: {_refusals(error.recipients)}") from None
    except smtplib.SMTPResponseException as error:
        raise MailFailed(f"{error.smtp_code} {_text(error.smtp_error)}") from None
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise MailFailed(f"{type(error).__name__}: {error}") from None
    if refused:
        raise MailFailed(f"refused: {_refusals(refused)}")


@contextmanager
def _connected(server: Server, timeout: float) -> Iterator[smtplib.SMTP]:
    if server.security == "tls":
        session: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=timeout, context=_trust())
    else:
        session = smtplib.SMTP(server.host, server.port, timeout=timeout)
    try:
        if server.security == "starttls":
            session.starttls(context=_trust())
        yield session
        with suppress(smtplib.SMTPException, OSError):
            session.quit()
    finally:
        session.close()


@contextmanager
def _alarm(session: smtplib.SMTP, seconds: float) -> Iterator[None]:
    """A server that sends a byte now and then keeps every single wait short: the whole talk is cut off as well."""

    def cut() -> None:
        """Whoever waits wakes up with an error."""
        if session.sock is not None:
            with suppress(OSError):
                socket.socket.shutdown(session.sock, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


def _refusals(recipients: dict[str, tuple[int, bytes]]) -> str:
    return ", ".join(f"{address} ({code} {_text(said)})" for address, (code, said) in recipients.items())


def _text(said: bytes | str) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return " ".join(text.split())[:200]
