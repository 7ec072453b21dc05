"""Nouns as plain data: whole, and fit for JSON as they are."""

import json
from dataclasses import fields, replace
from datetime import timedelta

import pytest
from pydantic_core import to_json

from cronzimus.api.models import FiringView, JobView, VersionView, WhyView
from cronzimus.api.render import (
    attempt_view,
    firing_view,
    job_view,
    milliseconds,
    run_view,
    version_view,
    why_view,
)
from cronzimus.api.run_models import AttemptView, RunView
from cronzimus.models.firing import Decision, Firing, Reason
from cronzimus.models.job import Job, JobDefinition, JobStatus, Source
from cronzimus.models.run import Attempt, Run, RunState
from cronzimus.services.explain import Explanation
from cronzimus.services.history import JobVersion
from tests.api.fakes import NOW, a_firing, a_run, document

JOB = Job(
    "hourly",
    JobDefinition.model_validate(document()).document(),
    JobStatus.PAUSED,
    "why",
    Source.FILE,
    3,
    NOW,
    NOW,
    NOW,
)
ATTEMPT = Attempt(a_run().id, 1, "local", NOW, NOW + timedelta(seconds=2), RunState.FAILED, {"type": "X"})
VERSION = JobVersion("hourly", 2, None, "delete", "owner", NOW)


def test_job_view_is_as_documented() -> None:
    JobView.model_validate_json(to_json(job_view(JOB)))


def test_job_view_does_not_let_the_document_speak_for_the_row() -> None:
    odd = replace(JOB, definition={**JOB.definition, "id": "other", "status": "active", "version": 9})
    shown = job_view(odd)
    assert (shown["id"], shown["status"], shown["version"]) == ("hourly", JobStatus.PAUSED, 3)


@pytest.mark.parametrize(
    "run",
    [
        a_run(),
        a_run(
            state=RunState.SUCCESS, started_at=NOW, ended_at=NOW, result=[1, None, "x"], metrics={"rows": 1}
        ),
        a_run(result=float("nan")),
    ],
)
def test_run_view_is_as_documented(run: Run) -> None:
    RunView.model_validate_json(to_json(run_view(run), inf_nan_mode="null"))


def test_run_view_tells_all_but_the_lease() -> None:
    assert {field.name for field in fields(Run)} - run_view(a_run()).keys() == {"lease_until"}


def test_attempt_view_is_as_documented() -> None:
    shown = AttemptView.model_validate_json(to_json(attempt_view(ATTEMPT)))
    assert shown.duration_ms == 2000


@pytest.mark.parametrize(
    "row", [a_firing(), a_firing(decision=Decision.SKIPPED, reason=Reason.BUDGET, run_id=None)]
)
def test_firing_view_is_as_documented(row: Firing) -> None:
    FiringView.model_validate_json(to_json(firing_view(row)))
    assert firing_view(row).keys() == {field.name for field in fields(Firing)}


def test_version_view_is_as_documented() -> None:
    VersionView.model_validate_json(to_json(version_view(VERSION)))


@pytest.mark.parametrize(
    "why",
    [
        Explanation("hourly", NOW, None, "hourly was not due."),
        Explanation("hourly", NOW, NOW, "hourly fired.", Decision.FIRED, None, a_firing(), a_run()),
    ],
)
def test_why_view_is_as_documented(why: Explanation) -> None:
    WhyView.model_validate_json(to_json(why_view(why)))


def test_times_are_told_in_utc() -> None:
    shown = json.loads(to_json(run_view(a_run(due_at=NOW + timedelta(microseconds=5)))))
    assert (shown["queued_at"], shown["due_at"]) == ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00.000005Z")


@pytest.mark.parametrize(
    ("start", "end", "length"),
    [(NOW, NOW + timedelta(microseconds=1500), 1.5), (NOW, NOW, 0), (NOW, None, None), (None, NOW, None)],
)
def test_milliseconds(start: object, end: object, length: float | None) -> None:
    assert milliseconds(start, end) == length  # type: ignore[arg-type]
