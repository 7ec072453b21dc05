"""Every key of the tree is listed and converts texts strictly; an unknown one finds its nearest neighbour."""

from typing import Any

import pytest

from cronzimus.settings.keys import hint, keys, outside_development, sections


def test_keys_lists_nested_keys_and_those_of_list_items() -> None:
    assert {
        "environment",
        "server.port",
        "api.auth.enabled",
        "api.auth.tokens",
        "api.auth.tokens[].scopes",
    } <= set(keys())
    assert "api.auth" not in keys()


def test_sections_are_what_holds_keys() -> None:
    assert {"server", "api", "api.auth"} <= sections()
    assert not sections() & set(keys())


@pytest.mark.parametrize(
    ("path", "secret"),
    [
        ("database.url", True),
        ("message_queue.url", True),
        ("api.auth.tokens[].token", True),
        ("api.auth.tokens", False),
        ("server.host", False),
    ],
)
def test_key_knows_whether_it_is_secret(path: str, secret: bool) -> None:
    assert keys()[path].secret is secret


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("server.port", "integer"),
        ("api.request_timeout_seconds", "number"),
        ("api.cors_enabled", "true or false"),
        ("api.cors_origins", "list"),
        ("app.name", "text"),
        ("logging.format", "one of text, json"),
        ("logging.retention", "text or integer"),
        ("history.runs_per_job", "integer"),
        ("database.url", "text"),
        ("worker.labels", "map"),
    ],
)
def test_key_says_what_it_expects(path: str, expected: str) -> None:
    assert keys()[path].expected == expected


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("server.port", "9000", 9000),
        ("worker.labels", "", {}),
        ("worker.labels", "zone=eu, gpu=", {"zone": "eu", "gpu": ""}),
        ("api.request_timeout_seconds", "2.5", 2.5),
        ("api.cors_enabled", "yes", True),
        ("api.auth.enabled", "off", False),
        ("api.auth.enabled", "null", None),
        ("api.cors_origins", "a, b", ("a", "b")),
        ("api.cors_origins", '["a"]', ("a",)),
        ("api.auth.tokens", '[{"name": "a"}]', ({"name": "a"},)),
        ("api.auth.tokens", '{"name": "a"}', ({"name": "a"},)),
        ("app.name", "123", "123"),
        ("app.name", "null", "null"),
        ("database.url", "none", None),
        ("database.url", "", None),
        ("logging.retention", "10", "10"),
        ("history.runs_per_job", "50", 50),
        ("history.runs_per_job", "Null", None),
    ],
)
def test_key_converts_text(path: str, text: str, value: Any) -> None:
    assert keys()[path].convert(text) == value


@pytest.mark.parametrize(
    ("path", "text", "sentence"),
    [
        ("server.port", "abc", "expected integer"),
        ("server.port", "null", "expected integer"),
        ("api.request_timeout_seconds", "15s", "expected number"),
        ("api.cors_enabled", "maybe", "expected one of true"),
        ("api.auth.tokens", "name=a", "expected a JSON array"),
        ("api.cors_origins", "[a", "expected a comma separated list or a JSON array"),
    ],
)
def test_key_refuses_text(path: str, text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        keys()[path].convert(text)


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("server.prot", "; did you mean 'port'?"),
        ("serverr", "; did you mean 'server'?"),
        ("api.auth.tokns", "; did you mean 'tokens'?"),
        ("api.auht", "; did you mean 'auth'?"),
        ("api.auth.tokens[].scope", "; did you mean 'scopes'?"),
        ("port", "; did you mean 'server.port'?"),
        ("server.timezone", "; did you mean 'scheduler.timezone'?"),
        ("zzzzzz", ""),
    ],
)
def test_hint_names_the_nearest_key(path: str, near: str) -> None:
    assert hint(path) == near


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("server.host", (True, "0.0.0.0")),
        ("worker.allowed_commands", (True, ())),
        ("scheduler.sample_job", (True, False)),
        ("server.port", (False, None)),
        ("environment", (False, None)),
    ],
)
def test_outside_development_knows_the_other_default(path: str, answer: tuple[bool, Any]) -> None:
    assert outside_development(path) == answer
