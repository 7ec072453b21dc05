import pytest

from cronzimus.common.logger import get_logger, init_logger
from cronzimus.errors import EngineUnavailable
from cronzimus.workers.engine import EngineState
from cronzimus.workers.engines.health import Health


@pytest.fixture
def health() -> Health:
    init_logger()
    return Health("celery", get_logger("engine"))


def test_each_change_is_said_once(health: Health, capsys: pytest.CaptureFixture[str]) -> None:
    health.up()
    for _ in range(3):
        health.down(OSError("refused"))
    assert health.state is EngineState.DOWN
    for _ in range(3):
        health.up()
    assert health.state is EngineState.UP
    lines = capsys.readouterr().err.splitlines()
    assert ["refused" in line for line in lines] == [True, False]
    assert "WARNING" in lines[0] and "INFO" in lines[1]


def test_down_gives_what_to_raise(health: Health) -> None:
    error = health.down(OSError("refused"))
    assert isinstance(error, EngineUnavailable)
    assert error.message == "celery does not carry deliveries: refused"


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (ValueError(""), "ValueError"),
        (ValueError("first\nsecond"), "first"),
        (ValueError("no amqp://u:geheim@h/ here"), "no amqp://u:***@h/ here"),
        (ValueError("x" * 1000), "x" * 300),
    ],
)
def test_reason_is_one_short_line_without_secrets(health: Health, reason: Exception, told: str) -> None:
    assert health.down(reason).message == f"celery does not carry deliveries: {told}"


def test_garbage_is_said_once(health: Health, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(5):
        health.dropped("q", f"reason {number}")
    assert "reason 0" in (said := capsys.readouterr().err)
    assert said.count("\n") == 1
    assert health.state is EngineState.UP
