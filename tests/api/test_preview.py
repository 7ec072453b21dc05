"""What a run would be called with, over HTTP."""

from flask.testing import FlaskClient

from tests.api.fakes import document

SHELL = {
    "kind": "shell",
    "params": {"command": ["load", "--day={{ data_interval_start | date }}", "{{ params.region }}"]},
    "parameters": {"properties": {"region": {"type": "string", "default": "eu"}}},
    "templates": True,
}


def test_a_job_is_shown_as_it_would_be_called(web: FlaskClient) -> None:
    web.post("/api/v1/jobs", json=document(**SHELL))
    found = web.get("/api/v1/jobs/hourly/preview?as_of=2026-03-01T00:30:00Z").json
    assert (
        found["data_interval_start"] == "2026-02-28T23:00:00Z" and found["due_at"] == "2026-03-01T00:30:00Z"
    )
    assert found["params"]["command"] == ["load", "--day=2026-02-28", "eu"]
    assert found["parameters"] == {"region": "eu"}
    due_at = web.get("/api/v1/jobs/hourly").json["next_run_time"]
    assert web.get("/api/v1/jobs/hourly/preview").json["due_at"] == due_at


def test_a_document_that_is_not_saved_is_shown_too(web: FlaskClient) -> None:
    body = {"job": document(**SHELL), "params": {"region": "us"}, "as_of": "2026-03-01T00:00:00Z"}
    found = web.post("/api/v1/jobs/preview", json=body).json
    assert found["params"]["command"][2] == "us" and found["params"]["env"] == {"region": "us"}
    assert web.get("/api/v1/jobs").json["total"] == 0


def test_what_is_wrong_is_told_by_field(web: FlaskClient) -> None:
    body = {"job": document(**SHELL), "params": {"region": 5}}
    refused = web.post("/api/v1/jobs/preview", json=body)
    assert refused.status_code == 422 and refused.json["errors"][0]["field"] == "params.region"


def test_a_run_takes_texts_and_a_moment(web: FlaskClient) -> None:
    schema = {"properties": {"size": {"type": "integer"}, "kwargs": {"type": "string"}}}
    made = web.post("/api/v1/jobs", json=document(kind="shell", params={"command": ["x"]}, parameters=schema))
    assert made.status_code == 201
    body = {"texts": {"size": "5"}, "params": {"kwargs": "a"}, "as_of": "2026-03-01T00:00:00Z"}
    run = web.post("/api/v1/jobs/hourly/run", json=body).json["run"]
    assert run["params"] == {"size": 5, "kwargs": "a"} and run["due_at"] == "2026-03-01T00:00:00Z"
    for wrong in ({"texts": {"size": "many"}}, {"texts": {"size": "5"}, "params": {"size": 5}}):
        refused = web.post("/api/v1/jobs/hourly/run", json=wrong)
        assert refused.status_code == 422 and refused.json["errors"][0]["field"] == "params.size"
