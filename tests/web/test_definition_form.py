"""From a document to the fields of a form and back."""

import json
from typing import Any

import pytest

from cronzimus.errors import Invalid
from cronzimus.models.job import JobDefinition
from cronzimus.web.definition_form import document_of, field_of, fields_of
from tests.api.fakes import document

FILLED = {"id": "a", "what": "pkg.jobs:run", "trigger": "cron", "cron": "0 2 * * *"}
TRIGGERS: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"type": "cron", "expression": "0 2 * * *"}, {"trigger": "cron", "cron": "0 2 * * *"}),
    ({"type": "interval", "hours": 6}, {"trigger": "interval", "every": "6", "unit": "hours"}),
    ({"type": "date", "run_date": "2030-01-01T00:00:00Z"}, {"trigger": "date", "at": "2030-01-01T00:00:00Z"}),
    ({"type": "manual"}, {"trigger": "manual"}),
    ({"type": "interval", "hours": 6, "minutes": 30}, {"trigger": "json"}),
    ({"type": "cron", "hour": 3}, {"trigger": "json"}),
]
DOCUMENTS = [document("a", trigger=trigger) for trigger, _ in TRIGGERS] + [
    document("a", kind="shell", params={"command": ["sh", "-c", "echo 'x y'"]}),
    document("a", kind="http", params={"url": "https://example.org/x", "method": "POST", "json": {"n": [1]}}),
    document("a", kind="sql", params={"statement": "SELECT 1"}),
    document("a", policy={"max_attempts": 3, "timeout": 2.5, "backoff": 7.0}, tags=["x", "y"]),
    document("a", trigger=[{"type": "interval", "hours": 1}, {"type": "cron", "expression": "@daily"}]),
]


@pytest.mark.parametrize("written", DOCUMENTS)
def test_a_document_comes_back_as_it_was(written: dict[str, Any]) -> None:
    stored = JobDefinition.model_validate(written).document()
    assert JobDefinition.model_validate(document_of(fields_of(stored))).document() == stored


@pytest.mark.parametrize(("trigger", "shown"), TRIGGERS)
def test_plain_triggers_have_fields_of_their_own(trigger: dict[str, Any], shown: dict[str, str]) -> None:
    fields = fields_of(JobDefinition.model_validate(document("a", trigger=trigger)).document())
    assert {name: fields[name] for name in shown} == shown
    assert ("trigger" in json.loads(fields["more"])) == (shown["trigger"] == "json")


def test_what_is_left_empty_is_not_said() -> None:
    assert document_of(FILLED) == {
        "id": "a",
        "kind": "function",
        "timezone": "UTC",
        "tags": [],
        "params": {"func": "pkg.jobs:run"},
        "policy": {"overlap": "skip"},
        "trigger": {"type": "cron", "expression": "0 2 * * *"},
    }


def test_fields_win_over_the_json_and_the_rest_of_it_stays() -> None:
    more = {"params": {"func": "other:x", "kwargs": {"n": 1}}, "queue": "slow", "id": "b"}
    made = document_of({**FILLED, "more": json.dumps(more)})
    assert (made["id"], made["queue"]) == ("a", "slow")
    assert made["params"] == {"func": "pkg.jobs:run", "kwargs": {"n": 1}}


def test_what_is_no_number_is_left_to_the_model() -> None:
    assert document_of({**FILLED, "max_attempts": "many"})["policy"]["max_attempts"] == "many"
    assert document_of({**FILLED, "timeout": "2.5"})["policy"]["timeout"] == 2.5


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"more": "{"}, "more"),
        ({"more": "[1]"}, "more"),
        ({"more": "[" * 100_000}, "more"),
        ({"more": '{"params": 1}'}, "more"),
        ({"more": '{"policy": []}'}, "more"),
        ({"kind": "shell", "what": "echo 'x"}, "params.command"),
    ],
)
def test_what_cannot_be_put_together_is_refused(changed: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        document_of({**FILLED, **changed})
    assert [fault.field for fault in refused.value.faults] == [field]


@pytest.mark.parametrize(
    ("path", "trigger", "field"),
    [
        ("id", "cron", "id"),
        ("params.func", "cron", "what"),
        ("params.command.0", "cron", "what"),
        ("params.headers", "cron", "more"),
        ("trigger.expression", "cron", "cron"),
        ("trigger.seconds", "interval", "every"),
        ("trigger.run_date", "date", "at"),
        ("trigger", "json", "more"),
        ("policy.timeout", "cron", "timeout"),
        ("policy.backoff", "cron", "more"),
        ("tags.0", "cron", "tags"),
        ("calendar", "cron", "more"),
    ],
)
def test_a_mistake_stands_beside_its_field(path: str, trigger: str, field: str) -> None:
    assert field_of(path, {"trigger": trigger}) == field
