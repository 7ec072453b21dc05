"""A rule says exactly one thing; what it cannot mean is refused with a sentence."""

from typing import Any

import pytest
from pydantic import ValidationError

from cronzimus.models.alert_rule import Condition, JobRule, Rule, rule_of_job
from cronzimus.models.faults import faults_of
from cronzimus.models.job import JobDefinition

DETAILS: dict[str, Any] = {
    "failures_in_a_row": 3,
    "not_started": {"within": "5m"},
    "not_finished": {"by": "06:30"},
    "too_long": {"p95_times": 2},
    "queue_older_than": 60,
    "no_leader": "30s",
    "paused_longer_than": "1d",
}


def rule(when: Any, **more: Any) -> Rule:
    """A rule of the installation."""
    return Rule.model_validate({"id": "r", "when": when, **more})


@pytest.mark.parametrize("condition", Condition)
def test_every_condition_can_be_written_and_read_again(condition: Condition) -> None:
    given = rule({str(condition): DETAILS.get(condition, True)})
    assert given.when.condition is condition and given.columns()["condition"] == condition
    assert Rule.model_validate(given.document()) == given
    assert list(given.document()["when"]) == [condition], "a document holds what was said and nothing else"


@pytest.mark.parametrize("word", ["failure", "first_failure", "broken"])
def test_conditions_without_details_are_words(word: str) -> None:
    assert rule(word) == rule({word: True})


@pytest.mark.parametrize(
    ("when", "columns"),
    [
        ({"not_started": {"within": "5m", "except": ["paused"]}}, {"seconds": 300.0, "excepted": ["paused"]}),
        ({"not_finished": {"within": 90}}, {"seconds": 90.0, "factor": None}),
        ({"not_finished": {"by": "06:30"}}, {"seconds": None}),
        ({"too_long": {"seconds": "2h"}}, {"seconds": 7200.0, "count": None, "factor": None}),
        (
            {"too_long": {"p95_times": 1.5, "over": 20, "at_least": "30s"}},
            {"seconds": 30.0, "count": 20, "factor": 1.5},
        ),
        ({"failures_in_a_row": 3}, {"count": 3, "seconds": None}),
        ({"no_leader": "PT1M"}, {"seconds": 60.0}),
    ],
)
def test_the_database_judges_by_columns(when: Any, columns: dict[str, Any]) -> None:
    found = rule(when).columns()
    assert {name: found[name] for name in columns} == columns


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({"when": "failur"}, "when", "did you mean 'failure'"),
        ({"when": {}}, "when", "give exactly one of"),
        ({"when": {"failure": True, "broken": True}}, "when", "give exactly one of"),
        ({"when": {"failure": False}}, "when", "can only be true"),
        ({"when": {"not_started": {"within": "soon"}}}, "when.not_started.within", "expected a duration"),
        ({"when": {"not_started": {"within": 0}}}, "when.not_started.within", "longer than nothing"),
        ({"when": {"not_started": {"within": True}}}, "when.not_started.within", "must be a duration"),
        (
            {"when": {"not_started": {"within": 5, "except": ["rain"]}}},
            "when.not_started.except.0",
            "must be one of",
        ),
        ({"when": {"not_finished": {}}}, "when.not_finished", "give either within or by"),
        (
            {"when": {"not_finished": {"within": 5, "by": "06:30"}}},
            "when.not_finished",
            "give either within or by",
        ),
        ({"when": {"not_finished": {"within": 5, "timezone": "UTC"}}}, "when.not_finished", "belongs to by"),
        ({"when": {"not_finished": {"by": "25:00"}}}, "when.not_finished.by", "must be a time of day"),
        ({"when": {"too_long": {}}}, "when.too_long", "give either seconds or p95_times"),
        ({"when": {"failures_in_a_row": 1}}, "when.failures_in_a_row", "must be at least 2"),
        ({"when": {"no_leader": 5}, "for": {"job": "a"}}, "", "for must be everything"),
        ({"when": "failure", "for": "all"}, "for", "can only be everything"),
        ({"when": "failure", "for": {"job": "a", "tag": "b"}}, "for", "give exactly one of"),
        ({"when": "failure", "for": {"everything": False}}, "for", "give exactly one of"),
        ({"when": "failure", "severity": "bad"}, "severity", "must be one of"),
        ({"when": "failure", "id": "A b"}, "id", "must match"),
        ({"when": "failure", "name": "x"}, "name", "is not known here"),
    ],
)
def test_what_it_cannot_mean_is_refused(given: Any, field: str, said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Rule.model_validate({"id": "r", **given})
    (fault,) = faults_of(refused.value, known=Rule.model_fields)
    assert fault.field == field and said in fault.message


def test_a_rule_watches_everything_unless_it_says_otherwise() -> None:
    assert rule("failure").columns()["job_id"] is None and rule("failure", **{"for": "everything"}) == rule(
        "failure"
    )
    assert rule("failure", **{"for": {"tag": "etl"}}).columns()["tag"] == "etl"


def test_a_rule_of_a_job_is_called_after_both() -> None:
    own = JobRule.model_validate({"when": {"too_long": {"seconds": 60}}, "severity": "critical"})
    whole = rule_of_job("nightly", own)
    assert whole.id == "nightly.too_long" and whole.scope.job == "nightly" and whole.severity == "critical"
    named = JobRule.model_validate({"name": "sla", "when": {"not_finished": {"by": "06:30"}}})
    assert rule_of_job("nightly", named).id == "nightly.sla"


@pytest.mark.parametrize(
    ("alerts", "said"),
    [
        ([{"when": "failure"}, {"when": "failure"}], "two rules are called 'failure'"),
        ([{"when": {"no_leader": 5}}], "is not about one job"),
        ([{"when": {"queue_older_than": 5}}], "is not about one job"),
    ],
)
def test_a_jobs_document_refuses_what_is_not_its_own(alerts: Any, said: str) -> None:
    document = {"id": "a", "params": {"func": "m:f"}, "trigger": {"type": "manual"}, "alerts": alerts}
    with pytest.raises(ValidationError, match=said):
        JobDefinition.model_validate(document)
