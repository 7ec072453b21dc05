"""Config as code over the real house: plan, apply, export, drift and reload as a client meets them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from cronzimus.api import build_flask
from cronzimus.common import yaml
from cronzimus.config import load_settings
from cronzimus.house import House
from tests.api.fakes import document

V1 = "/api/v1"
JOBS = """\
jobs:
  nightly:
    params: {func: "cronzimus.controller.task:task"}
    trigger: {type: cron, expression: "0 2 * * *"}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "jobs.yaml").write_text(JOBS)
    return tmp_path


@pytest.fixture
def house(database_url: str, folder: Path) -> Iterator[House]:
    """A house in which nothing moves by itself; its files are declared."""
    settings = load_settings(folder, overrides={"scheduler.sample_job": False})
    house = House(settings, url=database_url)
    house.timetable.synchronise(house.config.declared())
    yield house
    house.stop()


@pytest.fixture
def web(house: House) -> FlaskClient:
    app = build_flask(house.settings)
    app.extensions["cronzimus"] = house
    return app.test_client()


def body_of(answer: Any) -> dict[str, Any]:
    assert answer.json is not None, answer.text
    return dict(answer.json)


def plan(web: FlaskClient, *documents: dict[str, Any], **options: Any) -> dict[str, Any]:
    answer = web.post(f"{V1}/plan", json={"documents": documents, **options})
    assert answer.status_code == 200, answer.text
    return body_of(answer)


def test_a_plan_is_told_and_applied(web: FlaskClient) -> None:
    told = plan(web, document("hourly"), next=2)
    assert told["summary"] == {"create": 1, "change": 0, "remove": 0, "unchanged": 0}
    (job,) = told["jobs"]
    assert (job["id"], job["action"], job["version"], job["source"]) == ("hourly", "create", None, None)
    assert [firing["move"] for firing in job["firings"]] == ["appears", "appears"]
    assert told["unlisted"] == ["nightly"] and told["concurrency"]["after"]["peak"] >= 1
    body = {"documents": [document("hourly")], "plan": told["hash"], "revision": "git:3f9a"}
    done = web.post(f"{V1}/apply", json=body)
    assert (done.status_code, body_of(done)["done"]["create"]) == (200, 1)
    versions = body_of(web.get(f"{V1}/jobs/hourly/versions"))["items"]
    assert versions[0]["changed_by"].endswith("(git:3f9a)")
    again = web.post(f"{V1}/apply", json=body)
    assert (again.status_code, body_of(again)["code"]) == (409, "PLAN_STALE")
    assert "hourly was created" in body_of(again)["detail"]


def test_every_fault_of_every_document_is_told(web: FlaskClient) -> None:
    documents = [document("a", trigger={"type": "interval", "seconds": 0}), document("b", queue="?")]
    answer = web.post(f"{V1}/plan", json={"documents": [*documents, document("c"), document("c")]})
    assert answer.status_code == 422
    fields = {fault["field"] for fault in body_of(answer)["errors"]}
    assert fields == {"documents.0.trigger.seconds", "documents.1.queue", "documents.3.id"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "documents"),
        ({"documents": [], "next": 0}, "next"),
        ({"documents": [], "window_hours": 9999}, "window_hours"),
        ({"documents": [document(paused="no")]}, "documents.0.paused"),
        ({"documents": [], "purge": True}, "purge"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(web: FlaskClient, body: dict[str, Any], field: str) -> None:
    answer = web.post(f"{V1}/plan", json=body)
    assert answer.status_code == 422
    assert [fault["field"] for fault in body_of(answer)["errors"]] == [field]


def test_an_export_changes_nothing_when_it_comes_back(web: FlaskClient) -> None:
    odd = document(
        "odd",
        trigger=[
            {"type": "cron", "second": 0, "minute": 0, "hour": "*/2", "timezone": "Europe/Berlin"},
            {"type": "date", "run_date": "2020-01-01T00:00:00"},
        ],
        policy={"max_attempts": 3, "timeout": 9.5, "overlap": "queue"},
        description='größe: "22:30" # \u2028 \U0001f600\n  null',
        tags=["a", "b"],
    )
    for one in (odd, document("hourly"), document("plain", kind="shell", params={"command": ["true"]})):
        assert web.post(f"{V1}/jobs", json=one).status_code == 201
    web.post(f"{V1}/jobs/hourly/pause")
    answer = web.get(f"{V1}/export?format=yaml")
    assert answer.content_type == "application/yaml"
    jobs = yaml.load(answer.text).data["jobs"]
    assert jobs == body_of(web.get(f"{V1}/export"))["jobs"]
    assert list(jobs) == ["hourly", "nightly", "odd", "plain"]
    assert jobs["hourly"] == {
        "params": {"func": "cronzimus.controller.task:task"},
        "trigger": {"type": "interval", "hours": 1},
        "paused": True,
    }
    told = plan(web, *({"id": job_id, **one} for job_id, one in jobs.items()), prune=True)
    assert [(job["id"], job["fields"]) for job in told["jobs"]] == [(job_id, []) for job_id in jobs]
    assert told["summary"]["unchanged"] == 4
    assert web.get(f"{V1}/export?format=yaml").text == answer.text
    assert list(body_of(web.get(f"{V1}/export?source=file"))["jobs"]) == ["nightly"]


def test_drift_is_found(web: FlaskClient, folder: Path) -> None:
    assert body_of(web.get(f"{V1}/drift")) == {"drifted": [], "total": 0}
    web.patch(f"{V1}/jobs/nightly", json={"trigger": {"type": "cron", "expression": "0 5 * * *"}})
    web.post(f"{V1}/jobs/nightly/pause")
    web.post(f"{V1}/jobs", json=document("mine"))
    (folder / "base" / "jobs.yaml").write_text(f"{JOBS}  weekly:{JOBS.partition('nightly:')[2]}")
    found = body_of(web.get(f"{V1}/drift"))["drifted"]
    assert [(one["id"], one["kind"]) for one in found] == [
        ("mine", "undeclared"),
        ("nightly", "changed"),
        ("nightly", "paused"),
        ("weekly", "missing"),
    ]
    assert found[1]["fields"] == [
        {"field": "trigger.expression", "before": "0 2 * * *", "after": "0 5 * * *"}
    ]
    assert found[1]["changed_by"] == "api"


def test_a_reload_takes_up_what_the_files_say_now(web: FlaskClient, folder: Path) -> None:
    (folder / "base" / "jobs.yaml").write_text(JOBS.replace("nightly", "weekly"))
    (folder / "base" / "config.yaml").write_text("server: {port: 5999}\n")
    answer = web.post(f"{V1}/config/reload", json={})
    assert body_of(answer) == {"jobs": 1, "restart_needed": ["server.port"]}
    assert [job["id"] for job in body_of(web.get(f"{V1}/jobs"))["items"]] == ["weekly"]


def test_a_reload_of_faulty_files_changes_nothing(web: FlaskClient, folder: Path) -> None:
    bad = JOBS.replace("nightly", "weekly").replace("0 2 * * *", "61 2 * * *")
    (folder / "base" / "jobs.yaml").write_text(bad + bad.partition("jobs:\n")[2].replace("weekly", "yearly"))
    answer = web.post(f"{V1}/config/reload", json={})
    assert (answer.status_code, body_of(answer)["code"]) == (422, "CONFIG_ERROR")
    told = [fault["message"] for fault in body_of(answer)["errors"]]
    assert len(told) == 2 and "weekly" in told[0] and "yearly" in told[1]
    assert [job["id"] for job in body_of(web.get(f"{V1}/jobs"))["items"]] == ["nightly"]
