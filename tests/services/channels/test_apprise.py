"""apprise carries what it understands; its URL is never shown."""

import json
import sys

import pytest

from cronzimus.errors import ConfigError
from cronzimus.services.channel import NotDelivered
from cronzimus.services.channels.apprise import Apprise
from tests.common.web import plain, serving
from tests.services.channels.messages import MESSAGE


def test_a_message_arrives() -> None:
    with serving() as web:
        Apprise("chat", f"json://127.0.0.1:{web.port}/hidden-key").send(MESSAGE)
    (asked,) = web.asked
    assert asked.path == "/hidden-key" and "nightly" in json.loads(asked.body)["title"]


def test_a_service_that_refuses_is_told_without_its_url() -> None:
    with serving(plain(500)) as web, pytest.raises(NotDelivered, match="did not take it") as error:
        Apprise("chat", f"json://127.0.0.1:{web.port}/hidden-key").send(MESSAGE)
    assert "hidden-key" not in error.value.message


def test_a_url_nobody_understands_stops_the_start() -> None:
    with pytest.raises(ConfigError, match="does not understand the url of 'chat'") as error:
        Apprise("chat", "nonsense://hidden-key")
    assert "hidden-key" not in error.value.message


def test_without_the_extra_a_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(ConfigError, match=r"needs the extra notify: pip install 'cronzimus\[notify\]'"):
        Apprise("chat", "json://example.org")
