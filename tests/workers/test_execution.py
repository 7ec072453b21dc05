from collections.abc import Callable
from typing import Any

import pytest

from cronzimus.errors import DatabaseUnavailable
from cronzimus.models.job import JobDefinition
from cronzimus.models.run import Ended, ErrorCategory, RunState
from cronzimus.workers.context import current_run
from cronzimus.workers.execution import Executor, conclude, plan_of
from cronzimus.workers.outcome import Outcome, Stop, raised, returned, stopped
from cronzimus.workers.preparation import Prepared
from cronzimus.workers.roster import LiveAttempt
from tests.workers import jobs
from tests.workers.support import JOBS, NOWHERE, Database, Ledger, claim, definition, settings


def attempt_of(definition: JobDefinition, **facts: Any) -> LiveAttempt:
    facts = {"job_id": definition.id, "max_attempts": definition.policy.max_attempts, **facts}
    return LiveAttempt(claim(**facts), lambda one: None)


def executor(
    *definitions: JobDefinition,
    allowed: tuple[str, ...] = (JOBS,),
    expect: Callable[..., None] = lambda a, d: None,
) -> Executor:
    return Executor(
        Ledger(*definitions),
        Database(NOWHERE),
        settings(),
        worker_id="w1",
        allowed_functions=allowed,
        expect=expect,
    )


def perform(definition: JobDefinition, **facts: Any) -> Outcome:
    return executor(definition).perform(attempt_of(definition, **facts))


def ended(
    outcome: Outcome, policy: dict[str, Any] | None = None, stop: Stop | None = None, **facts: Any
) -> Ended:
    """The report of an attempt that came to `outcome` under `policy`."""
    described = definition(policy=policy or {})
    one = attempt_of(described, **facts)
    one.policy, one.stop = described.policy, stop
    return conclude(one, outcome)


# --- perform ----------------------------------------------------------------------------------------


def test_perform_calls_the_function_of_the_definition() -> None:
    assert perform(definition("give", args=["x"])).result == "x"


def test_perform_takes_the_parameters_of_the_run() -> None:
    job = definition("needs", kwargs={"first": 1, "second": 1})
    assert perform(job, params={"second": 40}).result == 41


def test_perform_awaits_a_coroutine() -> None:
    assert perform(definition("async_give", args=[7])).result == 7


def test_perform_gives_the_facts_of_the_run() -> None:
    job = definition("facts", policy={"timeout": 60.0, "max_attempts": 4})
    facts = perform(job, attempt=3).result
    assert facts["attempt"] == 3 and facts["max_attempts"] == 4
    assert facts["has_deadline"] and facts["left"]
    assert facts["commands"] == ["*"]


@pytest.mark.parametrize(
    ("name", "type_name"),
    [
        ("boom", "ValueError"),
        ("leave", "SystemExit"),
        ("interrupt", "KeyboardInterrupt"),
        ("async_boom", "LookupError"),
        ("reject", f"{JOBS}.Rejected"),
    ],
)
def test_perform_turns_every_exception_into_an_outcome(name: str, type_name: str) -> None:
    outcome = perform(definition(name))
    assert outcome.state is RunState.FAILED
    assert outcome.error is not None and outcome.error["type"] == type_name


def test_perform_leaves_our_own_frames_out_of_the_traceback() -> None:
    error = perform(definition("boom")).error
    assert error is not None
    assert "in boom" in error["traceback"]
    assert "invocation.py" not in error["traceback"] and "execution.py" not in error["traceback"]


def test_perform_leaves_the_event_loop_out_of_the_traceback() -> None:
    error = perform(definition("async_boom")).error
    assert error is not None
    assert "in async_boom" in error["traceback"] and "run_until_complete" not in error["traceback"]


def test_perform_leaves_no_current_run_behind() -> None:
    perform(definition("facts"))
    assert current_run.get() is None


@pytest.mark.parametrize("name", ["noop", "give"])
def test_perform_refuses_a_function_that_is_no_longer_allowed(name: str) -> None:
    job = definition(name)
    outcome = executor(job, allowed=("elsewhere",)).perform(attempt_of(job))
    assert outcome.category is ErrorCategory.BUSINESS
    assert outcome.error is not None and "not allowed" in outcome.error["message"]


def test_perform_needs_no_permission_for_the_kinds_of_the_house() -> None:
    job = definition(kind="sql", params={"statement": "select 1"})
    outcome = executor(job, allowed=()).perform(attempt_of(job))
    assert outcome.error is not None and "not allowed" not in outcome.error["message"]


def test_perform_fails_a_run_without_a_definition_for_good() -> None:
    outcome = executor().perform(attempt_of(definition()))
    assert outcome.state is RunState.FAILED
    assert outcome.error is not None and "no version" in outcome.error["message"]


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [({"wrong": 1}, "is not a parameter"), ({}, "is missing"), ({"first": 1, "db": 2}, "Cronzimus")],
)
def test_perform_refuses_wrong_arguments_for_good(kwargs: dict[str, Any], words: str) -> None:
    outcome = perform(definition("needs", kwargs=kwargs))
    assert outcome.category is ErrorCategory.BUSINESS
    assert outcome.error is not None and words in outcome.error["message"]


def test_perform_waits_for_a_definition_the_database_cannot_give() -> None:
    class Away(Ledger):
        def get(self, job_id: str, version: int) -> JobDefinition:
            raise DatabaseUnavailable("away")

    away = Executor(
        Away(), Database(NOWHERE), settings(), worker_id="w", allowed_functions=(), expect=lambda a, d: None
    )
    outcome = away.perform(attempt_of(definition()))
    assert outcome.retry_in == 1.0 and not outcome.costs_attempt


def test_perform_announces_its_deadline() -> None:
    told: list[tuple[LiveAttempt, float]] = []
    job = definition(policy={"timeout": 30.0})
    one = attempt_of(job)
    executor(job, expect=lambda attempt, deadline: told.append((attempt, deadline))).perform(one)
    assert [attempt for attempt, _ in told] == [one]
    assert one.run is not None and told[0][1] == one.run.deadline


def test_perform_announces_no_deadline_without_a_timeout() -> None:
    told: list[Any] = []
    job = definition()
    executor(job, expect=lambda *facts: told.append(facts)).perform(attempt_of(job))
    assert told == []


def test_perform_passes_an_early_stop_on() -> None:
    job = definition("polite", args=["early"])
    one = attempt_of(job)
    one.stop = Stop.CANCELLED
    assert executor(job).perform(one).result == "cleaned up"


def test_arguments_of_one_run_do_not_reach_the_next() -> None:
    job = definition("spoil", args=[[]])
    assert [perform(job).result, perform(job).result] == [1, 1]


def test_keyword_arguments_of_one_run_do_not_reach_the_next() -> None:
    job = definition("spoil", kwargs={"values": []})
    assert [perform(job).result, perform(job).result] == [1, 1]


def test_plan_names_the_controller_of_each_kind() -> None:
    job = definition(kind="shell", params={"command": ["true"]})
    plan = plan_of(job, Prepared(job.params, ("hidden",)), (JOBS,))
    assert plan.secrets == ("hidden",)
    assert plan.path == "cronzimus.controller.shell:run_command"
    assert plan.kwargs == {"command": ["true"]} and plan.allowed is None


def test_plan_of_a_function_keeps_the_list() -> None:
    job = definition()
    assert plan_of(job, Prepared(job.params), (JOBS,)).allowed == (JOBS,)


# --- conclude ---------------------------------------------------------------------------------------


def test_conclude_reports_a_success() -> None:
    report = ended(returned({"a": 1}))
    assert (report.state, report.result, report.error, report.retry_in) == (
        RunState.SUCCESS,
        {"a": 1},
        None,
        None,
    )
    assert report.started_at <= report.ended_at


@pytest.mark.parametrize("stop", list(Stop))
def test_conclude_lets_a_stop_win_over_the_function(stop: Stop) -> None:
    report = ended(returned("done all the same"), stop=stop)
    assert report.state is stopped(stop).state
    assert report.result == "done all the same"


def test_conclude_keeps_what_a_stopped_function_said() -> None:
    error = ValueError("killed")
    error.result = {"stdout": "half"}  # type: ignore[attr-defined]
    assert ended(raised(error), stop=Stop.TIMEOUT).result == {"stdout": "half"}


def test_conclude_tries_a_failure_again() -> None:
    policy = {"max_attempts": 3, "backoff": 2.0, "backoff_multiplier": 3.0}
    assert ended(raised(ValueError()), policy, attempt=1).retry_in == 2.0
    assert ended(raised(ValueError()), policy, attempt=2).retry_in == 6.0
    assert ended(raised(ValueError()), policy, attempt=3).retry_in is None


def test_conclude_never_waits_longer_than_the_cap() -> None:
    policy = {"max_attempts": 50, "backoff": 10.0, "backoff_cap": 15.0, "jitter": 1.0}
    assert ended(raised(ValueError()), policy, attempt=40).retry_in == 15.0


@pytest.mark.parametrize("error", [jobs.Rejected("no"), type("E", (Exception,), {"category": "BUSINESS"})()])
def test_conclude_never_tries_a_business_failure_again(error: Exception) -> None:
    assert ended(raised(error), {"max_attempts": 5}).retry_in is None


@pytest.mark.parametrize(
    ("rules", "again"),
    [
        ({}, True),
        ({"retry_on": ("KeyError",)}, True),
        ({"retry_on": ("LookupError",)}, True),
        ({"retry_on": ("builtins.KeyError",)}, True),
        ({"retry_on": ("ValueError",)}, False),
        ({"retry_on": ("ValueError", "KeyError")}, True),
        ({"give_up_on": ("KeyError",)}, False),
        ({"give_up_on": ("Exception",)}, False),
        ({"give_up_on": ("ValueError",)}, True),
        ({"retry_on": ("LookupError",), "give_up_on": ("KeyError",)}, False),
    ],
)
def test_conclude_follows_the_names_in_the_policy(rules: dict[str, Any], again: bool) -> None:
    report = ended(raised(KeyError("x")), {"max_attempts": 3, **rules})
    assert (report.retry_in is not None) is again


@pytest.mark.parametrize(
    ("stop", "again"), [(Stop.TIMEOUT, True), (Stop.SHUTDOWN, True), (Stop.CANCELLED, False)]
)
def test_conclude_tries_some_stops_again(stop: Stop, again: bool) -> None:
    assert (ended(returned(1), {"max_attempts": 3}, stop).retry_in is not None) is again
    assert ended(returned(1), {"max_attempts": 1}, stop).retry_in is None


@pytest.mark.parametrize(
    ("rules", "again"),
    [
        ({"retry_on": ("TimeoutError",)}, True),
        ({"retry_on": ("ValueError",)}, False),
        ({"give_up_on": ("TimeoutError",)}, False),
    ],
)
def test_conclude_reads_a_timeout_as_a_timeout_error(rules: dict[str, Any], again: bool) -> None:
    report = ended(returned(1), {"max_attempts": 3, **rules}, Stop.TIMEOUT)
    assert (report.retry_in is not None) is again


def test_conclude_tries_a_lost_attempt_again_whatever_the_names_say() -> None:
    report = ended(returned(1), {"max_attempts": 3, "retry_on": ("ValueError",)}, Stop.SHUTDOWN)
    assert report.retry_in is not None


def test_conclude_gives_a_snooze_its_attempt_back() -> None:
    from_snooze = Outcome(RunState.CANCELLED, retry_in=12.0, costs_attempt=False)
    report = ended(from_snooze, {"max_attempts": 1})
    assert (report.retry_in, report.costs_attempt) == (12.0, False)


def test_conclude_takes_the_attempts_of_the_claim() -> None:
    """A definition that changed since does not change what the run was promised."""
    assert ended(raised(ValueError()), {"max_attempts": 1}, max_attempts=2).retry_in is not None
    assert ended(raised(ValueError()), {"max_attempts": 9}, max_attempts=1).retry_in is None


@pytest.mark.parametrize("outcome", [returned(None), raised(ValueError())])
def test_conclude_of_an_attempt_that_never_started_has_moments(outcome: Outcome) -> None:
    report = ended(outcome)
    assert report.started_at == report.ended_at
