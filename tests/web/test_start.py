"""The form from which a job is started."""

import pytest
from flask.testing import FlaskClient

from cronzimus.house import House
from tests.api.fakes import document
from tests.web.pages import press, read

HERE = "/jobs/report/run"
SCHEMA = {
    "type": "object",
    "properties": {
        "day": {"type": "string", "title": "Day <of> report", "description": "which one"},
        "count": {"type": "integer", "minimum": 1, "default": 3},
        "loud": {"type": "boolean", "default": True},
        "mode": {"enum": ["full", "short"], "default": "full"},
    },
    "required": ["day"],
}


@pytest.fixture
def report(web: FlaskClient) -> str:
    """A job with parameters."""
    params = {"command": ["echo", "{{ params.day }}"], "env": {"day": "monday"}}
    answer = web.post("/api/v1/jobs", json=document("report", kind="shell", params=params, parameters=SCHEMA))
    assert answer.status_code == 201, answer.text
    return "report"


def test_the_form_holds_what_the_job_has_now(web: FlaskClient, report: str) -> None:
    form = read(web, HERE).one("form", action=HERE)
    values = {one.attributes["name"]: one.attributes for one in form.all("input")}
    assert values["param.day"]["value"] == "monday" and values["param.count"]["min"] == "1"
    assert "checked" in values["param.loud"]
    assert "Day <of> report" in form.text and "which one" in form.text
    chosen = [
        one.text
        for one in form.one("select", name="param.mode").all("option")
        if "selected" in one.attributes
    ]
    assert chosen == ["full"]


def test_only_what_was_changed_is_given(web: FlaskClient, house: House, report: str) -> None:
    read(web, HERE)
    answer = press(web, HERE, HERE, **{"param.count": "7", "param.mode": "full", "param.loud": "true"})
    assert answer.status_code == 303
    (run,) = house.history.runs(job_id="report").items
    assert run.params == {"count": 7}


def test_a_run_is_for_a_moment_that_has_passed(web: FlaskClient, house: House, report: str) -> None:
    press(web, HERE, HERE, as_of="2026-03-01T02:00:00Z", watch="1", **{"param.loud": "true"})
    (run,) = house.history.runs(job_id="report").items
    assert run.due_at is not None and run.due_at.isoformat().startswith("2026-03-01T02:00:00")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("param.count", "many", "count"),
        ("param.count", "0", "count"),
        ("as_of", "yesterday", "ISO 8601"),
        ("as_of", "2999-01-01", "future"),
    ],
)
def test_a_refused_form_comes_back_as_it_was(
    web: FlaskClient, house: House, report: str, field: str, value: str, said: str
) -> None:
    answer = press(web, HERE, HERE, **{"param.day": "<friday>", field: value})
    assert answer.status_code == 422
    assert (
        "&lt;friday&gt;" in answer.text
        and f'value="{value}"' in answer.text
        and 'aria-invalid="true"' in answer.text
    )
    assert said in answer.text
    assert house.history.runs(job_id="report").total == 0


def test_a_paused_job_is_run_only_when_that_is_meant(web: FlaskClient, house: House, report: str) -> None:
    web.post("/api/v1/jobs/report/pause")
    assert press(web, HERE, HERE, force="").status_code == 303
    token = read(web, HERE).one("form", action=HERE).one("input", name="csrf_token").attributes["value"]
    refused = web.post(HERE, data={"csrf_token": token}, headers={"Accept": "text/html"})
    assert refused.status_code == 409 and "is paused" in refused.text


def test_a_job_without_parameters_says_so(web: FlaskClient, hourly: str) -> None:
    assert "declares no parameters" in read(web, "/jobs/hourly/run").text
    assert press(web, "/jobs/hourly/run", "/jobs/hourly/run").headers["Location"] == "/jobs/hourly"
