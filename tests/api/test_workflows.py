"""Workflows over HTTP."""

import pytest
from flask.testing import FlaskClient

from cronzimus.models.run import Cause
from tests.api.fakes import FakeHouse, a_run, document
from tests.api.fakes_workflows import TRACE

V1 = "/api/v1"


def test_a_cycle_says_how_each_job_stands(web: FlaskClient, fake: FakeHouse) -> None:
    fake.operating.workflows.connect()
    body = web.get(f"{V1}/workflows/{TRACE}").json
    assert body is not None and body["trace_id"] == TRACE
    assert [(node["job_id"], node["state"]) for node in body["nodes"]] == [
        ("hourly", "failed"),
        ("mail", "skipped"),
    ]
    assert body["nodes"][1]["run_id"] is None and body["nodes"][1]["note"] == "hourly ended failed"
    assert body["edges"] == [{"job": "hourly", "follower": "mail", "when": "success"}]


def test_the_graph_around_a_job_says_how_the_jobs_stand(web: FlaskClient, fake: FakeHouse) -> None:
    web.post(f"{V1}/jobs", json=document())
    fake.operating.workflows.connect()
    body = web.get(f"{V1}/jobs/hourly/graph").json
    assert body is not None and body["nodes"] == [
        {"job_id": "hourly", "status": "active"},
        {"job_id": "mail", "status": "paused"},
    ]
    assert web.get(f"{V1}/jobs/nobody/graph").status_code == 404


def test_a_rerun_answers_with_what_it_started(web: FlaskClient, fake: FakeHouse) -> None:
    fake.operating.workflows.runs = (a_run(cause=Cause.RETRY),)
    answer = web.post(f"{V1}/workflows/{TRACE}/rerun")
    assert answer.status_code == 202 and answer.json is not None
    assert [run["cause"] for run in answer.json["items"]] == ["retry"]
    assert [name for name, _ in fake.operating.workflows.rerun_by] == [TRACE]


@pytest.mark.parametrize(("name", "status"), [("0" * 31 + "1", 404), ("nonsense", 422), ("g" * 32, 422)])
def test_what_is_no_cycle_is_refused(web: FlaskClient, fake: FakeHouse, name: str, status: int) -> None:
    assert web.get(f"{V1}/workflows/{name}").status_code == status
