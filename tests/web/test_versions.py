"""The versions of a job: what changed, and the way back."""

import pytest
from flask.testing import FlaskClient

from cronzimus.house import House
from tests.api.fakes import document
from tests.web.pages import press, read

FIRST = "/jobs/hourly/versions/1"


@pytest.fixture
def changed(web: FlaskClient, hourly: str) -> str:
    """A job that was changed once."""
    answer = web.put("/api/v1/jobs/hourly", json=document("hourly", description="new <words>", queue="slow"))
    assert answer.status_code == 200
    return hourly


def changes(web: FlaskClient, path: str) -> dict[str, tuple[str, str]]:
    section = read(web, path).one("section", **{"aria-labelledby": "changes-title"})
    return {
        row.one("th").text: (row.one("del").text, row.one("ins").text)
        for row in section.one("tbody").all("tr")
    }


def test_a_version_shows_what_it_changed(web: FlaskClient, changed: str) -> None:
    assert changes(web, "/jobs/hourly/versions/2") == {
        "description": ('""', '"new <words>"'),
        "queue": ('"default"', '"slow"'),
    }
    assert changes(web, "/jobs/hourly/versions/2?to=1") == changes(web, "/jobs/hourly/versions/2")
    assert changes(web, f"{FIRST}?to=2")["queue"] == ('"slow"', '"default"')
    assert changes(web, FIRST)["id"] == ("", '"hourly"')


def test_the_list_leads_to_each_version(web: FlaskClient, changed: str) -> None:
    section = read(web, "/jobs/hourly").one("section", **{"aria-labelledby": "versions-title"})
    assert [one.attributes["href"] for one in section.all("a")] == ["/jobs/hourly/versions/2", FIRST]
    assert "replace" in section.text and "api" in section.text


def test_a_definition_is_rolled_back(web: FlaskClient, house: House, changed: str) -> None:
    answer = press(web, FIRST, f"{FIRST}/restore")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/jobs/hourly")
    job = house.timetable.get("hourly")
    assert (job.version, job.definition["queue"], job.definition["description"]) == (3, "default", "")
    assert "version 1 again" in read(web, "/jobs/hourly").one("div", id="toasts").text


def test_the_last_version_is_not_offered(web: FlaskClient, changed: str) -> None:
    assert read(web, "/jobs/hourly/versions/2").one("main").all("form", method="post") == []


def test_a_version_without_a_definition_cannot_be_gone_back_to(web: FlaskClient, changed: str) -> None:
    web.delete("/api/v1/jobs/hourly")
    page = read(web, "/jobs/hourly/versions/3")
    assert "The job was deleted." in page.text and page.one("main").all("form", method="post") == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/jobs/hourly/versions/9", 404),
        ("/jobs/none/versions/1", 404),
        (f"{FIRST}?to=9", 404),
        ("/jobs/hourly/versions/x", 422),
    ],
)
def test_what_is_not_there_is_not_found(web: FlaskClient, hourly: str, path: str, status: int) -> None:
    assert web.get(path, headers={"Accept": "text/html"}).status_code == status
