"""Jobs over REST: created, listed, shown, changed, paused, run, explained."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from cronzimus.errors import Conflict
from cronzimus.models.job import JobStatus
from cronzimus.models.run import Cause
from tests.api.fakes import FakeHouse, a_run, document

V1 = "/api/v1"
UTC_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
JOB_FIELDS = {
    *("id", "kind", "params", "trigger", "timezone", "policy", "runs_on", "queue", "priority", "tags"),
    *(
        "description",
        "parameters",
        "templates",
        "calendar",
        "business_day",
        "blackouts",
        "placement",
        "depends_on",
        "limits",
        "alerts",
        "status",
        "status_reason",
        "source",
        "version",
        "next_run_time",
        "created_at",
        "updated_at",
    ),
}


def body_of(answer: Any) -> dict[str, Any]:
    assert answer.json is not None, answer.text
    return dict(answer.json)


def test_create_answers_with_the_whole_job(web: FlaskClient) -> None:
    answer = web.post(f"{V1}/jobs", json=document(tags=["a"], description="hello"))
    job = body_of(answer)
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{V1}/jobs/hourly"
    assert answer.headers["ETag"] == '"1"'
    assert set(job) == JOB_FIELDS
    assert (job["status"], job["source"], job["version"], job["tags"]) == ("active", "api", 1, ["a"])
    assert UTC_TIME.fullmatch(job["next_run_time"]) and UTC_TIME.fullmatch(job["created_at"])


def test_create_takes_any_character(web: FlaskClient) -> None:
    answer = web.post(f"{V1}/jobs", json=document(description="größe \U0001f600 <b>"))
    assert body_of(answer)["description"] == "größe \U0001f600 <b>"


def test_create_twice_is_a_conflict(web: FlaskClient, hourly: dict[str, Any]) -> None:
    answer = web.post(f"{V1}/jobs", json=document())
    assert (answer.status_code, body_of(answer)["code"]) == (409, "JOB_EXISTS")


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"id": "../x"}, "VALIDATION_ERROR", "id"),
        ({"id": "Upper"}, "VALIDATION_ERROR", "id"),
        ({"id": ""}, "VALIDATION_ERROR", "id"),
        ({"id": "x" * 64}, "VALIDATION_ERROR", "id"),
        ({"id": 7}, "VALIDATION_ERROR", "id"),
        ({"kind": "python"}, "VALIDATION_ERROR", "kind"),
        ({"unknown": 1}, "VALIDATION_ERROR", "unknown"),
        ({"policy": {"max_attempts": 0}}, "VALIDATION_ERROR", "policy.max_attempts"),
        ({"policy": {"retries": 1}}, "VALIDATION_ERROR", "policy.retries"),
        ({"policy": {"max_attempts": True}}, "VALIDATION_ERROR", "policy.max_attempts"),
        ({"timezone": "Mars/Olympus"}, "VALIDATION_ERROR", "timezone"),
        ({"tags": "a"}, "VALIDATION_ERROR", "tags"),
        ({"priority": "high"}, "VALIDATION_ERROR", "priority"),
        ({"trigger": {"type": "interval", "seconds": -5}}, "INVALID_TRIGGER", "trigger.seconds"),
        ({"trigger": {"type": "interval", "seconds": 0}}, "INVALID_TRIGGER", "trigger.seconds"),
        ({"trigger": {"type": "interval"}}, "INVALID_TRIGGER", "trigger.seconds"),
        ({"trigger": {"type": "interval", "parsecs": 5}}, "INVALID_TRIGGER", "trigger.parsecs"),
        ({"trigger": {"type": "cron", "expression": "61 * * * *"}}, "INVALID_TRIGGER", "trigger.expression"),
        ({"trigger": {"type": "cron", "hour": 99}}, "INVALID_TRIGGER", "trigger.hour"),
        (
            {"trigger": {"type": "date", "run_date": "2001-01-01T00:00:00Z"}},
            "INVALID_TRIGGER",
            "trigger.run_date",
        ),
        ({"trigger": {"type": "date"}}, "INVALID_TRIGGER", "trigger.run_date"),
        ({"trigger": {"type": "sometimes"}}, "INVALID_TRIGGER", "trigger"),
        ({"trigger": {}}, "INVALID_TRIGGER", "trigger"),
        ({"trigger": "hourly"}, "INVALID_TRIGGER", "trigger"),
        ({"trigger": None}, "INVALID_TRIGGER", "trigger"),
        ({"trigger": []}, "INVALID_TRIGGER", "trigger"),
        ({"trigger": [{"type": "interval", "seconds": -5}]}, "INVALID_TRIGGER", "trigger.0.seconds"),
    ],
)
def test_create_refuses(web: FlaskClient, changes: dict[str, Any], code: str, field: str) -> None:
    answer = web.post(f"{V1}/jobs", json=document(**changes))
    problem = body_of(answer)
    assert (answer.status_code, problem["code"]) == (422, code)
    assert field in [fault["field"] for fault in problem["errors"]]
    assert not any("tagged-union" in fault["field"] or "[" in fault["field"] for fault in problem["errors"])


@pytest.mark.parametrize(
    ("func", "code"),
    [
        ("os:system", "FUNCTION_NOT_ALLOWED"),
        ("os:getcwd", "FUNCTION_NOT_ALLOWED"),
        ("builtins:eval", "FUNCTION_NOT_ALLOWED"),
        ("cronzimus.controller.task:nothing", "INVALID_FUNCTION"),
    ],
)
def test_create_refuses_functions(web: FlaskClient, fake: FakeHouse, func: str, code: str) -> None:
    answer = web.post(f"{V1}/jobs", json=document(params={"func": func}))
    assert (answer.status_code, body_of(answer)["code"]) == (422, code)
    assert not fake.timetable.jobs


def test_create_echoes_little(web: FlaskClient) -> None:
    answer = web.post(f"{V1}/jobs", json=document(id="x" * 100_000))
    assert answer.status_code == 422 and len(answer.data) < 1000


def test_create_needs_a_body(web: FlaskClient) -> None:
    answer = web.post(f"{V1}/jobs")
    assert (answer.status_code, body_of(answer)["code"]) == (400, "BODY_MISSING")


def test_list_is_a_page(web: FlaskClient, hourly: dict[str, Any]) -> None:
    page = body_of(web.get(f"{V1}/jobs"))
    assert page == {"items": [hourly], "total": 1, "limit": 50, "offset": 0}


def test_list_of_nothing(web: FlaskClient) -> None:
    answer = web.get(f"{V1}/jobs")
    assert body_of(answer) == {"items": [], "total": 0, "limit": 50, "offset": 0}
    assert "Link" not in answer.headers


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("status=paused", ["b"]),
        ("status=active", ["a", "c"]),
        ("tag=red", ["a", "b"]),
        ("kind=shell", ["c"]),
        ("kind=function&tag=red&status=active", ["a"]),
        ("source=file", []),
        ("source=api", ["a", "b", "c"]),
        ("q=b", ["b"]),
        ("limit=1&offset=1", ["b"]),
    ],
)
def test_list_filters(web: FlaskClient, query: str, ids: list[str]) -> None:
    web.post(f"{V1}/jobs", json=document("a", tags=["red"]))
    web.post(f"{V1}/jobs", json=document("b", tags=["red"]))
    web.post(f"{V1}/jobs", json=document("c", kind="shell", params={"command": ["true"]}))
    web.post(f"{V1}/jobs/b/pause")
    assert [job["id"] for job in body_of(web.get(f"{V1}/jobs?{query}"))["items"]] == ids


@pytest.mark.parametrize(
    ("offset", "links"),
    [
        (0, {"next": 2}),
        (2, {"first": 0, "prev": 0, "next": 4}),
        (3, {"first": 0, "prev": 1}),
        (4, {"first": 0, "prev": 2}),
    ],
)
def test_list_links_to_its_neighbours(web: FlaskClient, offset: int, links: dict[str, int]) -> None:
    for name in "abcde":
        web.post(f"{V1}/jobs", json=document(name, tags=["x"]))
    header = web.get(f"{V1}/jobs?tag=x&limit=2&offset={offset}").headers["Link"]
    found = re.findall(r'</api/v1/jobs\?tag=x&limit=2&offset=(\d+)>; rel="(\w+)"', header)
    assert {name: int(place) for place, name in found} == links


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=ten", "limit"),
        ("limit=1.5", "limit"),
        ("limit=1_0", "limit"),
        ("limit=", "limit"),
        ("limit=" + "9" * 400, "limit"),
        ("offset=-1", "offset"),
        ("offset=1000001", "offset"),
        ("status=broke", "status"),
        ("kind=python", "kind"),
        ("limt=5", "limt"),
        ("tag=", "tag"),
        ("tag=" + "x" * 201, "tag"),
        ("limit=1&limit=2", "limit"),
    ],
)
def test_list_refuses_parameters(web: FlaskClient, query: str, field: str) -> None:
    answer = web.get(f"{V1}/jobs?{query}")
    problem = body_of(answer)
    assert (answer.status_code, problem["code"]) == (422, "VALIDATION_ERROR")
    assert [fault["field"] for fault in problem["errors"]] == [field]


def test_list_knows_what_was_meant(web: FlaskClient) -> None:
    problem = body_of(web.get(f"{V1}/jobs?limt=5"))
    assert problem["detail"] == "limt: is not known here; did you mean 'limit'?"


@pytest.mark.parametrize("query", ["q=%00", "q=a%00b", "%00=1"])
def test_list_refuses_nul(web: FlaskClient, query: str) -> None:
    answer = web.get(f"{V1}/jobs?{query}")
    assert (answer.status_code, body_of(answer)["code"]) == (400, "INVALID_CHARACTER")


@pytest.mark.parametrize("query", ["q=%ff", "q=%ed%a0%80", "q=%"])
def test_list_takes_what_is_not_utf8_as_text(web: FlaskClient, query: str) -> None:
    assert web.get(f"{V1}/jobs?{query}").status_code == 200


def test_show_adds_definition_and_next(web: FlaskClient, hourly: dict[str, Any]) -> None:
    answer = web.get(f"{V1}/jobs/hourly")
    job = body_of(answer)
    assert re.fullmatch(r'"1\.[0-9a-f]{16}"', answer.headers["ETag"])
    assert set(job) == JOB_FIELDS | {"definition", "next"}
    assert [firing["due_at"] for firing in job["next"]][0] == job["next_run_time"]
    assert len(job["next"]) == 5


def test_show_gives_what_replace_takes(web: FlaskClient, hourly: dict[str, Any]) -> None:
    definition = body_of(web.get(f"{V1}/jobs/hourly"))["definition"]
    assert web.put(f"{V1}/jobs/hourly", json=definition).status_code == 200


@pytest.mark.parametrize(("query", "count"), [("next=0", 0), ("next=1", 1), ("next=50", 50)])
def test_show_looks_as_far_ahead_as_asked(
    web: FlaskClient, hourly: dict[str, Any], query: str, count: int
) -> None:
    assert len(body_of(web.get(f"{V1}/jobs/hourly?{query}"))["next"]) == count


@pytest.mark.parametrize("query", ["next=51", "next=-1", "next=x", "nxt=1"])
def test_show_refuses_to_look_further(web: FlaskClient, hourly: dict[str, Any], query: str) -> None:
    assert web.get(f"{V1}/jobs/hourly?{query}").status_code == 422


@pytest.mark.parametrize("job_id", ["none", "UPPER", "x" * 64, "a%00b", "%F0%9F%98%80", "%ff", "a%0ab", ".."])
def test_show_does_not_find(web: FlaskClient, job_id: str) -> None:
    answer = web.get(f"{V1}/jobs/{job_id}")
    assert answer.status_code == 404
    assert body_of(answer)["code"] in ("JOB_NOT_FOUND", "NOT_FOUND")


def test_replace_makes_a_version(web: FlaskClient, hourly: dict[str, Any]) -> None:
    answer = web.put(f"{V1}/jobs/hourly", json=document(description="new"))
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')
    assert (body_of(answer)["version"], body_of(answer)["description"]) == (2, "new")


def test_replace_needs_no_id_in_the_body(web: FlaskClient, hourly: dict[str, Any]) -> None:
    whole = document()
    del whole["id"]
    assert web.put(f"{V1}/jobs/hourly", json=whole).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("job_id", ["other", None, 7])
def test_a_job_keeps_its_id(web: FlaskClient, hourly: dict[str, Any], method: str, job_id: Any) -> None:
    answer = web.open(f"{V1}/jobs/hourly", method=method, json=document(id=job_id))
    if method == "PATCH" and job_id is None:
        assert body_of(answer)["id"] == "hourly"
    else:
        assert answer.status_code == 422
        assert body_of(answer)["errors"][0]["field"] == "id"


def test_replace_of_nothing_is_not_found(web: FlaskClient) -> None:
    assert web.put(f"{V1}/jobs/none", json=document("none")).status_code == 404


@pytest.mark.parametrize("etag", ['"1"', "*", '"7", "1"', 'W/"1"', '"1.0123456789abcdef"'])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_if_match_lets_the_present_version_pass(
    web: FlaskClient, hourly: dict[str, Any], method: str, etag: str
) -> None:
    body = document() if method == "PUT" else {"description": "x"}
    answer = web.open(f"{V1}/jobs/hourly", method=method, json=body, headers={"If-Match": etag})
    assert answer.status_code in (200, 204)


@pytest.mark.parametrize("etag", ['"2"', '"x"', '"7", "8"', '""'])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_if_match_stops_an_older_version(
    web: FlaskClient, hourly: dict[str, Any], fake: FakeHouse, method: str, etag: str
) -> None:
    body = document() if method == "PUT" else {"description": "x"}
    answer = web.open(f"{V1}/jobs/hourly", method=method, json=body, headers={"If-Match": etag})
    assert (answer.status_code, body_of(answer)["code"]) == (412, "PRECONDITION_FAILED")
    assert fake.timetable.jobs["hourly"].version == 1


def test_a_change_that_was_overtaken_is_a_conflict(
    web: FlaskClient, hourly: dict[str, Any], fake: FakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = fake.timetable.get("hourly")
    web.put(f"{V1}/jobs/hourly", json=document(description="theirs"))
    monkeypatch.setattr(fake.timetable, "get", lambda job_id: seen)
    monkeypatch.setattr(fake.timetable, "replace", overtaken_replace(fake.timetable.jobs["hourly"].version))
    plain = web.patch(f"{V1}/jobs/hourly", json={"description": "mine"})
    matched = web.patch(f"{V1}/jobs/hourly", json={"description": "mine"}, headers={"If-Match": '"1"'})
    assert (plain.status_code, body_of(plain)["code"]) == (409, "VERSION_CONFLICT")
    assert (matched.status_code, body_of(matched)["code"]) == (412, "PRECONDITION_FAILED")


def overtaken_replace(version: int) -> Any:
    def refuse(definition: Any, *, by: str, expected_version: int | None = None) -> None:
        assert expected_version is not None and expected_version != version
        raise Conflict("overtaken", code="VERSION_CONFLICT")

    return refuse


@pytest.mark.parametrize(
    ("patch", "path", "value"),
    [
        ({"description": "x"}, ("description",), "x"),
        ({"policy": {"timeout": 5}}, ("policy", "timeout"), 5),
        ({"policy": {"timeout": 5}}, ("policy", "max_attempts"), 3),
        ({"policy": {"max_attempts": None}}, ("policy", "max_attempts"), 1),
        ({"policy": None}, ("policy", "max_attempts"), 1),
        ({"tags": None}, ("tags",), []),
        ({"trigger": {"type": "interval", "seconds": 7}}, ("trigger", "hours"), 0),
        ({"trigger": {"seconds": 7}}, ("trigger", "hours"), 1),
        ({"trigger": {"type": "cron", "expression": "0 2 * * *"}}, ("trigger", "expression"), "0 2 * * *"),
        ({"trigger": [{"type": "manual"}]}, ("trigger",), [{"type": "manual"}]),
        ({"params": {"kwargs": {}}}, ("params", "func"), "cronzimus.controller.task:task"),
        ({}, ("description",), "before"),
    ],
)
def test_patch_merges(web: FlaskClient, patch: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    web.post(f"{V1}/jobs", json=document(description="before", tags=["a"], policy={"max_attempts": 3}))
    answer = web.patch(f"{V1}/jobs/hourly", json=patch)
    assert answer.status_code == 200, answer.text
    found: Any = body_of(answer)
    for name in path:
        found = found[name]
    assert found == value


def test_patch_takes_the_type_of_merge_patches(web: FlaskClient, hourly: dict[str, Any]) -> None:
    answer = web.patch(
        f"{V1}/jobs/hourly", data=b'{"description":"x"}', content_type="application/merge-patch+json"
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("patch", "code"),
    [
        ({"trigger": None}, "INVALID_TRIGGER"),
        ({"trigger": {"seconds": -7}}, "INVALID_TRIGGER"),
        ({"policy": {"timeout": "long"}}, "VALIDATION_ERROR"),
        ({"status": "paused"}, "VALIDATION_ERROR"),
        ({"version": 9}, "VALIDATION_ERROR"),
        ({"params": {"func": "os:system"}}, "FUNCTION_NOT_ALLOWED"),
    ],
)
def test_patch_refuses(web: FlaskClient, hourly: dict[str, Any], patch: dict[str, Any], code: str) -> None:
    answer = web.patch(f"{V1}/jobs/hourly", json=patch)
    assert (answer.status_code, body_of(answer)["code"]) == (422, code)


def test_delete_leaves_nothing_but_history(web: FlaskClient, hourly: dict[str, Any]) -> None:
    answer = web.delete(f"{V1}/jobs/hourly")
    assert (answer.status_code, answer.data) == (204, b"")
    assert web.get(f"{V1}/jobs/hourly").status_code == 404
    assert [v["operation"] for v in body_of(web.get(f"{V1}/jobs/hourly/versions"))["items"]] == [
        "create",
        "delete",
    ]


def test_pause_and_resume(web: FlaskClient, hourly: dict[str, Any]) -> None:
    paused = body_of(web.post(f"{V1}/jobs/hourly/pause"))
    again = body_of(web.post(f"{V1}/jobs/hourly/pause"))
    resumed = body_of(web.post(f"{V1}/jobs/hourly/resume"))
    assert [job["status"] for job in (paused, again, resumed)] == ["paused", "paused", "active"]


def test_a_paused_job_has_nothing_next(web: FlaskClient, hourly: dict[str, Any]) -> None:
    web.post(f"{V1}/jobs/hourly/pause")
    assert body_of(web.get(f"{V1}/jobs/hourly"))["next"] == []


def test_a_finished_job_is_not_paused(web: FlaskClient, hourly: dict[str, Any], fake: FakeHouse) -> None:
    fake.timetable.jobs["hourly"] = replace(fake.timetable.jobs["hourly"], status=JobStatus.FINISHED)
    answer = web.post(f"{V1}/jobs/hourly/pause")
    assert (answer.status_code, body_of(answer)["code"]) == (409, "JOB_FINISHED")


def test_a_broken_job_is_still_shown(web: FlaskClient, hourly: dict[str, Any], fake: FakeHouse) -> None:
    job = fake.timetable.jobs["hourly"]
    broken = replace(
        job, status=JobStatus.BROKEN, status_reason="gone", definition={**job.definition, "kind": "old"}
    )
    fake.timetable.jobs["hourly"] = broken
    shown = body_of(web.get(f"{V1}/jobs/hourly"))
    assert (shown["status"], shown["status_reason"], shown["kind"], shown["next"]) == (
        "broken",
        "gone",
        "old",
        [],
    )


def test_run_is_answered_before_it_begins(web: FlaskClient, hourly: dict[str, Any]) -> None:
    answer = web.post(f"{V1}/jobs/hourly/run", json={"params": {"name": "x"}})
    started = body_of(answer)
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"{V1}/runs/{started['run_id']}"
    assert started["run"]["id"] == started["run_id"]
    assert (started["run"]["cause"], started["run"]["state"]) == ("manual", "pending")
    assert started["run"]["params"] == {"name": "x"}


@pytest.mark.parametrize("request_body", [{}, {"data": b""}, {"json": {}}, {"json": {"params": None}}])
def test_run_needs_no_body(web: FlaskClient, hourly: dict[str, Any], request_body: dict[str, Any]) -> None:
    assert web.post(f"{V1}/jobs/hourly/run", **request_body).status_code == 202


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"parms": {}}, "parms"),
        ({"params": []}, "params"),
        ({"params": "x"}, "params"),
        ({"force": "yes"}, "force"),
        ({"force": 1}, "force"),
    ],
)
def test_run_refuses(web: FlaskClient, hourly: dict[str, Any], body: dict[str, Any], field: str) -> None:
    answer = web.post(f"{V1}/jobs/hourly/run", json=body)
    assert answer.status_code == 422
    assert body_of(answer)["errors"][0]["field"] == field


def test_run_of_a_paused_job_wants_force(web: FlaskClient, hourly: dict[str, Any]) -> None:
    web.post(f"{V1}/jobs/hourly/pause")
    refused = web.post(f"{V1}/jobs/hourly/run")
    assert (refused.status_code, body_of(refused)["code"]) == (409, "JOB_PAUSED")
    assert web.post(f"{V1}/jobs/hourly/run", json={"force": True}).status_code == 202


@pytest.mark.parametrize("verb", ["pause", "resume", "run"])
def test_verbs_on_nothing_are_not_found(web: FlaskClient, verb: str) -> None:
    answer = web.post(f"{V1}/jobs/none/{verb}")
    assert (answer.status_code, body_of(answer)["code"]) == (404, "JOB_NOT_FOUND")


def test_runs_of_a_job(web: FlaskClient, hourly: dict[str, Any], fake: FakeHouse) -> None:
    own, other = fake.runs.put(a_run()), fake.runs.put(a_run("other"))
    listed = [run["id"] for run in body_of(web.get(f"{V1}/jobs/hourly/runs"))["items"]]
    assert str(own.id) in listed and str(other.id) not in listed


def test_runs_of_a_job_are_filtered(web: FlaskClient, hourly: dict[str, Any], fake: FakeHouse) -> None:
    fake.runs.put(a_run())
    manual = fake.runs.put(a_run(cause=Cause.MANUAL))
    page = body_of(web.get(f"{V1}/jobs/hourly/runs?trigger=manual&status=pending"))
    assert [run["id"] for run in page["items"]] == [str(manual.id)]


def test_runs_of_a_job_without_any(web: FlaskClient, hourly: dict[str, Any]) -> None:
    assert body_of(web.get(f"{V1}/jobs/hourly/runs"))["total"] == 0


@pytest.mark.parametrize("what", ["runs", "versions", "why"])
def test_what_belongs_to_nothing_is_not_found(web: FlaskClient, what: str) -> None:
    assert web.get(f"{V1}/jobs/none/{what}").status_code == 404


def test_runs_of_a_removed_job_stay(web: FlaskClient, hourly: dict[str, Any], fake: FakeHouse) -> None:
    fake.runs.put(a_run())
    web.delete(f"{V1}/jobs/hourly")
    assert body_of(web.get(f"{V1}/jobs/hourly/runs"))["total"] == 1


def test_versions_are_told(web: FlaskClient, hourly: dict[str, Any]) -> None:
    web.patch(f"{V1}/jobs/hourly", json={"description": "x"})
    page = body_of(web.get(f"{V1}/jobs/hourly/versions?limit=1&offset=1"))
    assert (page["total"], page["limit"], page["offset"]) == (2, 1, 1)
    (version,) = page["items"]
    assert (version["version"], version["operation"], version["changed_by"]) == (2, "replace", "api")
    assert version["definition"]["description"] == "x"


@pytest.mark.parametrize(
    ("at", "understood"),
    [
        ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z"),
        ("2026-03-01T12:00:00+02:00", "2026-03-01T10:00:00Z"),
        ("2026-03-01T12:00:00%2B02:00", "2026-03-01T10:00:00Z"),
        ("2026-03-01", "2026-03-01T00:00:00Z"),
        ("2026-03-01T12:00", "2026-03-01T12:00:00Z"),
    ],
)
def test_why_reads_times(web: FlaskClient, hourly: dict[str, Any], at: str, understood: str) -> None:
    said = body_of(web.get(f"{V1}/jobs/hourly/why?at={at}"))
    assert (said["at"], said["sentence"], said["decision"]) == (understood, "hourly fired.", "fired")
    assert said["firing"]["job_id"] == "hourly" and said["run"] is None


def test_why_without_a_time_means_now(web: FlaskClient, hourly: dict[str, Any]) -> None:
    assert UTC_TIME.fullmatch(body_of(web.get(f"{V1}/jobs/hourly/why"))["at"])


@pytest.mark.parametrize(
    "at", ["yesterday", "", "1772366400", "2026-13-01", "2026-03-01T12:00:00[Europe/Berlin]"]
)
def test_why_refuses_other_times(web: FlaskClient, hourly: dict[str, Any], at: str) -> None:
    answer = web.get(f"{V1}/jobs/hourly/why?at={at}")
    assert answer.status_code == 422
    assert "ISO 8601" in body_of(answer)["detail"]


def test_answers_are_compact_and_ordered_as_built(web: FlaskClient, hourly: dict[str, Any]) -> None:
    answer = web.get(f"{V1}/jobs")
    assert answer.data == json.dumps(answer.json, separators=(",", ":"), ensure_ascii=False).encode()
