import pytest
from pydantic import ValidationError

from cronzimus.settings import Settings, redacted
from cronzimus.settings.message_queue import SCHEMES, scheme_of


def settings(**values: str) -> Settings:
    return Settings.model_validate({"message_queue": values})


@pytest.mark.parametrize("scheme", SCHEMES)
def test_known_schemes_are_taken(scheme: str) -> None:
    assert settings(url=f"{scheme}://h").message_queue.url.get_secret_value() == f"{scheme}://h"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("ampq://h", "did you mean 'amqp'?"),
        ("reddis://h", "did you mean 'redis'?"),
        ("sqs://h", "unsupported scheme 'sqs'; supported: database://, postgresql://"),
        ("localhost:5672", "unsupported scheme ''"),
        ("", "unsupported scheme ''"),
    ],
)
def test_unknown_scheme_is_told(url: str, told: str) -> None:
    with pytest.raises(ValidationError) as error:
        settings(url=url)
    assert told in str(error.value)


@pytest.mark.parametrize(
    "url", ["amqp://u:geheim77@h:5672//", "redis://:geheim77@h/0", "postgresql://u:geheim77@h/d"]
)
def test_password_is_never_shown(url: str) -> None:
    given = settings(url=url)
    assert "geheim77" not in f"{given!r} {given.message_queue.url} {redacted(given)}"
    assert "***@h" in redacted(given)["message_queue"]["url"]


@pytest.mark.parametrize("name", ["", "a b", ".a", "x" * 101, "ü"])
def test_queue_is_named_simply(name: str) -> None:
    with pytest.raises(ValidationError):
        settings(task_queue=name)


@pytest.mark.parametrize(("url", "scheme"), [("amqp://h", "amqp"), ("database://", "database"), ("x", "")])
def test_scheme_stands_before_the_host(url: str, scheme: str) -> None:
    assert scheme_of(url) == scheme
