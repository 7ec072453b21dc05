"""When a rule raises an alert, in words."""

from typing import Any

import pytest

from cronzimus.models.alert_rule import Condition, Rule
from cronzimus.web.rule_words import when_in_words

SAID = [
    ("failure", "a run fails"),
    ("first_failure", "a run fails after a success"),
    ("broken", "a definition cannot be loaded"),
    ({"failures_in_a_row": 3}, "3 runs in a row fail"),
    ({"not_started": {"within": "10m"}}, "no run began within 10 min of an instant that was due"),
    (
        {"not_started": {"within": 600, "except": ["paused", "overlap"]}},
        "no run began within 10 min of an instant that was due, unless paused or overlap",
    ),
    ({"not_finished": {"within": "2h"}}, "no run succeeded within 2 h of an instant that was due"),
    ({"not_finished": {"by": "06:30"}}, "no run succeeded by 06:30"),
    (
        {"not_finished": {"by": "06:30", "timezone": "Europe/Berlin"}},
        "no run succeeded by 06:30 Europe/Berlin",
    ),
    ({"too_long": {"seconds": "1h30m"}}, "a run goes on for longer than 1 h 30 min"),
    (
        {"too_long": {"p95_times": 1.5, "over": 20}},
        "a run goes on for longer than 1.5 times what 95 of 100 took of the last 20",
    ),
    ({"queue_older_than": "5m"}, "a run waits for a worker for longer than 5 min"),
    ({"no_leader": 30}, "no replica fires for 30 s"),
    ({"paused_longer_than": "1d"}, "a job is paused for longer than 1 d"),
]


@pytest.mark.parametrize(("when", "words"), SAID)
def test_a_stored_condition_in_words(when: Any, words: str) -> None:
    assert when_in_words(Rule.model_validate({"id": "rule", "when": when}).document()["when"]) == words


def test_every_condition_has_words() -> None:
    said = {when if isinstance(when, str) else next(iter(when)) for when, _ in SAID}
    assert said == set(Condition)


@pytest.mark.parametrize("when", [{"moon_is_full": True}, {"too_long": {"cycles": 3}}])
def test_what_a_later_version_knows_is_named(when: dict[str, Any]) -> None:
    assert when_in_words(when) == next(iter(when))
