"""What is sent is what an independent verifier accepts, and nothing else is taken for a receipt."""

import base64
import json
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from cronzimus.errors import ConfigError
from cronzimus.services.channel import NotDelivered
from cronzimus.services.channels.webhook import Webhook, key_of, signature
from tests.common.web import plain, raw, serving
from tests.services.channels.messages import MESSAGE

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def headers_of(sent_at: int, signed: str) -> dict[str, str]:
    """The headers a receiver looks at."""
    return {"webhook-id": MESSAGE.id, "webhook-timestamp": str(sent_at), "webhook-signature": signed}


def test_signature_is_the_one_the_library_makes() -> None:
    body, now = b'{"a":1}', datetime.now(UTC)
    sent_at = int(now.timestamp())
    signed = signature(key_of("x", SECRET), MESSAGE.id, sent_at, body)
    assert signed == Verifier(SECRET).sign(MESSAGE.id, now, body.decode())
    Verifier(SECRET).verify(body.decode(), headers_of(sent_at, signed))
    with pytest.raises(WebhookVerificationError):
        Verifier(SECRET).verify('{"a":2}', headers_of(sent_at, signed))


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!!", "whsec_c2hvcnQ=", "plain text"])
def test_weak_keys_are_refused_and_never_shown(secret: str) -> None:
    with pytest.raises(ConfigError, match="the secret of 'hook' must be whsec_") as refused:
        Webhook("hook", "https://example.org", secret)
    assert "c2hvcnQ" not in refused.value.message


@pytest.mark.parametrize("url", ["ftp://example.org", "example.org", "https://"])
def test_only_http_is_spoken(url: str) -> None:
    with pytest.raises(ConfigError, match="must be https"):
        Webhook("hook", url, SECRET)


def test_a_message_arrives_signed() -> None:
    with serving() as web:
        Webhook("hook", f"{web.url}/hook", SECRET).send(MESSAGE)
    (asked,) = web.asked
    verified = Verifier(SECRET).verify(asked.body.decode(), asked.headers)
    assert verified == json.loads(json.dumps(MESSAGE.cloud_event))
    assert asked.line.startswith("POST /hook") and "cloudevents+json" in asked.headers["content-type"]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_anything_but_success_is_no_receipt(status: int) -> None:
    with serving(plain(status, b"not today", Location="/elsewhere")) as web:
        with pytest.raises(NotDelivered, match=f"answered {status} not today") as error:
            Webhook("hook", f"{web.url}/hook", SECRET).send(MESSAGE)
    assert not error.value.final and len(web.asked) == 1, "a redirect is not followed"


def test_nobody_there_is_tried_again_and_forbidden_places_are_not() -> None:
    with pytest.raises(NotDelivered) as error:
        Webhook("hook", "http://127.0.0.1:9/secret-path", SECRET).send(MESSAGE)
    assert not error.value.final and "secret-path" not in error.value.message
    with pytest.raises(NotDelivered, match="metadata address") as error:
        Webhook("hook", "http://169.254.169.254/latest", SECRET).send(MESSAGE)
    assert error.value.final


def test_a_receiver_that_never_answers_is_given_up() -> None:
    with serving(raw()) as web, pytest.raises(NotDelivered):
        Webhook("hook", f"{web.url}/hook", SECRET, timeout=0.3).send(MESSAGE)
