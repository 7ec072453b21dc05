"""Every channel keeps the one contract."""

import base64

from cronzimus.common.smtp import Server
from cronzimus.services.channel import Channel, NotDelivered
from cronzimus.services.channels.apprise import Apprise
from cronzimus.services.channels.log import Log
from cronzimus.services.channels.smtp import Smtp
from cronzimus.services.channels.webhook import Webhook

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def test_channels_show_where_they_send_and_no_secret() -> None:
    server = Server("mail.example.org", 587, username="u", password="hunter2xyz")
    channels: list[Channel] = [
        Webhook(
            "hook", "https://u:hunter2xyz@hooks.example.org/services/T000/hunter2xyz?k=hunter2xyz", SECRET
        ),
        Smtp("mail", server, "cron@example.org", ("ops@example.org",)),
        Apprise("chat", "json://hunter2xyz@chat.example.org"),
        Log("log"),
    ]
    assert [(one.name, one.type, one.target) for one in channels] == [
        ("hook", "webhook", "https://hooks.example.org/…"),
        ("mail", "smtp", "ops@example.org through mail.example.org:587"),
        ("chat", "apprise", "json://…"),
        ("log", "log", "the log of this service"),
    ]
    assert "hunter2xyz" not in repr(server)


def test_a_failure_says_whether_another_try_can_help() -> None:
    assert (NotDelivered("x").final, NotDelivered("x", final=True).final) == (False, True)
