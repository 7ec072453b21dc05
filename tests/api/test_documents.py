"""Documents: merged as RFC 7396 says, and looked ahead through clock changes."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from cronzimus.api.documents import defined, merged, named, next_firings
from cronzimus.api.security import anyone
from cronzimus.errors import Invalid
from cronzimus.models.job import Job, JobDefinition, JobStatus, Source
from tests.api.fakes import NOW, document


def job_of(**changes: Any) -> Job:
    definition = JobDefinition.model_validate(document(**changes))
    return Job("hourly", definition.document(), JobStatus.ACTIVE, None, Source.API, 1, None, NOW, NOW)


def due(job: Job, first: datetime, count: int = 3) -> list[tuple[str, str, str | None]]:
    firings = next_firings(replace(job, next_due_at=first), count)
    return [(f"{firing['due_at']:%m-%dT%H:%M}", firing["local"], firing["dst"]) for firing in firings]


# The examples of RFC 7396, appendix A, whose target is an object.
@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merged_follows_the_rfc(
    target: dict[str, Any], patch: dict[str, Any], result: dict[str, Any]
) -> None:
    assert merged(target, patch) == result


@pytest.mark.parametrize(
    ("patch", "trigger"),
    [
        ({"type": "interval", "seconds": 5}, {"type": "interval", "seconds": 5}),
        ({"type": "manual"}, {"type": "manual"}),
        ({"minutes": 2}, {"type": "interval", "hours": 1, "minutes": 2}),
        ({"hours": None, "minutes": 2}, {"type": "interval", "minutes": 2}),
        ([{"type": "manual"}], [{"type": "manual"}]),
    ],
)
def test_merged_takes_a_trigger_with_a_type_whole(patch: Any, trigger: Any) -> None:
    assert merged(document(), {"trigger": patch})["trigger"] == trigger


def test_merged_leaves_its_arguments_alone() -> None:
    before = document(policy={"timeout": 1})
    merged(before, {"policy": {"timeout": None}, "trigger": {"type": "manual"}})
    assert before == document(policy={"timeout": 1})


def test_named_fills_the_id_in() -> None:
    assert named({"a": 1}, "hourly") == {"a": 1, "id": "hourly"}


@pytest.mark.parametrize("job_id", ["other", "", None, 5, ["hourly"]])
def test_named_refuses_another_id(job_id: Any) -> None:
    with pytest.raises(Invalid, match="a job keeps its id"):
        named({"id": job_id}, "hourly")


def test_next_firings_count_from_the_stored_one() -> None:
    first = datetime(2026, 3, 1, 13, tzinfo=UTC)
    assert due(job_of(), first) == [
        ("03-01T13:00", "2026-03-01T13:00:00+00:00", None),
        ("03-01T14:00", "2026-03-01T14:00:00+00:00", None),
        ("03-01T15:00", "2026-03-01T15:00:00+00:00", None),
    ]


def test_next_firings_mark_the_missing_hour() -> None:
    nightly = job_of(trigger={"type": "cron", "expression": "30 2 * * *"}, timezone="Europe/Berlin")
    assert due(nightly, datetime(2026, 3, 28, 1, 30, tzinfo=UTC)) == [
        ("03-28T01:30", "2026-03-28T02:30:00+01:00", None),
        ("03-29T01:00", "2026-03-29T03:00:00+02:00", "gap"),
        ("03-30T00:30", "2026-03-30T02:30:00+02:00", None),
    ]


def test_next_firings_mark_the_repeated_hour() -> None:
    nightly = job_of(trigger={"type": "cron", "expression": "30 2 * * *", "timezone": "Europe/Berlin"})
    assert due(nightly, datetime(2026, 10, 25, 0, 30, tzinfo=UTC), 2) == [
        ("10-25T00:30", "2026-10-25T02:30:00+02:00", "repeated, first"),
        ("10-26T01:30", "2026-10-26T02:30:00+01:00", None),
    ]


def test_next_firings_end_with_the_trigger() -> None:
    once = job_of(trigger={"type": "date", "run_date": "2199-01-01T00:00:00Z"})
    assert [local for _, local, _ in due(once, datetime(2199, 1, 1, tzinfo=UTC))] == [
        "2199-01-01T00:00:00+00:00"
    ]


@pytest.mark.parametrize("status", [JobStatus.PAUSED, JobStatus.FINISHED, JobStatus.BROKEN])
def test_next_firings_of_what_does_not_fire(status: JobStatus) -> None:
    assert due(replace(job_of(), status=status), NOW) == []


def test_next_firings_of_what_only_runs_by_hand() -> None:
    assert next_firings(job_of(trigger={"type": "manual"}), 5) == []


def test_next_firings_of_what_cannot_be_read() -> None:
    job = job_of()
    assert due(replace(job, definition={**job.definition, "trigger": {"type": "moon"}}), NOW) == []


def test_defined_asks_the_factory(app: Any) -> None:
    app.add_url_rule("/try", view_func=anyone(lambda: defined(document(tags=["x"])).document()))
    assert app.test_client().get("/try").json["tags"] == ["x"]
