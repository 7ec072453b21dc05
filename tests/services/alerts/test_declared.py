"""Rules of the configuration are checked at start."""

from typing import Any

import pytest

from cronzimus.errors import ConfigError
from cronzimus.services.alerts.declared import declared_rules
from tests.services.alerts.support import Desk


def test_rules_are_read_from_settings(desk: Desk) -> None:
    given = (
        {"id": "a", "when": {"not_started": {"within": "5m", "except": ("paused",)}}, "channels": ("ops",)},
    )
    (rule,) = declared_rules(given, desk.rules)
    assert rule.when.not_started is not None and rule.when.not_started.within == 300


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            [{"id": "a", "when": "failure", "chanels": ["ops"]}],
            r"alerts.rules\[0\].chanels: .* did you mean 'channels'",
        ),
        (
            [{"id": "a", "when": "failure"}, {"id": "b", "when": "failur"}],
            r"alerts.rules\[1\].when: .*'failure'",
        ),
        ([{"id": "a", "when": "failure", "channels": ["opps"]}], r"alerts.rules\[0\].channels: .*'ops'"),
        ([{"id": "a", "when": "failure"}] * 2, "two rules are called 'a'"),
    ],
)
def test_a_wrong_rule_stops_the_start_with_a_sentence(desk: Desk, given: list[Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        declared_rules(given, desk.rules)
