"""From the settings of a channel to the channel."""

from collections.abc import Iterable

from pydantic import SecretStr

from cronzimus.common.smtp import Server
from cronzimus.services.channel import Channel
from cronzimus.services.channels.apprise import Apprise
from cronzimus.services.channels.log import Log
from cronzimus.services.channels.smtp import Smtp
from cronzimus.services.channels.webhook import Webhook
from cronzimus.settings import ChannelSettings
from cronzimus.settings.alerts import PORTS


def build_channels(given: Iterable[ChannelSettings], timeout: float) -> dict[str, Channel]:
    """Every channel by its name; raises ConfigError."""
    return {one.name: _built(one, timeout) for one in given}


def _built(one: ChannelSettings, timeout: float) -> Channel:
    if one.type == "webhook":
        return Webhook(one.name, _plain(one.url), _plain(one.secret), timeout=timeout)
    if one.type == "smtp":
        server = Server(
            host=one.host or "",
            port=one.port or PORTS[one.security],
            security=one.security,
            username=one.username,
            password=_plain(one.password) or None,
        )
        return Smtp(one.name, server, one.sender or "", one.to, timeout=timeout)
    return Apprise(one.name, _plain(one.url)) if one.type == "apprise" else Log(one.name)


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
