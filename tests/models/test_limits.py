"""What a job may ask for of what is limited."""

from typing import Any

import pytest
from pydantic import ValidationError

from cronzimus.models.limits import Limits, Rate


@pytest.mark.parametrize(
    ("limits", "limited"),
    [
        ({}, False),
        ({"mutex": "m"}, True),
        ({"pool": "db"}, True),
        ({"rate": {"limit": 1, "seconds": 1}}, True),
    ],
)
def test_anything_makes_it_limited(limits: dict[str, Any], limited: bool) -> None:
    assert Limits.model_validate(limits).any is limited


@pytest.mark.parametrize(
    "limits",
    [
        {"slots": 2},
        {"pool": "db", "slots": 0},
        {"pool": "DB"},
        {"mutex": ""},
        {"mutex": "m" * 201},
        {"rate": {"limit": 0, "seconds": 1}},
        {"rate": {"limit": 1, "seconds": 0}},
        {"rate": {"limit": 1, "seconds": float("inf")}},
        {"rate": {"limit": 1}},
        {"mutexes": "m"},
    ],
)
def test_what_makes_no_sense_is_refused(limits: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Limits.model_validate(limits)


def test_one_slot_and_the_jobs_own_rate_are_meant_when_nothing_is_said() -> None:
    assert Limits(pool="db").slots == 1 and Rate(limit=1, seconds=1.0).key is None
