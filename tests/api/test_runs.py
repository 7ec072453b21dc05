"""Runs over REST: listed, shown with their attempts, cancelled, tried again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from cronzimus.models.run import Cause, RunState
from tests.api.fakes import NOW, FakeHouse, a_run

RUNS = "/api/v1/runs"
UNKNOWN = "0192e4a0-0000-7000-8000-000000000000"


def body_of(answer: Any) -> dict[str, Any]:
    assert answer.json is not None, answer.text
    return dict(answer.json)


def test_list_tells_all_of_a_run(web: FlaskClient, fake: FakeHouse) -> None:
    run = fake.runs.put(
        a_run(
            state=RunState.SUCCESS,
            attempt=1,
            due_at=NOW,
            started_at=NOW,
            ended_at=NOW + timedelta(milliseconds=1234.5),
            worker_id="local",
            result={"rows": 3},
        )
    )
    (shown,) = body_of(web.get(RUNS))["items"]
    assert shown["id"] == str(run.id)
    assert (shown["state"], shown["cause"], shown["attempt"], shown["worker_id"]) == (
        "success",
        "schedule",
        1,
        "local",
    )
    assert (shown["due_at"], shown["duration_ms"], shown["result"]) == (
        "2026-03-01T12:00:00Z",
        1234.5,
        {"rows": 3},
    )
    assert "lease_until" not in shown


def test_a_run_that_goes_on_has_no_duration(web: FlaskClient, fake: FakeHouse) -> None:
    fake.runs.put(a_run(state=RunState.RUNNING, started_at=NOW))
    assert body_of(web.get(RUNS))["items"][0]["duration_ms"] is None


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("", {}),
        ("job_id=hourly", {"job_id": "hourly"}),
        ("kind=shell", {"kind": "shell"}),
        ("state=failed", {"state": RunState.FAILED}),
        ("status=failed", {"state": RunState.FAILED}),
        ("state=failed&status=failed", {"state": RunState.FAILED}),
        ("cause=manual", {"cause": Cause.MANUAL}),
        ("trigger=manual", {"cause": Cause.MANUAL}),
        ("worker_id=host:1", {"worker_id": "host:1"}),
        ("since=2026-03-01T12:00:00Z", {"since": NOW}),
        ("until=2026-03-01T13:00:00%2B01:00", {"until": NOW}),
        ("since=0001-01-01T00:00:00%2B23:00", {"since": datetime.min.replace(tzinfo=UTC)}),
        ("until=9999-12-31T23:59:59-23:00", {"until": datetime.max.replace(tzinfo=UTC)}),
    ],
)
def test_list_asks_for_what_was_filtered(
    web: FlaskClient, fake: FakeHouse, query: str, asked: dict[str, Any]
) -> None:
    assert web.get(f"{RUNS}?{query}").status_code == 200
    assert {name: value for name, value in fake.history.asked.items() if value is not None} == asked


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("state=done", "state"),
        ("status=done", "status"),
        ("cause=luck", "cause"),
        ("since=soon", "since"),
        ("until=5", "until"),
        ("job=hourly", "job"),
    ],
)
def test_list_refuses(web: FlaskClient, query: str, field: str) -> None:
    answer = web.get(f"{RUNS}?{query}")
    assert answer.status_code == 422
    assert body_of(answer)["errors"][0]["field"] == field


@pytest.mark.parametrize("query", ["state=failed&status=pending", "cause=manual&trigger=schedule"])
def test_what_contradicts_itself_finds_nothing(web: FlaskClient, fake: FakeHouse, query: str) -> None:
    fake.runs.put(a_run())
    assert body_of(web.get(f"{RUNS}?{query}"))["total"] == 0


def test_a_refused_choice_lists_the_others(web: FlaskClient) -> None:
    detail = body_of(web.get(f"{RUNS}?state=done"))["detail"]
    assert "'pending'" in detail and "'success'" in detail and "got 'done'" in detail


def test_show_has_attempts_and_kind(web: FlaskClient, fake: FakeHouse, hourly: dict[str, Any]) -> None:
    run = fake.runs.put(a_run(state=RunState.FAILED, attempt=2))
    shown = body_of(web.get(f"{RUNS}/{run.id}"))
    assert shown["kind"] == "function"
    assert [attempt["attempt"] for attempt in shown["attempts"]] == [1, 2]
    assert shown["attempts"][0]["duration_ms"] == 1500
    assert shown["attempts"][0]["error"] == {"type": "ValueError"}


def test_show_does_not_know_the_kind_of_a_removed_job(web: FlaskClient, fake: FakeHouse) -> None:
    run = fake.runs.put(a_run("removed"))
    assert body_of(web.get(f"{RUNS}/{run.id}"))["kind"] is None


@pytest.mark.parametrize("verb", ["", "/cancel", "/retry"])
@pytest.mark.parametrize(
    "run_id", [UNKNOWN, "1", "x" * 300, "%00", "{" + UNKNOWN + "}", UNKNOWN.replace("-", "")]
)
def test_what_is_no_run_is_not_found(web: FlaskClient, verb: str, run_id: str) -> None:
    answer = web.open(f"{RUNS}/{run_id}{verb}", method="POST" if verb else "GET")
    assert (answer.status_code, body_of(answer)["code"]) == (404, "RUN_NOT_FOUND")


def test_a_run_is_found_in_either_case(web: FlaskClient, fake: FakeHouse) -> None:
    run = fake.runs.put(a_run())
    assert web.get(f"{RUNS}/{str(run.id).upper()}").status_code == 200


def test_cancel_answers_with_the_run(web: FlaskClient, fake: FakeHouse) -> None:
    run = fake.runs.put(a_run())
    answer = web.post(f"{RUNS}/{run.id}/cancel")
    assert (answer.status_code, body_of(answer)["state"]) == (200, "cancelled")


def test_cancel_of_what_has_ended_is_a_conflict(web: FlaskClient, fake: FakeHouse) -> None:
    run = fake.runs.put(a_run(state=RunState.SUCCESS))
    answer = web.post(f"{RUNS}/{run.id}/cancel")
    assert (answer.status_code, body_of(answer)["code"]) == (409, "RUN_FINISHED")


def test_retry_starts_another_run(web: FlaskClient, fake: FakeHouse) -> None:
    run = fake.runs.put(a_run(state=RunState.FAILED))
    answer = web.post(f"{RUNS}/{run.id}/retry")
    started = body_of(answer)
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"{RUNS}/{started['run_id']}"
    assert (started["run"]["cause"], started["run"]["parent_run_id"]) == ("retry", str(run.id))


def test_retry_of_what_goes_on_is_a_conflict(web: FlaskClient, fake: FakeHouse) -> None:
    run = fake.runs.put(a_run(state=RunState.RUNNING))
    answer = web.post(f"{RUNS}/{run.id}/retry")
    assert (answer.status_code, body_of(answer)["code"]) == (409, "RUN_NOT_FINISHED")
