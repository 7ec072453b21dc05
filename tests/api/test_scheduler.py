"""The routes of Flask-APScheduler over our services."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cronzimus.models.run import Cause
from cronzimus.services.readiness import Readiness
from tests.api.fakes import FakeHouse, document

JOBS = "/scheduler/jobs"
FUNC = "cronzimus.controller.task:task"
EVERY_HOUR = {"id": "hourly", "func": FUNC, "trigger": "interval", "hours": 1}


def body_of(answer: Any) -> dict[str, Any]:
    assert answer.json is not None, answer.text
    return dict(answer.json)


@pytest.fixture
def added(web: FlaskClient) -> dict[str, Any]:
    """A job that came through the older routes."""
    answer = web.post(JOBS, json=EVERY_HOUR)
    assert answer.status_code == 200, answer.text
    return body_of(answer)


@pytest.mark.parametrize(
    ("component", "running"),
    [("leader", True), ("standby", True), ("stopped", False), ("off", False), (None, False)],
)
def test_info_tells_whether_it_runs(
    web: FlaskClient, fake: FakeHouse, component: str | None, running: bool
) -> None:
    fake.readiness.said = Readiness("ok", True, {"scheduler": component} if component else {})
    info = body_of(web.get("/scheduler"))
    assert list(info) == ["current_host", "allowed_hosts", "running"]
    assert (info["allowed_hosts"], info["running"]) == (["*"], running)


def test_add_answers_with_the_job(added: dict[str, Any]) -> None:
    assert (added["id"], added["func"], added["trigger"], added["hours"]) == ("hourly", FUNC, "interval", 1)
    assert (added["args"], added["kwargs"], added["max_instances"]) == ([], {}, 1)
    assert added["next_run_time"].endswith("Z")


def test_both_doors_show_one_job(web: FlaskClient, added: dict[str, Any]) -> None:
    assert body_of(web.get("/api/v1/jobs/hourly"))["trigger"]["hours"] == 1
    web.post("/api/v1/jobs", json=document("other"))
    listed = web.get(JOBS).json
    assert listed is not None and [job["id"] for job in listed] == ["hourly", "other"]


def test_list_has_every_job(web: FlaskClient, fake: FakeHouse, added: dict[str, Any]) -> None:
    job = fake.timetable.jobs["hourly"]
    fake.timetable.jobs |= {f"job{number:04}": job for number in range(2100)}
    listed = web.get(JOBS).json
    assert listed is not None and len(listed) == 2101


def test_list_of_nothing(web: FlaskClient) -> None:
    assert web.get(JOBS).json == []


def test_show(web: FlaskClient, added: dict[str, Any]) -> None:
    assert web.get(f"{JOBS}/hourly").json == added


@pytest.mark.parametrize(
    ("method", "verb"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("PATCH", ""),
        ("PUT", ""),
        ("POST", "/pause"),
        ("POST", "/resume"),
        ("POST", "/run"),
    ],
)
def test_what_is_not_there_is_not_found(web: FlaskClient, method: str, verb: str) -> None:
    answer = web.open(f"{JOBS}/none{verb}", method=method, json={})
    problem = body_of(answer)
    assert (answer.status_code, problem["code"]) == (404, "JOB_NOT_FOUND")
    assert "none" in problem["error_message"]


def test_add_twice_is_a_conflict(web: FlaskClient, added: dict[str, Any]) -> None:
    answer = web.post(JOBS, json=EVERY_HOUR)
    assert (answer.status_code, body_of(answer)["code"]) == (409, "JOB_EXISTS")
    assert "hourly" in body_of(answer)["error_message"]


def test_add_may_replace(web: FlaskClient, added: dict[str, Any]) -> None:
    answer = web.post(JOBS, json={**EVERY_HOUR, "hours": 2, "replace_existing": True})
    assert (answer.status_code, body_of(answer)["hours"]) == (200, 2)


def test_add_paused(web: FlaskClient, fake: FakeHouse) -> None:
    assert web.post(JOBS, json={**EVERY_HOUR, "next_run_time": None}).status_code == 200
    assert fake.timetable.jobs["hourly"].status == "paused"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"hours": -5}, "INVALID_TRIGGER"),
        ({"hours": 0}, "INVALID_TRIGGER"),
        ({"trigger": "sometimes"}, "INVALID_TRIGGER"),
        ({"trigger": "cron", "hours": 1}, "INVALID_TRIGGER"),
        ({"trigger": None}, "INVALID_TRIGGER"),
        ({"parsecs": 7}, "INVALID_TRIGGER"),
        ({"func": "os:system"}, "FUNCTION_NOT_ALLOWED"),
        ({"func": "os:getcwd"}, "FUNCTION_NOT_ALLOWED"),
        ({"func": "cronzimus.controller.task:nothing"}, "INVALID_FUNCTION"),
        ({"id": "../x"}, "VALIDATION_ERROR"),
        ({"max_instances": 0}, "VALIDATION_ERROR"),
    ],
)
def test_add_refuses(web: FlaskClient, fake: FakeHouse, changes: dict[str, Any], code: str) -> None:
    answer = web.post(JOBS, json={**EVERY_HOUR, **changes})
    problem = body_of(answer)
    assert (answer.status_code, problem["code"]) == (400, code)
    assert problem["error_message"]
    assert not fake.timetable.jobs


@pytest.mark.parametrize("missing", ["id", "func", "trigger"])
def test_add_needs(web: FlaskClient, missing: str) -> None:
    body = {name: value for name, value in EVERY_HOUR.items() if name != missing}
    assert web.post(JOBS, json=body).status_code == 400


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
def test_add_takes_json_only(web: FlaskClient, fake: FakeHouse, kind: str) -> None:
    answer = web.post(JOBS, data=b'{"id":"a","func":"os:system","trigger":"date"}', content_type=kind)
    assert answer.status_code == 415
    assert body_of(answer)["error_message"] and not fake.timetable.jobs


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_update(web: FlaskClient, added: dict[str, Any], method: str) -> None:
    answer = web.open(
        f"{JOBS}/hourly", method=method, json={"trigger": "interval", "minutes": 90, "name": "Now and then"}
    )
    changed = body_of(answer)
    assert answer.status_code == 200
    assert (changed["hours"], changed["minutes"], changed["name"]) == (1, 30, "Now and then")


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_update_keeps_the_id(web: FlaskClient, added: dict[str, Any], method: str) -> None:
    assert web.open(f"{JOBS}/hourly", method=method, json={"id": "other"}).status_code == 400


def test_update_keeps_what_that_shape_cannot_say(web: FlaskClient) -> None:
    web.post("/api/v1/jobs", json=document(tags=["kept"], policy={"max_attempts": 7}))
    web.patch(f"{JOBS}/hourly", json={"max_instances": 2})
    job = body_of(web.get("/api/v1/jobs/hourly"))
    assert (job["tags"], job["policy"]["max_attempts"], job["policy"]["max_instances"]) == (["kept"], 7, 2)


def test_delete(web: FlaskClient, added: dict[str, Any]) -> None:
    answer = web.delete(f"{JOBS}/hourly")
    assert (answer.status_code, answer.data) == (204, b"")
    assert web.get(f"{JOBS}/hourly").status_code == 404


def test_pause_and_resume(web: FlaskClient, added: dict[str, Any], fake: FakeHouse) -> None:
    assert body_of(web.post(f"{JOBS}/hourly/pause"))["id"] == "hourly"
    assert fake.timetable.jobs["hourly"].status == "paused"
    assert body_of(web.post(f"{JOBS}/hourly/resume"))["id"] == "hourly"
    assert fake.timetable.jobs["hourly"].status == "active"


def test_run_makes_a_run_even_of_a_paused_job(
    web: FlaskClient, added: dict[str, Any], fake: FakeHouse
) -> None:
    web.post(f"{JOBS}/hourly/pause")
    answer = web.post(f"{JOBS}/hourly/run")
    assert (answer.status_code, body_of(answer)["id"]) == (200, "hourly")
    (run,) = fake.runs.runs.values()
    assert (run.cause, run.job_id) == (Cause.MANUAL, "hourly")


def test_routes_can_be_switched_off(build: Callable[..., Flask]) -> None:
    web = build(scheduler={"api_enabled": False}).test_client()
    assert [web.get(route).status_code for route in ("/scheduler", JOBS)] == [404, 404]
    assert web.get("/api/v1/jobs").status_code == 200


@pytest.mark.parametrize("verb", ["pause", "resume", "start", "shutdown"])
def test_the_scheduler_itself_is_not_for_sale(web: FlaskClient, verb: str) -> None:
    assert web.post(f"/scheduler/{verb}").status_code == 404
