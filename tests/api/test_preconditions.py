"""Tags and conditions: 304 only for the same answer, 412 for a version that has gone."""

import pytest
from flask.testing import FlaskClient

from tests.api.fakes import document

JOB = "/api/v1/jobs/hourly"


@pytest.fixture(autouse=True)
def job(web: FlaskClient) -> None:
    """One job."""
    web.post("/api/v1/jobs", json=document())


def test_the_same_answer_is_not_sent_twice(web: FlaskClient) -> None:
    tag = web.get(JOB).headers["ETag"]
    again = web.get(JOB, headers={"If-None-Match": tag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    assert web.get(JOB, headers={"If-None-Match": '"1"'}).status_code == 200


def test_a_state_that_changed_is_another_answer_of_the_same_version(web: FlaskClient) -> None:
    tag = web.get(JOB).headers["ETag"]
    web.post(f"{JOB}/pause")
    again = web.get(JOB, headers={"If-None-Match": tag})
    assert again.status_code == 200 and again.json["version"] == 1 and again.headers["ETag"] != tag


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_pause_and_resume_honour_if_match(web: FlaskClient, verb: str) -> None:
    tag = web.get(JOB).headers["ETag"]
    assert web.post(f"{JOB}/{verb}", headers={"If-Match": tag}).status_code == 200
    assert web.post(f"{JOB}/{verb}", headers={"If-Match": '"7"'}).status_code == 412
    assert web.post(f"{JOB}/{verb}", headers={"If-Match": "*"}).status_code == 200


def test_delete_honours_if_match(web: FlaskClient) -> None:
    assert web.delete(JOB, headers={"If-Match": '"7"'}).status_code == 412
    assert web.delete(JOB, headers={"If-Match": '"1"'}).status_code == 204
