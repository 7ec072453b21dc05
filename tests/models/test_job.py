"""The document: what is filled in, what is refused, and that it survives the store."""

from typing import Any

import pytest
from pydantic import ValidationError

from cronzimus.app import create_app
from cronzimus.models.job import RESERVED_IDS, JobDefinition
from cronzimus.models.policy import Isolation, Overlap, Policy
from cronzimus.settings import Settings

MINIMAL: dict[str, Any] = {"id": "a", "params": {"func": "pkg.mod:f"}, "trigger": {"type": "manual"}}


def made(**changes: Any) -> JobDefinition:
    return JobDefinition.model_validate(MINIMAL | changes)


def test_minimal_document_gets_the_defaults() -> None:
    job = made()
    assert (job.kind, job.timezone, job.queue, job.priority, job.tags) == (
        "function",
        "UTC",
        "default",
        0,
        (),
    )
    assert (
        job.policy == Policy()
        and job.policy.overlap is Overlap.SKIP
        and job.policy.isolation is Isolation.THREAD
    )
    assert job.function == "pkg.mod:f" and job.call == ([], {})


def test_document_comes_back_from_its_own_json() -> None:
    job = made(
        trigger=[{"type": "cron", "expression": "0 2 * * 1-5"}, {"type": "interval", "seconds": 30}],
        policy={"timeout": 5, "retry_on": ["OSError"]},
        tags=["a:b"],
    )
    assert JobDefinition.model_validate(job.document()) == job
    assert len(job.triggers) == 2


def test_kinds_name_their_controller_and_their_arguments() -> None:
    shell = made(kind="shell", params={"command": ["ls", "-l"], "env": {"A": "b"}})
    assert shell.function == "cronzimus.controller.shell:run_command"
    assert shell.call == ([], {"command": ["ls", "-l"], "env": {"A": "b"}})
    function = made(params={"func": "m:f", "args": [1], "kwargs": {"x": 2}})
    assert function.call == ([1], {"x": 2})


@pytest.mark.parametrize(
    "changes",
    [
        {"id": ""},
        {"id": "A"},
        {"id": "../x"},
        {"id": "a/b"},
        {"id": "a\n"},
        {"id": "-a"},
        {"id": "x" * 64},
        {"id": 5},
        {"kind": "magic"},
        {"params": {}},
        {"params": {"func": "m:f", "extra": 1}},
        {"params": []},
        {"kind": "shell", "params": {"command": []}},
        {"kind": "shell", "params": {"command": "ls"}},
        {"kind": "http", "params": {"url": "ftp://x"}},
        {"kind": "sql", "params": {"statement": ""}},
        {"trigger": None},
        {"trigger": []},
        {"trigger": {"type": "moon"}},
        {"timezone": "Mars/Olympus"},
        {"priority": "high"},
        {"priority": 101},
        {"queue": "Über"},
        {"tags": ["spaces are bad"]},
        {"tags": "x"},
        {"unknown": 1},
        {"policy": {"unknown": 1}},
    ],
)
def test_wrong_document_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        made(**changes)


@pytest.mark.parametrize(
    "policy",
    [
        {"max_attempts": 0},
        {"max_attempts": True},
        {"max_attempts": 1.5},
        {"max_attempts": 2, "max_retries": 1},
        {"max_retries": "3"},
        {"timeout": 0},
        {"timeout": -1},
        {"timeout": float("nan")},
        {"timeout": float("inf")},
        {"timeout": "5"},
        {"backoff_multiplier": 0.5},
        {"jitter": 2},
        {"misfire_grace": -1},
        {"catch_up": "some"},
        {"catch_up_cap": 0},
        {"overlap": "maybe"},
        {"max_instances": 0},
        {"memory_limit_mb": 100},
        {"isolation": "vm"},
    ],
)
def test_wrong_policy_is_refused(policy: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Policy.model_validate(policy)


def test_max_retries_is_one_less_than_max_attempts() -> None:
    assert Policy.model_validate({"max_retries": 3}).max_attempts == 4


@pytest.mark.parametrize(("overlap", "bound"), [("allow", None), ("skip", 2), ("queue", 2), ("replace", 2)])
def test_only_allow_lets_any_number_run(overlap: str, bound: int | None) -> None:
    assert Policy.model_validate({"overlap": overlap, "max_instances": 2}).max_running == bound


def test_definition_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        made().priority = 5  # type: ignore[misc]


def test_a_job_is_not_called_like_an_address() -> None:
    """Every word with a page or a route below /jobs/ is refused; anything that only looks like one is not."""
    rules = [str(rule) for rule in create_app(settings=Settings(), start=False).url_map.iter_rules()]
    words = {rule.split("/jobs/")[1] for rule in rules if "/jobs/" in rule and "<" not in rule}
    assert words == RESERVED_IDS
    for word in sorted(words):
        with pytest.raises(ValidationError, match="is an address of the service"):
            made(id=word)
    assert made(id="newer").id == "newer"
