"""What is raised on purpose carries a code for machines and a sentence for people."""

import pytest

from cronzimus.errors import (
    Cancel,
    ConfigError,
    Conflict,
    CronzimusError,
    DatabaseUnavailable,
    Fault,
    Forbidden,
    Invalid,
    NotFound,
    Snooze,
    Unavailable,
)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (Invalid, "VALIDATION_ERROR"),
        (NotFound, "NOT_FOUND"),
        (Conflict, "CONFLICT"),
        (Forbidden, "FORBIDDEN"),
        (Unavailable, "UNAVAILABLE"),
        (DatabaseUnavailable, "DATABASE_UNAVAILABLE"),
        (ConfigError, "CONFIG_ERROR"),
    ],
)
def test_error_has_the_code_of_its_class_unless_told_otherwise(kind: type[CronzimusError], code: str) -> None:
    assert kind("x").code == code and kind("x", code="SPECIAL").code == "SPECIAL"
    assert str(kind("a sentence")) == kind("a sentence").message == "a sentence"


def test_faults_name_their_fields() -> None:
    faults = [Fault("trigger.seconds", "must be positive")]
    assert Invalid("wrong", faults=iter(faults)).faults == tuple(faults)
    assert Invalid("wrong").faults == ()


def test_invalid_input_is_a_value_error_for_callers_in_code() -> None:
    assert issubclass(Invalid, ValueError)
    assert issubclass(DatabaseUnavailable, Unavailable)


def test_signals_are_no_failures() -> None:
    assert not issubclass(Snooze, CronzimusError) and not issubclass(Cancel, CronzimusError)
    assert Snooze(2.5).seconds == 2.5 and "2.5 s" in str(Snooze(2.5))
