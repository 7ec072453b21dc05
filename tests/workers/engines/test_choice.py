import pytest

from cronzimus.errors import ConfigError
from cronzimus.settings import MessageQueueSettings
from cronzimus.workers.engines import choice
from cronzimus.workers.engines.choice import engine_for

OURS = "postgresql://postgres@127.0.0.1:1/ours"


def settings(url: str) -> MessageQueueSettings:
    return MessageQueueSettings.model_validate({"url": url})


@pytest.mark.parametrize(
    ("url", "name", "transactional"),
    [
        ("database://", "procrastinate", True),
        ("postgresql://u:p@h/d", "procrastinate", False),
        ("postgres://h/d", "procrastinate", False),
        ("memory://", "inline", False),
        ("amqp://guest:guest@h:5672//", "celery", False),
        ("amqps://h", "celery", False),
        ("redis://h:6379/0", "celery", False),
        ("rediss://h", "celery", False),
    ],
)
def test_url_chooses(url: str, name: str, transactional: bool) -> None:
    engine = engine_for(settings(url), OURS)
    assert (engine.name, engine.transactional) == (name, transactional)
    engine.close()


@pytest.mark.parametrize(
    ("url", "missing", "refused"),
    [
        ("amqp://h", "celery", True),
        ("redis://h", "celery", True),
        ("redis://h", "redis", True),
        ("amqp://h", "redis", False),
        ("database://", "celery", False),
    ],
)
def test_missing_extra_is_named(
    url: str, missing: str, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "find_spec", lambda library: None if library == missing else object())
    if not refused:
        engine_for(settings(url), OURS).close()
        return
    with pytest.raises(ConfigError) as error:
        engine_for(settings(url), OURS)
    assert "message_queue.url: " in error.value.message
    assert "pip install 'cronzimus[celery]'" in error.value.message
