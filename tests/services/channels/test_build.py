"""From settings to channels."""

from cronzimus.services.channels.build import build_channels
from cronzimus.settings import ChannelSettings
from tests.services.test_channel import SECRET


def test_every_type_is_built() -> None:
    given = [
        {"name": "hook", "type": "webhook", "url": "https://example.org/x", "secret": SECRET},
        {"name": "mail", "type": "smtp", "host": "mail.example.org", "sender": "a@b.org", "to": ("c@d.org",)},
        {"name": "chat", "type": "apprise", "url": "json://example.org"},
        {"name": "log", "type": "log"},
    ]
    channels = build_channels(map(ChannelSettings.model_validate, given), timeout=1)
    assert [channel.type for channel in channels.values()] == ["webhook", "smtp", "apprise", "log"]
    assert channels["mail"].target == "c@d.org through mail.example.org:587", "the port follows from starttls"
