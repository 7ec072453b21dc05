"""Flask-APScheduler's shape of a job, compared with what Flask-APScheduler itself makes of the same job."""

import json
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from flask_apscheduler.utils import fix_job_def, job_to_dict, pop_trigger

from cronzimus.api.legacy import legacy_view, to_changed_document, to_document, wants_pause, wants_replacement
from cronzimus.errors import Invalid
from cronzimus.models.job import Job, JobDefinition, JobStatus, Source
from tests.api.fakes import NOW

FUNC = "builtins:print"


def job_of(document: dict[str, Any]) -> Job:
    definition = JobDefinition.model_validate(document).document()
    return Job(definition["id"], definition, JobStatus.ACTIVE, None, Source.API, 1, NOW, NOW, NOW)


def theirs(body: dict[str, Any]) -> dict[str, Any]:
    """What Flask-APScheduler shows after it was given `body`."""
    body = deepcopy(body)
    fix_job_def(body)
    trigger, trigger_args = pop_trigger(body)
    scheduler = BackgroundScheduler(timezone=UTC)
    job = scheduler.add_job(**body, trigger=trigger, **trigger_args)
    shown: dict[str, Any] = json.loads(json.dumps(job_to_dict(job), default=str))
    return shown


def ours(body: dict[str, Any]) -> dict[str, Any]:
    return legacy_view(job_of(to_document(body)))


@pytest.mark.parametrize(
    "trigger",
    [
        {"trigger": "interval", "seconds": 5},
        {"trigger": "interval", "seconds": 90},
        {"trigger": "interval", "weeks": 1, "days": 2, "hours": 3, "minutes": 4, "seconds": 5},
        {"trigger": "interval", "hours": 36},
        {"trigger": {"type": "interval", "minutes": 10}},
        {"trigger": "cron", "hour": 2},
        {"trigger": "cron", "hour": "2", "minute": "*/5"},
        {"trigger": "cron", "day_of_week": "mon-fri", "hour": 0, "minute": 0},
        {"trigger": {"type": "cron", "second": "*/10"}},
        {"trigger": "date", "run_date": "2199-01-01T00:00:00"},
    ],
)
def test_jobs_look_as_they_did(trigger: dict[str, Any]) -> None:
    body = {
        "id": "job1",
        "func": FUNC,
        "args": [1, "x"],
        "kwargs": {"sep": "y"},
        "name": "Job one",
        **trigger,
    }
    then, now = theirs(body), ours(body)
    assert then.keys() <= now.keys()
    compared = then.keys() - {"start_date", "run_date"}
    assert {name: str(now[name]) for name in compared} == {name: str(then[name]) for name in compared}


def test_the_order_of_the_fields_is_theirs() -> None:
    shown = list(ours({"id": "job1", "func": FUNC, "trigger": "interval", "seconds": 5}))
    assert shown == [
        *("id", "name", "func", "args", "kwargs", "trigger", "start_date", "seconds"),
        *("misfire_grace_time", "max_instances", "next_run_time"),
    ]


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (0, "mon"),
        ("0", "mon"),
        (6, "sun"),
        ("0-4", "mon-fri"),
        ("1,3", "tue,thu"),
        ("*/2", "*/2"),
        ("0-4/2", "mon-fri/2"),
        ("sat", "sat"),
        ("7", "7"),
        (10, "10"),
        (None, None),
        (True, True),
    ],
)
def test_weekday_numbers_count_from_monday_as_theirs_do(number: Any, name: Any) -> None:
    document = to_document({"id": "a", "func": FUNC, "trigger": "cron", "day_of_week": number})
    assert document["trigger"]["day_of_week"] == name


def test_weekday_numbers_fire_on_their_day() -> None:
    document = to_document({"id": "a", "func": FUNC, "trigger": "cron", "day_of_week": "0", "hour": 0})
    due_at = JobDefinition.model_validate(document).schedule.next_after(datetime(2026, 3, 1, tzinfo=UTC))
    assert due_at is not None and due_at.strftime("%a") == "Mon"


@pytest.mark.parametrize(
    ("expression", "fields"),
    [
        ("0 2 * * 1", {"minute": "0", "hour": "2", "day": "*", "month": "*", "day_of_week": "mon"}),
        ("*/5 * * * 0-5", {"minute": "*/5", "hour": "*", "day": "*", "month": "*", "day_of_week": "sun-fri"}),
        (
            "30 0 2 1 * 7",
            {"second": "30", "minute": "0", "hour": "2", "day": "1", "month": "*", "day_of_week": "sun"},
        ),
        ("@daily", {"expression": "@daily"}),
    ],
)
def test_cron_text_is_shown_as_fields(expression: str, fields: dict[str, str]) -> None:
    trigger = {"type": "cron", "expression": expression}
    shown = legacy_view(job_of({"id": "a", "params": {"func": FUNC}, "trigger": trigger}))
    assert {name: value for name, value in shown.items() if name in {*fields, "expression"}} == fields


def test_several_triggers_are_named() -> None:
    trigger = [{"type": "interval", "seconds": 5}, {"type": "manual"}]
    assert (
        legacy_view(job_of({"id": "a", "params": {"func": FUNC}, "trigger": trigger}))["trigger"]
        == "or[interval, manual]"
    )


def test_other_kinds_show_what_carries_them_out() -> None:
    document = {"id": "a", "kind": "shell", "params": {"command": ["true"]}, "trigger": {"type": "manual"}}
    shown = legacy_view(job_of(document))
    assert (shown["func"], shown["args"]) == ("cronzimus.controller.shell:run_command", [])


@pytest.mark.parametrize(
    ("given", "policy"),
    [
        ({}, {}),
        ({"misfire_grace_time": 30}, {"misfire_grace": 30}),
        ({"misfire_grace_time": None}, {"misfire_grace": 31_536_000}),
        ({"coalesce": True}, {"catch_up": "latest"}),
        ({"coalesce": False}, {"catch_up": "all"}),
        ({"max_instances": 3}, {"max_instances": 3}),
    ],
)
def test_their_options_are_our_policy(given: dict[str, Any], policy: dict[str, Any]) -> None:
    document = to_document({"id": "a", "func": FUNC, "trigger": "interval", "seconds": 5, **given})
    assert document["policy"] == policy
    JobDefinition.model_validate(document)


def test_a_date_without_a_date_is_now() -> None:
    document = to_document({"id": "a", "func": FUNC, "trigger": "date"})
    run_date = datetime.fromisoformat(document["trigger"]["run_date"])
    assert abs((run_date - datetime.now(UTC)).total_seconds()) < 60


def test_an_object_without_a_type_is_a_date() -> None:
    document = to_document({"id": "a", "func": FUNC, "trigger": {"run_date": "2199-01-01"}})
    assert document["trigger"] == {"type": "date", "run_date": "2199-01-01"}


@pytest.mark.parametrize(
    ("given", "field", "code"),
    [
        ({"trigger": None}, "trigger", "INVALID_TRIGGER"),
        ({"trigger": 5}, "trigger", "INVALID_TRIGGER"),
        ({"trigger": []}, "trigger", "INVALID_TRIGGER"),
        ({"coalesce": "yes"}, "coalesce", "VALIDATION_ERROR"),
        ({"executor": "processpool"}, "executor", "VALIDATION_ERROR"),
        ({"jobstore": "redis"}, "jobstore", "VALIDATION_ERROR"),
    ],
)
def test_what_cannot_be_had_is_refused(given: dict[str, Any], field: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        to_document({"id": "a", "func": FUNC, "trigger": "interval", "seconds": 5, **given})
    assert (refused.value.code, refused.value.faults[0].field) == (code, field)


def test_the_default_store_is_what_there_is() -> None:
    body = {"id": "a", "func": FUNC, "trigger": "manual", "executor": "default", "jobstore": "default"}
    assert set(to_document(body)) == {"id", "kind", "params", "trigger", "policy"}


@pytest.mark.parametrize(("given", "paused"), [({}, False), ({"next_run_time": None}, True)])
def test_no_next_time_means_paused(given: dict[str, Any], paused: bool) -> None:
    assert wants_pause(given) is paused


def test_a_next_time_of_ones_own_is_refused() -> None:
    with pytest.raises(Invalid, match="follows from the trigger"):
        wants_pause({"next_run_time": "2199-01-01T00:00:00"})


@pytest.mark.parametrize(
    ("given", "may_replace"),
    [({}, False), ({"replace_existing": False}, False), ({"replace_existing": True}, True)],
)
def test_a_job_may_be_replaced(given: dict[str, Any], may_replace: bool) -> None:
    assert wants_replacement(given) is may_replace


@pytest.mark.parametrize("value", ["true", 1, None])
def test_only_true_or_false_say_whether(value: Any) -> None:
    with pytest.raises(Invalid, match="replace_existing: must be true or false"):
        wants_replacement({"replace_existing": value})


BEFORE = {
    "id": "a",
    "kind": "function",
    "params": {"func": FUNC, "args": [1], "kwargs": {}},
    "trigger": {"type": "interval", "seconds": 5},
    "policy": {"max_attempts": 4, "max_instances": 1},
    "description": "old",
    "tags": ["kept"],
}


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({}, "params", BEFORE["params"]),
        ({"args": [2]}, "params", {"func": FUNC, "args": [2], "kwargs": {}}),
        ({"func": "x:y"}, "params", {"func": "x:y", "args": [1], "kwargs": {}}),
        ({"trigger": "interval", "minutes": 1}, "trigger", {"type": "interval", "minutes": 1}),
        ({"max_instances": 2}, "policy", {"max_attempts": 4, "max_instances": 2}),
        ({"name": "new"}, "description", "new"),
        ({"name": "new"}, "tags", ["kept"]),
        ({"next_run_time": "2199-01-01T00:00:00"}, "trigger", BEFORE["trigger"]),
    ],
)
def test_changes_touch_what_they_name(changes: dict[str, Any], field: str, value: Any) -> None:
    assert to_changed_document(BEFORE, changes)[field] == value


@pytest.mark.parametrize("changes", [{"seconds": 9}, {"colour": "red"}])
def test_fields_of_no_trigger_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        to_changed_document(BEFORE, changes)
    assert refused.value.code == "INVALID_TRIGGER"


def test_the_function_of_another_kind_stays() -> None:
    with pytest.raises(Invalid, match="kind shell"):
        to_changed_document({"kind": "shell", "params": {"command": ["true"]}}, {"func": FUNC})


def test_what_was_shown_can_be_sent_back() -> None:
    body = {"id": "a", "func": FUNC, "trigger": "cron", "day_of_week": "0", "hour": 2, "max_instances": 2}
    job = job_of(to_document(body))
    again = to_changed_document(job.definition, legacy_view(job))
    assert legacy_view(job_of(again)) == legacy_view(job)
