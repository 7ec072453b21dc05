"""Versions over HTTP: what differs, and the way back."""

import pytest
from flask.testing import FlaskClient

from tests.api.fakes import document

JOB = "/api/v1/jobs/hourly"


@pytest.fixture(autouse=True)
def versions(web: FlaskClient) -> None:
    """A job that was changed once."""
    web.post("/api/v1/jobs", json=document(description="first"))
    web.put(JOB, json=document(description="second", policy={"timeout": 5}))


def test_a_diff_names_the_fields(web: FlaskClient) -> None:
    found = web.get(f"{JOB}/versions/1/diff/2").json
    changes = {change["path"]: (change["before"], change["after"]) for change in found["changes"]}
    assert changes == {"description": ("first", "second"), "policy.timeout": (None, 5.0)}
    assert web.get(f"{JOB}/versions/2/diff/2").json["changes"] == []


def test_restore_makes_a_new_version_of_an_old_definition(web: FlaskClient) -> None:
    answer = web.post(f"{JOB}/versions/1/restore", headers={"If-Match": '"2"'})
    assert (answer.status_code, answer.json["version"], answer.json["description"]) == (200, 3, "first")
    assert answer.headers["ETag"] == '"3"'
    assert web.post(f"{JOB}/versions/2/restore", headers={"If-Match": '"2"'}).status_code == 412


def test_a_removed_job_comes_back(web: FlaskClient) -> None:
    assert web.delete(JOB).status_code == 204
    refused = web.post(f"{JOB}/versions/3/restore")
    assert (refused.status_code, refused.json["code"]) == (409, "NOTHING_TO_RESTORE")
    assert web.post(f"{JOB}/versions/2/restore").status_code == 201
    assert web.get(JOB).json["description"] == "second"


@pytest.mark.parametrize("path", [f"{JOB}/versions/9/diff/1", "/api/v1/jobs/nobody/versions/1/diff/1"])
def test_what_never_was_is_not_found(web: FlaskClient, path: str) -> None:
    assert web.get(path).status_code == 404


def test_versions_are_listed(web: FlaskClient) -> None:
    assert [item["version"] for item in web.get(f"{JOB}/versions?limit=1&offset=1").json["items"]] == [2]
