"""A mail has both forms, a stable id, a thread, and no line that others wrote into its head."""

import pytest

from cronzimus.common.smtp import Server
from cronzimus.errors import ConfigError
from cronzimus.services.channel import NotDelivered
from cronzimus.services.channels.smtp import Smtp
from tests.common.mail import posting
from tests.services.channels.messages import MESSAGE


def test_a_message_arrives_as_text_and_html() -> None:
    with posting() as post:
        Smtp("mail", Server("127.0.0.1", post.port, "none"), "cron@example.org", ("ops@example.org",)).send(
            MESSAGE
        )
    (mail,) = post.mails
    assert mail["Subject"] == "[Cronzimus] nightly failed: é"
    assert mail["Message-ID"] == f"<{MESSAGE.id}@example.org>"
    assert (
        mail["References"] == f"<{MESSAGE.thread}@example.org>" and mail["Auto-Submitted"] == "auto-generated"
    )
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None and "job: nightly" in text.get_content()
    assert html is not None and "<table>" in html.get_content()


def test_a_server_that_refuses_is_asked_again_later() -> None:
    with posting() as post:
        post.refusal = "452 no room"
        channel = Smtp(
            "mail", Server("127.0.0.1", post.port, "none"), "cron@example.org", ("ops@example.org",)
        )
        with pytest.raises(NotDelivered, match=f"127.0.0.1:{post.port}: 452 no room") as error:
            channel.send(MESSAGE)
    assert not error.value.final


@pytest.mark.parametrize("address", ["ops@", "a\nb@example.org", "@"])
def test_what_is_no_address_stops_the_start(address: str) -> None:
    with pytest.raises(ConfigError, match="is no mail address"):
        Smtp("mail", Server("127.0.0.1", 25), "cron@example.org", (address,))
