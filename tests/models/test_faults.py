"""What pydantic finds, said in our words: where, what would be right, and little of what was given."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cronzimus.errors import Fault, Invalid
from cronzimus.models.faults import ECHO, code_of, faults_of, refusal, shown, validated
from cronzimus.models.job import JobDefinition

KNOWN = {"id": "a", "params": {"func": "m:f"}}


class Inner(BaseModel):
    """Something within."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(default="x", min_length=1, max_length=5, pattern="^[a-z]*$")


class Sample(BaseModel):
    """One field of each sort."""

    model_config = ConfigDict(extra="forbid")

    size: Annotated[int, Field(ge=1, le=9)] = 1
    share: Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)] = 0.5
    flag: bool = Field(default=False, strict=True)
    kind: Literal["red", "green"] = "red"
    words: list[str] = Field(default_factory=list, max_length=2)
    inner: Inner = Field(default_factory=Inner)


def faults_in(model: type[BaseModel], value: Any, **options: Any) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as refused:
        model.model_validate(value)
    return [(fault.field, fault.message) for fault in faults_of(refused.value, **options)]


def job_faults(**changes: Any) -> list[tuple[str, str]]:
    return faults_in(JobDefinition, {**KNOWN, "trigger": {"type": "manual"}, **changes})


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ({"size": "many"}, ("size", "must be a whole number, got 'many'")),
        ({"size": 1.5}, ("size", "must be a whole number, got 1.5")),
        ({"size": 0}, ("size", "must be at least 1, got 0")),
        ({"size": 10}, ("size", "must be at most 9, got 10")),
        ({"share": 0}, ("share", "must be greater than 0.0, got 0")),
        ({"share": 1}, ("share", "must be less than 1.0, got 1")),
        ({"share": "half"}, ("share", "must be a number, got 'half'")),
        ({"share": float("nan")}, ("share", "must be a finite number, got nan")),
        ({"flag": 1}, ("flag", "must be true or false, got 1")),
        ({"kind": "blue"}, ("kind", "must be one of 'red' or 'green', got 'blue'")),
        ({"words": "x"}, ("words", "must be a list, got 'x'")),
        ({"words": [1]}, ("words.0", "must be a text, got 1")),
        ({"words": ["a"] * 3}, ("words", "must hold at most 2 items, got a list")),
        ({"inner": 5}, ("inner", "must be an object, got 5")),
        ({"inner": {"name": ""}}, ("inner.name", "must have at least 1 characters, got ''")),
        ({"inner": {"name": "abcdef"}}, ("inner.name", "must have at most 5 characters, got 'abcdef'")),
        ({"inner": {"name": "A"}}, ("inner.name", "must match ^[a-z]*$, got 'A'")),
        ({"inner": {"nam": "a"}}, ("inner.nam", "is not known here")),
    ],
)
def test_faults_are_said_in_our_words(value: Any, fault: tuple[str, str]) -> None:
    assert faults_in(Sample, value) == [fault]


def test_faults_keep_the_order_found() -> None:
    assert [field for field, _ in faults_in(Sample, {"size": 0, "share": 9, "odd": 1})] == [
        "size",
        "share",
        "odd",
    ]


def test_unknown_fields_have_neighbours() -> None:
    assert faults_in(Sample, {"sise": 1}, known=Sample.model_fields) == [
        ("sise", "is not known here; did you mean 'size'?")
    ]


def test_missing_fields_are_required() -> None:
    assert faults_in(JobDefinition, {"trigger": {"type": "manual"}, "params": {"func": "m:f"}}) == [
        ("id", "is required")
    ]


@pytest.mark.parametrize(
    ("trigger", "field"),
    [
        ({"type": "interval", "seconds": -5}, "trigger.seconds"),
        ({"type": "interval", "parsecs": 5}, "trigger.parsecs"),
        ({"type": "cron", "hour": 99}, "trigger.hour"),
        ({"type": "date"}, "trigger.run_date"),
        ([{"type": "manual"}, {"type": "interval", "seconds": -5}], "trigger.1.seconds"),
        ([{"type": "moon"}], "trigger.0"),
        ({"type": "moon"}, "trigger"),
        ([], "trigger"),
        ("daily", "trigger"),
        (None, "trigger"),
    ],
)
def test_faults_of_a_union_name_the_branch_that_was_meant(trigger: Any, field: str) -> None:
    found = {name for name, _ in job_faults(trigger=trigger)}
    assert field in found
    assert not any(mark in name for name in found for mark in ("[", "(", "union", "interval", "cron"))


def test_a_sound_trigger_beside_another_fault_is_not_blamed() -> None:
    assert [field for field, _ in job_faults(priority="high")] == ["priority"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        (["trigger"], "INVALID_TRIGGER"),
        (["id", "trigger.seconds"], "INVALID_TRIGGER"),
        (["id"], "VALIDATION_ERROR"),
        (["triggers", "params.trigger"], "VALIDATION_ERROR"),
        ([], "VALIDATION_ERROR"),
    ],
)
def test_the_code_tells_triggers_apart(fields: list[str], code: str) -> None:
    assert code_of(Fault(field, "is wrong") for field in fields) == code


def test_a_refusal_leads_with_its_first_fault() -> None:
    with pytest.raises(ValidationError) as refused:
        Sample.model_validate({"size": 0, "flag": 1})
    invalid = refusal(refused.value)
    assert invalid.message == "size: must be at least 1, got 0"
    assert (invalid.code, len(invalid.faults)) == ("VALIDATION_ERROR", 2)


def test_validated_gives_the_model_or_refuses() -> None:
    assert validated(Sample, {"size": 2}, Sample.model_validate).size == 2
    with pytest.raises(Invalid, match="did you mean 'size'"):
        validated(Sample, {"sise": 2}, Sample.model_validate)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", "'x'"),
        (5, "5"),
        (None, "None"),
        ({"a": "secret"}, "an object"),
        (["secret"], "a list"),
        ((), "a list"),
    ],
)
def test_shown_tells_little(value: Any, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize("value", ["x" * 1_000_000, 10**3000, "\0" * 500, "\U0001f600" * 500])
def test_shown_is_never_long(value: Any) -> None:
    assert len(shown(value)) <= ECHO
