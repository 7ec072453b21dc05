"""Drift: each way in which the timetable can differ from its declarations."""

import pytest

from cronzimus.models.job import JobDefinition, Source
from cronzimus.models.plan import DriftKind
from cronzimus.services.drift import Drift
from tests.heart import Heart, definition

DECLARED: list[tuple[JobDefinition, Source]] = [
    (definition("code"), Source.CODE),
    (definition("file"), Source.FILE),
]


@pytest.fixture
def drift(heart: Heart) -> Drift:
    heart.timetable.synchronise(DECLARED)
    return Drift(heart.database, heart.definitions)


def found(drift: Drift) -> list[tuple[str, str, str]]:
    return [(one.id, str(one.kind), str(one.source)) for one in drift.find(DECLARED)]


def test_nothing_has_drifted(drift: Drift) -> None:
    assert found(drift) == []


def test_a_job_nobody_declares(heart: Heart, drift: Drift) -> None:
    heart.add("mine")
    assert found(drift) == [("mine", "undeclared", "api")]


def test_a_job_that_is_missing(heart: Heart, drift: Drift) -> None:
    heart.timetable.remove("file", by="ann")
    assert found(drift) == [("file", "missing", "file")]


def test_a_job_changed_through_the_api(heart: Heart, drift: Drift) -> None:
    heart.timetable.replace(definition("code", priority=5), by="ann")
    (one,) = drift.find(DECLARED)
    assert (one.kind, one.source, one.changed_by) == (DriftKind.CHANGED, "code", "ann")
    assert [(field.field, field.before, field.after) for field in one.fields] == [("priority", 0, 5)]
    assert one.changed_at is not None


def test_jobs_that_are_halted(heart: Heart, drift: Drift) -> None:
    heart.timetable.pause("file", by="ann")
    heart.firing.mark_broken("code", 1, "gone")
    assert found(drift) == [("code", "broken", "code"), ("file", "paused", "file")]


def test_a_definition_that_cannot_be_loaded_is_broken_and_no_more(heart: Heart, drift: Drift) -> None:
    heart.database.execute(
        "UPDATE cronzimus.job_versions SET definition = '{\"id\": 1}' WHERE job_id = 'code'"
    )
    heart.firing.mark_broken("code", 1, "gone")
    fresh = Heart(heart.database)
    assert found(Drift(fresh.database, fresh.definitions)) == [("code", "broken", "code")]
