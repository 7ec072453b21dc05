"""Everything that is wrong is told in one error, in sentences that show no secret."""

import pytest

from cronzimus.errors import ConfigError
from cronzimus.settings.report import Report, shown


def test_report_raises_nothing_when_nothing_is_wrong() -> None:
    Report(warnings=["careful"]).raise_if_any()


def test_report_raises_a_single_fault_as_its_sentence() -> None:
    report = Report()
    report.fault("server.port", "expected integer", "f.yaml:3")
    with pytest.raises(ConfigError) as refused:
        report.raise_if_any()
    assert refused.value.message == "server.port: expected integer (from f.yaml:3)"
    assert refused.value.faults[0].field == "server.port"


def test_report_lists_several_faults_line_by_line() -> None:
    report = Report()
    report.fault("a", "is wrong")
    report.plain("b.yaml:1:1: is worse")
    with pytest.raises(ConfigError) as refused:
        report.raise_if_any()
    assert refused.value.message == "2 faults in the configuration:\n  a: is wrong\n  b.yaml:1:1: is worse"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (1, "1"),
        ("a", "'a'"),
        ([1], "[1]"),
        ("postgresql://u:hunter2@h", "'postgresql://u:***@h'"),
        ("x" * 100, "'" + "x" * 76 + "..."),
    ],
)
def test_shown_is_short_and_masked(value: object, text: str) -> None:
    assert shown(value) == text
