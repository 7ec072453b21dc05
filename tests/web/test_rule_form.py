"""The fields of a new rule, and the document they mean."""

from typing import Any

import pytest
from pydantic import ValidationError

from cronzimus.models.alert_rule import Condition, Rule
from cronzimus.models.faults import faults_of
from cronzimus.web.rule_form import EMPTY, SCOPES, WHEN, document_of, field_of


def filled(**said: str) -> dict[str, str]:
    return {**EMPTY, "id": "rule", **said}


def faulty(channels: tuple[str, ...] = (), **said: str) -> set[str]:
    """The fields of the form in which something is wrong."""
    with pytest.raises(ValidationError) as error:
        Rule.model_validate(document_of(filled(**said), channels))
    return {field_of(fault.field) for fault in faults_of(error.value)}


@pytest.mark.parametrize("choice", WHEN)
def test_every_choice_makes_a_rule_of_its_example(choice: str) -> None:
    _, example, path = WHEN[choice]
    rule = Rule.model_validate(document_of(filled(when=choice, value=example), ()))
    assert rule.when.condition == path[0]


def test_every_condition_can_be_chosen() -> None:
    assert {path[0] for _, _, path in WHEN.values()} == set(Condition)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"when": "failures_in_a_row", "value": "3"}, {"failures_in_a_row": 3}),
        ({"when": "not_finished_by", "value": "06:30"}, {"not_finished": {"by": "06:30"}}),
        ({"when": "unusually_long", "value": "2"}, {"too_long": {"p95_times": "2"}}),
        ({"when": "no_leader", "value": "30s"}, {"no_leader": "30s"}),
        ({"when": "failure", "value": "left over"}, "failure"),
    ],
)
def test_a_choice_and_its_value(said: dict[str, str], expected: Any) -> None:
    assert document_of(filled(**said), ())["when"] == expected


def test_everything_that_can_be_said() -> None:
    said = {"description": "What", "scope": "tag", "of": "etl", "severity": "critical", "remind_every": "4h"}
    document = document_of(filled(**said, tell_recovery=""), ("ops", "mail"))
    assert document == {
        "id": "rule",
        "description": "What",
        "when": "first_failure",
        "for": {"tag": "etl"},
        "channels": ["ops", "mail"],
        "severity": "critical",
        "remind_every": "4h",
        "tell_recovery": False,
    }


def test_an_empty_form_lacks_only_an_id() -> None:
    assert faulty(id="") == {"id"}
    assert set(SCOPES) == {"everything", "job", "tag"}


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"id": "No Slug"}, "id"),
        ({"when": "moon_is_full"}, "when"),
        ({"when": "not_started", "value": ""}, "value"),
        ({"when": "not_started", "value": "soon"}, "value"),
        ({"when": "not_finished_by", "value": "25:00"}, "value"),
        ({"when": "failures_in_a_row", "value": "1"}, "value"),
        ({"when": "failures_in_a_row", "value": "9" * 5000}, "value"),
        ({"when": "failures_in_a_row", "value": "³"}, "value"),
        ({"when": "unusually_long", "value": "much"}, "value"),
        ({"scope": "job", "of": ""}, "of"),
        ({"scope": "tag", "of": ""}, "of"),
        ({"scope": "moon"}, "scope"),
        ({"when": "no_leader", "value": "30s", "scope": "job", "of": "a"}, "scope"),
        ({"severity": "loud"}, "severity"),
        ({"remind_every": "often"}, "remind_every"),
        ({"description": "x" * 2001}, "description"),
    ],
)
def test_a_mistake_is_found_in_its_field(said: dict[str, str], field: str) -> None:
    assert faulty(**said) == {field}


def test_a_channel_nobody_can_have_is_a_mistake_in_the_channels() -> None:
    assert faulty(("No Slug",)) == {"channels"}
