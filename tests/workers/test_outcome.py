import json
import math
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from cronzimus.common.logger import register_secret
from cronzimus.errors import Cancel, Conflict, Invalid, NotFound, Snooze
from cronzimus.models.run import ErrorCategory, RunState
from cronzimus.workers.outcome import (
    LONGEST_SNOOZE_SECONDS,
    MESSAGE_LIMIT,
    RESULT_LIMIT,
    TRACEBACK_LIMIT,
    BusinessError,
    Outcome,
    Stop,
    as_result,
    died,
    matches,
    names_of,
    raised,
    remasked,
    returned,
    stopped,
)


class Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError("no")


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")


class Prickly(Exception):
    @property
    def category(self) -> str:
        raise RuntimeError("do not touch")

    @property
    def result(self) -> str:
        raise RuntimeError("do not touch")


class Paid(BusinessError):
    pass


class Stated(Exception):
    category = "BUSINESS"


class WithResult(Exception):
    result = {"exit_code": 3}


def caught(function: Callable[[], object]) -> BaseException:
    """What a function raises, with its traceback."""
    try:
        function()
    except BaseException as error:
        return error
    raise AssertionError("it did not raise")


def problem(error: BaseException) -> dict[str, Any]:
    found = raised(error).error
    assert found is not None
    return found


# --- results ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", [None, True, False, 0, 1.5, "text", "", [], {}, [1, "a", None], {"a": {"b": [1]}}]
)
def test_returned_keeps_json_values(value: Any) -> None:
    outcome = returned(value)
    assert (outcome.state, outcome.result, outcome.error) == (RunState.SUCCESS, value, None)


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ((1, 2), [1, 2]),
        ({1: "a"}, {"1": "a"}),
        (RunState.SUCCESS, "success"),
        ({1, 2}, "{1, 2}"),
        (Decimal("1.10"), "Decimal('1.10')"),
        (b"raw", "b'raw'"),
        (math.nan, "nan"),
        ([math.inf], "[inf]"),
        (
            datetime(2026, 1, 1, tzinfo=UTC),
            "datetime.datetime(2026, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)",
        ),
        (Unshowable(), "<Unshowable that cannot be shown>"),
        ([Unshowable()], "<list that cannot be shown>"),
        ({"a": Unshowable()}, "<dict that cannot be shown>"),
    ],
)
def test_returned_makes_json_of_everything_else(value: Any, stored: Any) -> None:
    assert returned(value).result == stored


def test_returned_survives_an_endless_structure() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert returned(loop).result == "[[...]]"


def test_returned_survives_a_deep_structure() -> None:
    deep: list[Any] = []
    for _ in range(sys.getrecursionlimit() * 3):
        deep = [deep]
    assert returned(deep).result == "<list that cannot be shown>"


def test_returned_survives_a_number_too_long_to_print() -> None:
    assert returned(10**10_000).result == "<int that cannot be shown>"


@pytest.mark.parametrize(
    ("text", "stored"),
    [("a\x00b", "a\ufffdb"), ("\ud800", "?"), ("ok \u2603", "ok \u2603"), ("\\u0000", "\\u0000")],
)
def test_result_is_fit_for_postgresql(text: str, stored: str) -> None:
    assert as_result({"k": [text]}) == {"k": [stored]}
    assert as_result({text: 1}) == {stored: 1}


def test_result_does_not_follow_later_changes() -> None:
    value = {"a": [1]}
    stored = as_result(value)
    value["a"].append(2)
    assert stored == {"a": [1]}


def test_long_text_is_cut_in_its_middle() -> None:
    stored = as_result("a" * 100_000 + "b" * 100_000)
    assert len(json.dumps(stored)) <= RESULT_LIMIT
    assert stored.startswith("aaa") and stored.endswith("bbb") and "characters cut" in stored


def test_long_strings_are_cut_where_they_are() -> None:
    stored = as_result({"exit_code": 3, "stdout": "x" * 60_000, "stderr": "y" * 60_000})
    assert len(json.dumps(stored)) <= RESULT_LIMIT
    assert stored["exit_code"] == 3
    assert stored["stdout"].startswith("xxx") and stored["stderr"].endswith("yyy")


def test_many_values_are_cut_with_a_note() -> None:
    stored = as_result(list(range(100_000)))
    assert stored["note"].startswith("cut: the result has ")
    assert stored["head"].startswith("[0, 1, 2")
    assert len(stored["head"]) == RESULT_LIMIT


def test_result_at_the_limit_is_left_alone() -> None:
    text = "x" * (RESULT_LIMIT - 2)
    assert as_result(text) == text


def test_long_repr_is_cut() -> None:
    assert len(as_result({"x" * 200_000})) < RESULT_LIMIT + 100


# --- errors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "type_name", "category", "message"),
    [
        (ValueError("bad"), "ValueError", "SYSTEM", "bad"),
        (ValueError(), "ValueError", "SYSTEM", "ValueError"),
        (SystemExit(3), "SystemExit", "SYSTEM", "3"),
        (SystemExit(), "SystemExit", "SYSTEM", "SystemExit"),
        (KeyboardInterrupt(), "KeyboardInterrupt", "SYSTEM", "KeyboardInterrupt"),
        (MemoryError(), "MemoryError", "SYSTEM", "MemoryError"),
        (GeneratorExit(), "GeneratorExit", "SYSTEM", "GeneratorExit"),
        (BusinessError("no"), "cronzimus.workers.outcome.BusinessError", "BUSINESS", "no"),
        (Paid("paid"), f"{__name__}.Paid", "BUSINESS", "paid"),
        (Stated("said so"), f"{__name__}.Stated", "BUSINESS", "said so"),
        (Invalid("wrong"), "cronzimus.errors.Invalid", "BUSINESS", "wrong"),
        (Conflict("fenced"), "cronzimus.errors.Conflict", "SYSTEM", "fenced"),
        (Mute(), f"{__name__}.Mute", "SYSTEM", "Mute (its message could not be read)"),
        (Prickly("x"), f"{__name__}.Prickly", "SYSTEM", "x"),
    ],
)
def test_raised_describes_the_error(
    error: BaseException, type_name: str, category: str, message: str
) -> None:
    outcome = raised(error)
    assert outcome.state is RunState.FAILED
    assert outcome.category == ErrorCategory(category)
    assert outcome.error is not None
    assert (outcome.error["type"], outcome.error["message"]) == (type_name, message)


def test_raised_keeps_the_result_an_error_carries() -> None:
    assert raised(WithResult()).result == {"exit_code": 3}


def test_raised_cancel_ends_the_run_cancelled() -> None:
    outcome = raised(Cancel("pointless"))
    assert outcome.state is RunState.CANCELLED
    assert outcome.error is not None and outcome.error["message"] == "pointless"
    assert outcome.retry_in is None


@pytest.mark.parametrize(
    ("seconds", "wait"),
    [
        (5, 5),
        (0, 0),
        (-3, 0),
        (math.inf, LONGEST_SNOOZE_SECONDS),
        (1e12, LONGEST_SNOOZE_SECONDS),
        (math.nan, 0),
    ],
)
def test_raised_snooze_costs_no_attempt(seconds: float, wait: float) -> None:
    outcome = raised(Snooze(seconds))
    assert (outcome.retry_in, outcome.costs_attempt, outcome.error) == (wait, False, None)


def test_traceback_begins_at_the_function() -> None:
    def job() -> None:
        raise ValueError("here")

    text = problem(caught(job))["traceback"]
    assert "in job" in text and "ValueError: here" in text


def test_traceback_shows_the_cause() -> None:
    def job() -> None:
        try:
            raise KeyError("first")
        except KeyError as error:
            raise ValueError("second") from error

    text = problem(caught(job))["traceback"]
    assert "KeyError: 'first'" in text and "direct cause" in text


def test_traceback_of_an_error_that_was_never_raised_is_empty() -> None:
    assert problem(ValueError("made, not raised"))["traceback"] == ""


def test_traceback_is_bounded() -> None:
    def job() -> None:
        raise ValueError("x" * 100_000)

    found = problem(caught(job))
    assert len(found["traceback"]) < TRACEBACK_LIMIT + 100
    assert len(found["message"]) < MESSAGE_LIMIT + 100


def test_traceback_of_an_endless_recursion_is_bounded() -> None:
    def job() -> None:
        job()

    found = problem(caught(job))
    assert found["type"] == "RecursionError"
    assert len(found["traceback"]) < TRACEBACK_LIMIT + 100


def test_traceback_of_a_group_is_there() -> None:
    def job() -> None:
        raise ExceptionGroup("both", [ValueError("one"), KeyError("two")])

    assert "ValueError: one" in problem(caught(job))["traceback"]


def test_secrets_are_masked_everywhere() -> None:
    register_secret("hunter2xyz")

    def job() -> None:
        raise ValueError("login with hunter2xyz at postgresql://me:sesame99@host/db failed")

    text = json.dumps(problem(caught(job)))
    assert "hunter2xyz" not in text and "sesame99" not in text and "***" in text


def test_error_text_is_fit_for_postgresql() -> None:
    found = problem(ValueError("nul \x00 and \ud800"))
    assert found["message"] == "nul \ufffd and ?"


# --- fingerprints -----------------------------------------------------------------------------------


def fails_with(value: int) -> None:
    raise ValueError(f"order {value} is broken")


def fails_elsewhere(value: int) -> None:
    raise ValueError(f"order {value} is broken")


def test_fingerprint_ignores_values() -> None:
    first, second = caught(lambda: fails_with(1)), caught(lambda: fails_with(2))
    assert problem(first)["fingerprint"] == problem(second)["fingerprint"]


def test_fingerprint_ignores_line_numbers() -> None:
    source = "def job():\n{}    raise ValueError('x')\n"
    prints = set()
    for padding in ("", "\n\n\n"):
        scope: dict[str, Any] = {}
        exec(compile(source.format(padding), "jobs.py", "exec"), scope)
        prints.add(problem(caught(scope["job"]))["fingerprint"])
    assert len(prints) == 1


def test_fingerprint_tells_places_apart() -> None:
    first, second = caught(lambda: fails_with(1)), caught(lambda: fails_elsewhere(1))
    assert problem(first)["fingerprint"] != problem(second)["fingerprint"]


def test_fingerprint_tells_types_apart() -> None:
    assert problem(ValueError("x"))["fingerprint"] != problem(KeyError("x"))["fingerprint"]


def test_fingerprint_is_short_hex() -> None:
    assert len(problem(ValueError("x"))["fingerprint"]) == 16
    int(problem(ValueError("x"))["fingerprint"], 16)


# --- stops ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stop", "state", "category", "words"),
    [
        (Stop.TIMEOUT, RunState.TIMEOUT, ErrorCategory.TIMEOUT, "longer than 1.5 s"),
        (Stop.CANCELLED, RunState.CANCELLED, ErrorCategory.BUSINESS, "cancelled"),
        (Stop.SHUTDOWN, RunState.LOST, ErrorCategory.SYSTEM, "the process stopped"),
        (Stop.LOST, RunState.LOST, ErrorCategory.SYSTEM, "lease"),
    ],
)
def test_stopped_says_why(stop: Stop, state: RunState, category: ErrorCategory, words: str) -> None:
    outcome = stopped(stop, 1.5)
    assert (outcome.state, outcome.category) == (state, category)
    assert outcome.error is not None and words in outcome.error["message"]


def test_died_is_a_failure_of_the_system() -> None:
    outcome = died("killed by signal 9")
    assert (outcome.state, outcome.category) == (RunState.FAILED, ErrorCategory.SYSTEM)


# --- names and rules --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "hit"),
    [
        ("NotFound", True),
        ("cronzimus.errors.NotFound", True),
        ("cronzimus.errors:NotFound", True),
        ("CronzimusError", True),
        ("Exception", True),
        ("builtins.BaseException", True),
        ("Conflict", False),
        ("errors.NotFound", False),
        ("notfound", False),
        ("", False),
        ("object", False),
    ],
)
def test_matches_looks_at_every_base(rule: str, hit: bool) -> None:
    assert matches(names_of(NotFound), [rule]) is hit


def test_matches_nothing_without_rules() -> None:
    assert not matches(names_of(ValueError), [])


# --- the way from another process -------------------------------------------------------------------


@pytest.mark.parametrize(
    "outcome",
    [returned({"a": 1}), returned(None), raised(ValueError("x")), raised(Snooze(3)), raised(Cancel("y"))],
)
def test_outcome_survives_json(outcome: Outcome) -> None:
    assert Outcome.from_json(json.loads(json.dumps(asdict(outcome)))) == outcome


def test_remasked_hides_the_secrets_of_this_process() -> None:
    other = raised(ValueError("token is opensesame42"))
    register_secret("opensesame42")
    again = remasked(other)
    assert again.error is not None and "opensesame42" not in again.error["message"]


def test_remasked_leaves_success_alone() -> None:
    outcome = returned(1)
    assert remasked(outcome) == outcome
