"""The one way a job is built, whatever door it comes through."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from cronzimus.common.db import Database
from cronzimus.controller.task import task
from cronzimus.errors import Invalid
from cronzimus.jobs.job_factory import JobFactory, definition_of
from cronzimus.models.job import JobDefinition

PATH = "cronzimus.controller.task:task"
TRIGGERS = [
    ("interval", {"seconds": 5}),
    ("cron", {"hour": 3, "minute": 30}),
    ("cron", {"expression": "0 2 * * 1"}),
    ("date", {"run_date": "2999-01-01T00:00:00+00:00"}),
]


def plain(a: int, b: int = 2) -> int:
    """A function that asks for nothing to be injected."""
    return a + b


@pytest.fixture
def factory() -> JobFactory:
    return JobFactory(allowed_functions=["cronzimus.controller", "tests.jobs"], allowed_commands=["*"])


@pytest.mark.parametrize(("kind", "arguments"), TRIGGERS)
@pytest.mark.parametrize("func", [task, PATH])
def test_job_suits_plain_apscheduler(kind: str, arguments: dict[str, Any], func: Any) -> None:
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.start(paused=True)
    added = scheduler.add_job(**JobFactory.create_job(func, kind, arguments, "a"))
    assert added.id == "a" and added.next_run_time > datetime.now(UTC)
    scheduler.shutdown(wait=False)


def test_job_runs_under_plain_apscheduler() -> None:
    job = JobFactory.create_job(plain, "interval", {"seconds": 5}, "a", args=(1,), kwargs={"b": 5})
    assert job["args"] == (1,) and job["kwargs"] == {"b": 5}
    uninjected = JobFactory.create_job(task, "interval", {"seconds": 5}, "a")["func"]
    assert uninjected() is False


def test_cron_text_has_standard_weekdays_everywhere() -> None:
    job = JobFactory.create_job(PATH, "cron", {"expression": "0 2 * * 1"}, "a")
    following = job["trigger"].get_next_fire_time(None, datetime(2026, 11, 21, tzinfo=UTC))
    assert following.strftime("%A %H:%M") == "Monday 02:00"


def test_definition_rides_in_the_job() -> None:
    job = JobFactory.create_job(PATH, "interval", {"minutes": 2}, "a", timeout=5, overlap="queue", tags=["x"])
    definition = definition_of(job)
    assert definition.function == PATH and definition.policy.timeout == 5
    assert definition.policy.overlap == "queue" and definition.tags == ("x",)
    assert JobFactory.describe(definition)["id"] == "a"


def test_injected_database_is_never_stored() -> None:
    database = Database("postgresql:///nowhere")
    job = JobFactory.create_job(task, "interval", {"seconds": 5}, "a", args=(database,))
    assert job["args"] == (database,)
    document = definition_of(job).document()
    assert "Database" not in json.dumps(document) and document["params"].get("args", []) == []


def test_names_of_apscheduler_mean_what_they_mean_there() -> None:
    job = JobFactory.create_job(
        PATH, "interval", {"seconds": 5}, "a", misfire_grace_time=30, coalesce=False, max_instances=3
    )
    policy = definition_of(job).policy
    assert (policy.misfire_grace, policy.catch_up, policy.max_instances) == (30, "all", 3)
    assert (job["misfire_grace_time"], job["coalesce"], job["max_instances"]) == (30, False, 3)


def test_unknown_trigger_type_lists_those_there_are() -> None:
    with pytest.raises(ValueError, match="interval, cron, date") as caught:
        JobFactory.create_job(PATH, "lunar", {}, "a")
    assert isinstance(caught.value, Invalid) and caught.value.code == "INVALID_TRIGGER"


@pytest.mark.parametrize(
    ("trigger", "arguments"),
    [
        ("interval", {"seconds": -5}),
        ("interval", {}),
        ("cron", {"expression": "61 * * * *"}),
        ("date", {"run_date": "soon"}),
    ],
)
def test_wrong_trigger_is_refused_with_its_field(trigger: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as caught:
        JobFactory.create_job(PATH, trigger, arguments, "a")
    assert caught.value.code == "INVALID_TRIGGER" and caught.value.faults[0].field.startswith("trigger")


@pytest.mark.parametrize("func", [lambda: 1, 5, object()])
def test_function_without_a_name_is_refused(func: Any) -> None:
    with pytest.raises(Invalid) as caught:
        JobFactory.create_job(func, "interval", {"seconds": 5}, "a")
    assert caught.value.code == "INVALID_FUNCTION"


def document(**changes: Any) -> dict[str, Any]:
    return {"id": "a", "params": {"func": PATH}, "trigger": {"type": "interval", "seconds": 5}} | changes


def test_document_becomes_the_same_job(factory: JobFactory) -> None:
    job = factory.from_document(document())
    assert definition_of(job) == definition_of(JobFactory.create_job(PATH, "interval", {"seconds": 5}, "a"))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"params": {"func": "os:system"}}, "FUNCTION_NOT_ALLOWED"),
        ({"params": {"func": "builtins:eval"}}, "FUNCTION_NOT_ALLOWED"),
        ({"params": {"func": "cronzimus.controller.task:nope"}}, "INVALID_FUNCTION"),
        ({"params": {"func": "cronzimus.controller.nope:f"}}, "INVALID_FUNCTION"),
        ({"params": {"func": "tests.jobs.test_job_factory:plain"}}, "INVALID_PARAMS"),
        ({"params": {"func": "tests.jobs.test_job_factory:plain", "args": [1, 2, 3]}}, "INVALID_PARAMS"),
        ({"params": {"func": PATH, "kwargs": {"db": 1}}}, "INVALID_PARAMS"),
        ({"trigger": {"type": "date", "run_date": "2020-01-01T00:00:00Z"}}, "INVALID_TRIGGER"),
        ({"trigger": {"type": "cron", "expression": "0 0 31 2 *"}}, "INVALID_TRIGGER"),
        ({"policy": {"timeout": 0}}, "VALIDATION_ERROR"),
        ({"policy": 5}, "VALIDATION_ERROR"),
        ({"id": "../x"}, "VALIDATION_ERROR"),
    ],
)
def test_document_that_could_not_run_is_refused(
    factory: JobFactory, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(Invalid) as caught:
        factory.from_document(document(**changes))
    assert caught.value.code == code


@pytest.mark.parametrize("params", [{}, {"func": 5}, {"func": PATH, "zzz": 1}])
def test_fault_in_the_parameters_names_its_whole_path(factory: JobFactory, params: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as caught:
        factory.from_document(document(params=params))
    assert caught.value.faults[0].field.startswith("params.")


def test_key_that_names_no_parameter_is_refused_by_its_field(factory: JobFactory) -> None:
    for check in (factory.from_document, lambda wanted: factory.check(JobDefinition.model_validate(wanted))):
        with pytest.raises(Invalid) as caught:
            check(document(limits={"mutex": "t-{tenant}"}))
        assert caught.value.code == "INVALID_LIMITS"
        assert [fault.field for fault in caught.value.faults] == ["limits.mutex"]


def test_command_outside_the_list_is_refused() -> None:
    strict = JobFactory(allowed_functions=["cronzimus.controller"], allowed_commands=["true"])
    shell = document(kind="shell", params={"command": ["rm", "-rf", "x"]})
    with pytest.raises(Invalid):
        strict.from_document(shell)
    strict.from_document(shell | {"params": {"command": ["true"]}})


def test_house_defaults_fill_what_the_document_leaves_open() -> None:
    factory = JobFactory(
        allowed_functions=["cronzimus.controller"],
        timezone="Europe/Berlin",
        misfire_grace=7.0,
        max_instances=2,
    )
    definition = definition_of(factory.from_document(document(policy={"max_instances": 5})))
    assert (definition.timezone, definition.policy.misfire_grace, definition.policy.max_instances) == (
        "Europe/Berlin",
        7.0,
        5,
    )


def test_dict_built_elsewhere_holds_no_definition() -> None:
    with pytest.raises(KeyError):
        definition_of({"id": "a", "trigger": "interval"})
