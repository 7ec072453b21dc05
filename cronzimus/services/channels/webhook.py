"""A webhook: a CloudEvent, signed as standardwebhooks.com describes it."""

import base64
import binascii
import hashlib
import hmac
import time
from http import HTTPStatus
from urllib.parse import urlsplit

from pydantic_core import to_json

from cronzimus.common.http import RequestFailed, RequestRefused, request
from cronzimus.common.masking import mask, register_secret
from cronzimus.errors import ConfigError
from cronzimus.models.alert_message import Message
from cronzimus.services.channel import NotDelivered
from cronzimus.version import version

_PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64
_KEPT_BYTES = 500


class Webhook:
    """Posts to one URL that the configuration gives; an answer of 2xx is a receipt, a redirect is none.

    Link-local and metadata addresses are refused by the door to HTTP. Private ones are not: only who writes the
    configuration chooses the URL.
    """

    type = "webhook"

    def __init__(self, name: str, url: str, secret: str, *, timeout: float = 10.0) -> None:
        self.name = name
        self._url = _checked(name, url)
        self._key = key_of(name, secret)
        self._timeout = timeout
        register_secret(secret)

    @property
    def target(self) -> str:
        """The host: paths of webhooks hold keys."""
        parts = urlsplit(self._url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…"

    def send(self, message: Message) -> None:
        """Deliver the message."""
        body = to_json(message.cloud_event)
        sent_at = int(time.time())
        headers = {
            "Content-Type": "application/cloudevents+json; charset=utf-8",
            "User-Agent": f"cronzimus/{version()}",
            "webhook-id": message.id,
            "webhook-timestamp": str(sent_at),
            "webhook-signature": signature(self._key, message.id, sent_at, body),
        }
        try:
            answer = request(
                "POST",
                self._url,
                headers=headers,
                content=body,
                timeout=self._timeout,
                keep_bytes=_KEPT_BYTES,
            )
        except RequestFailed as error:
            said = str(error).partition(": ")[2] or str(error)
            raise NotDelivered(f"{self.target}: {said}", final=isinstance(error, RequestRefused)) from None
        if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            said = mask(" ".join(answer.body.decode(errors="replace").split()))
            raise NotDelivered(f"{self.target} answered {answer.status} {said}".strip())


def signature(key: bytes, message_id: str, sent_at: int, body: bytes) -> str:
    """The header that proves who sent this, when, and that nobody changed it."""
    signed = b".".join((message_id.encode(), str(sent_at).encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def key_of(name: str, secret: str) -> bytes:
    """The key that a secret such as `whsec_…` stands for; raises ConfigError."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not _SHORTEST <= len(key) <= _LONGEST:
        raise ConfigError(
            f"alerts.channels: the secret of {name!r} must be {_PREFIX} and base64 of {_SHORTEST} to {_LONGEST} "
            "random bytes; one way to make one: "
            "python3 -c \"import base64, os; print('whsec_' + base64.b64encode(os.urandom(32)).decode())\""
        )
    return key


def _checked(name: str, url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"alerts.channels: the url of {name!r} must be https://… or http://…")
    return url
