"""One step of a plan: what is to be done, and from when on it counts."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cronzimus.models.job import JobDefinition
from cronzimus.models.plan import Action, Wanted
from cronzimus.services.plan_steps import Standing, first_after, first_before, job_plan, step_for
from tests.heart import definition

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DUE = datetime(2026, 3, 2, 2, tzinfo=UTC)
DAILY = definition(trigger={"type": "cron", "expression": "0 2 * * *"})
LATER = definition(trigger={"type": "cron", "expression": "0 3 * * *"})


def standing(status: str = "active", source: str = "api", due: datetime | None = DUE) -> Standing:
    return Standing("a", 3, status, source, due)


@pytest.mark.parametrize(
    ("row", "before", "wanted", "action", "pauses"),
    [
        (None, None, Wanted(DAILY), Action.CREATE, None),
        (None, None, Wanted(DAILY, True), Action.CREATE, True),
        (None, None, Wanted(DAILY, False), Action.CREATE, None),
        (standing(), DAILY, Wanted(DAILY), Action.UNCHANGED, None),
        (standing(), DAILY, Wanted(DAILY, False), Action.UNCHANGED, None),
        (standing(), DAILY, Wanted(DAILY, True), Action.CHANGE, True),
        (standing("paused"), DAILY, Wanted(DAILY), Action.UNCHANGED, None),
        (standing("paused"), DAILY, Wanted(DAILY, False), Action.CHANGE, False),
        (standing("finished", due=None), DAILY, Wanted(DAILY, True), Action.UNCHANGED, None),
        (standing(), DAILY, Wanted(LATER), Action.CHANGE, None),
        (standing("broken"), None, Wanted(DAILY), Action.CHANGE, None),
    ],
)
def test_what_is_to_be_done(
    row: Standing | None, before: JobDefinition | None, wanted: Wanted, action: Action, pauses: bool | None
) -> None:
    step = step_for(wanted, row, before)
    assert (step.action, step.pauses) == (action, pauses)


@pytest.mark.parametrize(
    ("row", "wanted", "old", "new"),
    [
        (None, Wanted(DAILY), None, DUE),
        (None, Wanted(DAILY, True), None, None),
        (standing(), Wanted(DAILY), DUE, DUE),
        (standing(), Wanted(LATER), DUE, DUE.replace(hour=3)),
        (standing("paused"), Wanted(LATER), None, None),
        (standing("paused"), Wanted(DAILY, False), None, DUE),
        (standing("broken"), Wanted(LATER), None, DUE.replace(hour=3)),
    ],
)
def test_from_when_on_it_counts(
    row: Standing | None, wanted: Wanted, old: datetime | None, new: datetime | None
) -> None:
    step = step_for(wanted, row, DAILY if row else None)
    assert (first_before(step), first_after(step, NOW)) == (old, new)


@pytest.mark.parametrize(
    ("row", "wanted", "note"),
    [
        (standing("paused"), Wanted(LATER), "paused: nothing of it fires until it is resumed"),
        (standing(source="file"), Wanted(LATER), "declared by file; after this the API's version holds"),
        (standing(source="file"), Wanted(DAILY), None),
        (None, Wanted(definition(trigger={"type": "manual"})), None),
        (
            None,
            Wanted(definition(trigger={"type": "date", "run_date": "2020-01-01T00:00:00"})),
            "nothing of it is due any more",
        ),
    ],
)
def test_what_is_worth_a_note(row: Standing | None, wanted: Wanted, note: str | None) -> None:
    plan = job_plan(step_for(wanted, row, DAILY if row else None), NOW, 3, 0)
    assert plan.notes == (() if note is None else (note,))


def test_a_broken_job_says_so() -> None:
    plan = job_plan(step_for(Wanted(DAILY), standing("broken"), None), NOW, 1, 2)
    assert plan.notes == ("broken: the stored definition cannot be loaded",)
    assert plan.open_runs == 2 and {field.before for field in plan.fields} == {None}


def test_the_zone_is_that_of_the_trigger() -> None:
    tokyo: dict[str, Any] = {"type": "cron", "expression": "0 2 * * *", "timezone": "Asia/Tokyo"}
    plan = job_plan(step_for(Wanted(definition(trigger=tokyo)), None, None), NOW, 1, 0)
    assert plan.timezone == "Asia/Tokyo"
    assert plan.firings[0].after and plan.firings[0].after.local == "2026-03-02T02:00:00+09:00"
