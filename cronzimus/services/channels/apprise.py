"""The other 170 services, through the library apprise, which comes with the extra `notify`."""

from typing import Any

from cronzimus.common.masking import mask, register_secret
from cronzimus.errors import ConfigError
from cronzimus.models.alert_message import Message
from cronzimus.services.channel import NotDelivered


class Apprise:
    """One URL of apprise, such as `slack://…` or `ntfys://…`; the library keeps its own time limits."""

    type = "apprise"

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.target = f"{url.partition(':')[0]}://…"
        register_secret(url)
        library = _library(name)
        self._service: Any = library.Apprise()
        if not self._service.add(url):
            raise ConfigError(f"alerts.channels: apprise does not understand the url of {name!r}")

    def send(self, message: Message) -> None:
        """Deliver the message."""
        try:
            done = self._service.notify(body=message.text, title=message.title)
        except Exception as error:  # whatever one of 170 plug-ins may raise
            raise NotDelivered(f"{self.target}: {type(error).__name__}: {mask(str(error))}") from None
        if not done:
            raise NotDelivered(f"{self.target}: the service did not take it")


def _library(name: str) -> Any:
    try:
        import apprise
    except ImportError:
        raise ConfigError(
            f"alerts.channels: {name!r} is of type apprise, which needs the extra notify: "
            "pip install 'cronzimus[notify]'"
        ) from None
    return apprise
