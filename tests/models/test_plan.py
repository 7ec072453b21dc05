"""Differences of documents, and what a plan says in sum."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cronzimus.models.plan import (
    Action,
    Concurrency,
    FieldChange,
    JobPlan,
    Load,
    TimetablePlan,
    differences,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [("a", 1, 2)]),
        ({"a": 1}, {}, [("a", 1, None)]),
        ({}, {"a": {"b": 1}}, [("a", None, {"b": 1})]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, [("a.c", 2, 3)]),
        ({"a": [1, 2]}, {"a": [2, 1]}, [("a", [1, 2], [2, 1])]),
        ({"a": {"b": 1}}, {"a": [1]}, [("a", {"b": 1}, [1])]),
    ],
)
def test_differences_name_the_leaf(before: Any, after: Any, found: list[tuple[str, Any, Any]]) -> None:
    assert list(differences(before, after)) == [FieldChange(*one) for one in found]


def job(job_id: str, action: Action) -> JobPlan:
    return JobPlan(job_id, action, None, None, "UTC", (), (), 0, ())


def test_a_plan_counts_its_jobs() -> None:
    load = Concurrency(NOW, NOW, Load(), Load(), (), 30)
    jobs = (job("a", Action.CREATE), job("b", Action.UNCHANGED), job("c", Action.CREATE))
    plan = TimetablePlan("hash", NOW, jobs, load)
    assert plan.summary == {"create": 2, "change": 0, "remove": 0, "unchanged": 1}
    assert [one.id for one in plan.changes] == ["a", "c"]
