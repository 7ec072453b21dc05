"""What the routes accept, as data."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from pydantic import ValidationError

from cronzimus.api.hostile import Malformed
from cronzimus.api.queries import (
    JobDocument,
    JobPatch,
    JobPath,
    JobRunQuery,
    NextQuery,
    RunBody,
    RunPath,
    WhyQuery,
)
from cronzimus.errors import Invalid, NotFound
from cronzimus.models.job import JobDefinition
from cronzimus.models.kinds import PARAMS


@pytest.fixture(autouse=True)
def asked(app: Flask) -> Any:
    """Within a request without parameters of its own."""
    with app.test_request_context():
        yield


@pytest.mark.parametrize("job_id", ["a", "0", "a-b_c", "x" * 63])
def test_job_path_takes_slugs(job_id: str) -> None:
    assert JobPath.model_validate({"job_id": job_id}).job_id == job_id


@pytest.mark.parametrize("job_id", ["", "-a", "A", "a.b", "a\n", "x" * 64, 5])
def test_job_path_finds_nothing_else(job_id: Any) -> None:
    with pytest.raises(NotFound) as missing:
        JobPath.model_validate({"job_id": job_id})
    assert missing.value.code == "JOB_NOT_FOUND" and len(missing.value.message) < 100


@pytest.mark.parametrize("run_id", ["", "1", "urn:uuid:0192e4a0-0000-7000-8000-000000000000", "z" * 36])
def test_run_path_finds_only_uuids(run_id: str) -> None:
    with pytest.raises(NotFound) as missing:
        RunPath.model_validate({"run_id": run_id})
    assert missing.value.code == "RUN_NOT_FOUND"


@pytest.mark.parametrize("count", ["0", "50", 7])
def test_next_takes_whole_numbers(count: Any) -> None:
    assert NextQuery.model_validate({"next": count}).next == int(count)


@pytest.mark.parametrize("count", ["", " 5", "5 ", "+5", "5.0", "1e1", "٣", "0x5", "51", "-1"])
def test_next_takes_nothing_else(count: str) -> None:
    with pytest.raises(Invalid, match="^next: "):
        NextQuery.model_validate({"next": count})


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-01T12:00:00Z", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01T12:00:00.123456Z", datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)),
        ("2026-03-01T12:00:00-05:30", datetime(2026, 3, 1, 17, 30, tzinfo=UTC)),
        ("2026-03-01 12:00:00", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("20260301T120000Z", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01T12:00:00 02:00", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("0001-01-01T00:00:00+01:00", datetime.min.replace(tzinfo=UTC)),
        ("9999-12-31T23:59:59-01:00", datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_why_reads_instants(text: str, instant: datetime) -> None:
    at = WhyQuery.model_validate({"at": text}).at
    assert at == instant and at.utcoffset() == timedelta(0)


@pytest.mark.parametrize("value", [0, 1772366400, 1.5, True, [], {}])
def test_a_time_in_a_body_is_a_text(value: object) -> None:
    with pytest.raises(Invalid, match="as_of: must be an ISO 8601 time in a text"):
        RunBody.model_validate({"as_of": value})


def test_either_name_of_a_filter_serves() -> None:
    by_alias = JobRunQuery.model_validate({"status": "failed", "trigger": "manual"}).filters()
    by_name = JobRunQuery.model_validate({"state": "failed", "cause": "manual"}).filters()
    assert by_alias == by_name


@pytest.mark.parametrize(
    ("query", "contradicts"),
    [
        ({}, False),
        ({"state": "failed", "status": "failed", "cause": "retry"}, False),
        ({"state": "failed", "status": "lost"}, True),
        ({"cause": "retry", "trigger": "manual"}, True),
    ],
)
def test_two_names_may_disagree(query: dict[str, str], contradicts: bool) -> None:
    assert JobRunQuery.model_validate(query).is_contradiction is contradicts


def test_run_body_may_be_absent() -> None:
    assert RunBody.model_validate(None) == RunBody(params=None, force=False)


def test_documents_may_not_be_absent() -> None:
    with pytest.raises(Malformed, match="empty"):
        JobDocument.model_validate(None)


def test_documents_are_handed_on_as_they_are() -> None:
    assert JobDocument.model_validate({"any": ["thing"]}).root == {"any": ["thing"]}


def test_documents_are_described_as_what_validates_them() -> None:
    shown, validating = JobDocument.model_json_schema(), JobDefinition.model_json_schema()
    assert shown["properties"].keys() == validating["properties"].keys()
    assert shown["required"] == validating["required"]
    assert shown["$defs"].keys() >= validating["$defs"].keys()


@pytest.mark.parametrize("trigger", ["IntervalTrigger", "CronTrigger", "DateTrigger", "ManualTrigger"])
def test_triggers_are_described_as_needing_their_type(trigger: str) -> None:
    assert "type" in JobDocument.model_json_schema()["$defs"][trigger]["required"]


def test_params_are_described_for_every_kind() -> None:
    schema = JobDocument.model_json_schema(ref_template="#/x/{model}")
    names = {model.__name__ for model in PARAMS.values()}
    assert schema["properties"]["params"]["anyOf"] == [
        {"$ref": f"#/x/{model.__name__}"} for model in PARAMS.values()
    ]
    assert names <= schema["$defs"].keys()


def test_patches_are_described_as_parts_of_documents() -> None:
    whole, patch = JobDefinition.model_json_schema(), JobPatch.model_json_schema()
    assert patch["properties"].keys() == whole["properties"].keys()
    assert patch["required"] == [] and patch["additionalProperties"] is False
    assert {"type": "null"} in patch["properties"]["description"]["anyOf"]


def test_parameters_never_change() -> None:
    with pytest.raises(ValidationError):
        NextQuery(next=5).next = 6  # type: ignore[misc]
