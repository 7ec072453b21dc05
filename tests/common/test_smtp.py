"""Mail goes to a real server, or fails with a sentence, in bounded time."""

import time
from email.message import EmailMessage

import pytest

from cronzimus.common.smtp import MailFailed, Server, send_mail
from tests.common.mail import posting
from tests.common.web import endless, raw, serving


def mail(*to: str) -> EmailMessage:
    """A mail to these addresses."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "cron@example.org", ", ".join(to), "hello"
    message.set_content("there")
    return message


def clear(port: int, **more: str) -> Server:
    """A server without protection, on this machine."""
    return Server("127.0.0.1", port, "none", **more)


def test_a_mail_arrives() -> None:
    with posting() as post:
        send_mail(clear(post.port), mail("a@example.org", "b@example.org"), timeout=5)
    assert [one["Subject"] for one in post.mails] == ["hello"]
    assert post.recipients == [["a@example.org", "b@example.org"]]


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_a_password_is_asked_for() -> None:
    with posting("hunter2xyz") as post:
        send_mail(clear(post.port, username="u", password="hunter2xyz"), mail("a@example.org"), timeout=5)
        # The server counts wrong tries, and may hang up before its last refusal is read.
        with pytest.raises(MailFailed, match="refuses the password: 535|closed"):
            send_mail(clear(post.port, username="u", password="wrong"), mail("a@example.org"), timeout=5)
    assert len(post.mails) == 1


def test_what_the_server_refuses_is_told() -> None:
    with posting() as post:
        with pytest.raises(MailFailed, match=r"refused: nobody@example.org \(550 no such user\)"):
            send_mail(clear(post.port), mail("nobody@example.org"), timeout=5)
        with pytest.raises(MailFailed, match="refused: nobody@example.org"):
            send_mail(clear(post.port), mail("a@example.org", "nobody@example.org"), timeout=5)
        post.refusal = "452 no room"
        with pytest.raises(MailFailed, match="452 no room"):
            send_mail(clear(post.port), mail("a@example.org"), timeout=5)


def test_nothing_is_sent_in_clear_unless_it_may() -> None:
    with posting() as post:
        with pytest.raises(MailFailed, match="STARTTLS"):
            send_mail(Server("127.0.0.1", post.port), mail("a@example.org"), timeout=5)
        with pytest.raises(MailFailed):
            send_mail(Server("127.0.0.1", post.port, "tls"), mail("a@example.org"), timeout=5)
    assert post.mails == []


def test_nobody_there_is_told() -> None:
    with pytest.raises(MailFailed, match="ConnectionRefusedError"):
        send_mail(clear(9), mail("a@example.org"), timeout=5)


@pytest.mark.parametrize("answer", [raw(), endless(b"220-", b"x")], ids=["silent", "drop by drop"])
def test_a_server_that_never_comes_to_the_point_is_given_up(answer: object) -> None:
    began = time.monotonic()
    with serving(answer) as server:  # type: ignore[arg-type]
        with pytest.raises(MailFailed):
            send_mail(clear(server.port), mail("a@example.org"), timeout=0.5)
        assert time.monotonic() - began < 10
