"""The jobs page."""

import pytest
from flask.testing import FlaskClient

from tests.api.fakes import document
from tests.web.pages import press, read


def add(web: FlaskClient, job_id: str, **changes: object) -> None:
    assert web.post("/api/v1/jobs", json=document(job_id, **changes)).status_code == 201


def names(web: FlaskClient, path: str) -> list[str]:
    return [
        row.all("a")[0].text for row in read(web, path).one("main").all("tr") if "data-row" in row.attributes
    ]


def test_a_job_is_shown_with_its_trigger_in_words(web: FlaskClient, hourly: str) -> None:
    row = read(web, "/jobs").one("tr", id="job-hourly")
    assert "Every hour" in row.text and "active" in row.text and "no run yet" in row.text
    assert len(row.all("time")) == 1


def test_the_last_runs_are_drawn(web: FlaskClient, hourly: str) -> None:
    for _ in range(3):
        web.post("/api/v1/jobs/hourly/run")
    row = read(web, "/jobs").one("tr", id="job-hourly")
    assert row.one("svg", role="img").attributes["aria-label"] == "Last 3 runs: 3 pending"
    assert len(row.one("svg", role="img").all("rect")) == 3


def test_filters_are_in_the_address(web: FlaskClient) -> None:
    add(web, "billing-a", tags=["billing"])
    add(web, "billing-b", tags=["billing"])
    add(web, "other")
    web.post("/api/v1/jobs/billing-b/pause")
    assert names(web, "/jobs") == ["billing-a", "billing-b", "other"]
    assert names(web, "/jobs?q=billing&status=&tag=") == ["billing-a", "billing-b"]
    assert names(web, "/jobs?tag=billing&status=paused") == ["billing-b"]
    assert names(web, "/jobs?limit=1&offset=1") == ["billing-b"]
    chosen = read(web, "/jobs?status=paused").one("select", name="status").all("option")
    assert [one.text for one in chosen if "selected" in one.attributes] == ["paused"]


def test_a_long_list_has_pages(web: FlaskClient) -> None:
    for number in range(3):
        add(web, f"job-{number}")
    paging = read(web, "/jobs?limit=1&offset=1").one("nav", **{"aria-label": "Pages of this list"})
    assert "2–2 of 3" in paging.text
    assert paging.one("a", rel="next").attributes["href"] == "/jobs?limit=1&offset=2"
    assert paging.one("a", rel="prev").attributes["href"] == "/jobs?limit=1&offset=0"


def test_a_wrong_filter_is_told(web: FlaskClient) -> None:
    answer = web.get("/jobs?status=sleepy", headers={"Accept": "text/html"})
    assert answer.status_code == 422 and "status" in answer.text and "<main" in answer.text


def test_a_job_is_paused_resumed_and_run_by_forms(web: FlaskClient, hourly: str) -> None:
    assert press(web, "/jobs", "/jobs/hourly/pause").status_code == 303
    assert "paused" in read(web, "/jobs").one("tr", id="job-hourly").text
    assert press(web, "/jobs", "/jobs/hourly/resume").status_code == 303
    assert press(web, "/jobs", "/jobs/hourly/run").status_code == 303
    assert (web.get("/api/v1/runs?job_id=hourly").json or {})["total"] == 1


def test_names_with_html_are_escaped(web: FlaskClient) -> None:
    page = read(web, "/jobs?q=%3Cscript%3Ealert(1)%3C/script%3E")
    assert page.one("input", name="q").attributes["value"] == "<script>alert(1)</script>"
    assert page.one("main").all("script") == []


def test_an_empty_house_says_so(web: FlaskClient) -> None:
    assert "No job matches." in read(web, "/jobs").one("main").text


def boxes(web: FlaskClient, path: str) -> list[str]:
    return [one.attributes["value"] for one in read(web, path).all("input", name="id", form="batch")]


def act(web: FlaskClient, path: str, action: str, ids: list[str], **values: str) -> str:
    """Send the form of the page; what it said."""
    form = read(web, path).one("form", id="batch")
    fields = {
        one.attributes["name"]: one.attributes.get("value", "") for one in form.all("input", type="hidden")
    }
    answer = web.post("/jobs", data={**fields, "id": ids, "action": action, **values})
    assert answer.status_code == 303, answer.text
    return read(web, answer.headers["Location"]).one("div", id="toasts").text


def test_ten_jobs_are_paused_at_once(web: FlaskClient) -> None:
    for number in range(12):
        add(web, f"job-{number:02}")
    chosen = boxes(web, "/jobs")[:10]
    assert act(web, "/jobs", "pause", chosen) == "Paused 10 of 10 jobs"
    assert names(web, "/jobs?status=paused") == chosen
    assert act(web, "/jobs", "resume", chosen[:1]) == "Resumed 1 of 1 jobs"


def test_everything_that_matches_is_acted_on(web: FlaskClient) -> None:
    for number in range(3):
        add(web, f"bill-{number}", tags=["bill"])
    add(web, "other")
    assert act(web, "/jobs?tag=bill&limit=1", "pause", [], all="1") == "Paused 3 of 3 jobs"
    assert names(web, "/jobs?status=active") == ["other"]


def test_what_was_refused_is_said(web: FlaskClient, hourly: str) -> None:
    web.post("/api/v1/jobs/hourly/pause")
    said = act(web, "/jobs", "run", ["hourly", "gone"])
    assert (
        said.startswith("Started 0 of 2 jobs; hourly: job 'hourly' is paused")
        and "gone: there is no job" in said
    )


def test_another_number_than_was_shown_is_not_acted_on(web: FlaskClient, hourly: str) -> None:
    form = read(web, "/jobs").one("form", id="batch")
    fields = {
        one.attributes["name"]: one.attributes.get("value", "") for one in form.all("input", type="hidden")
    }
    add(web, "newcomer")
    answer = web.post(
        "/jobs", data={**fields, "all": "1", "action": "delete"}, headers={"Accept": "text/html"}
    )
    assert answer.status_code == 409 and "2 jobs match now, not 1" in answer.text
    assert names(web, "/jobs") == ["hourly", "newcomer"]


@pytest.mark.parametrize("action", ["", "explode"])
def test_an_unknown_action_is_refused(web: FlaskClient, hourly: str, action: str) -> None:
    form = read(web, "/jobs").one("form", id="batch")
    token = form.one("input", name="csrf_token").attributes["value"]
    assert web.post("/jobs", data={"csrf_token": token, "id": "hourly", "action": action}).status_code == 422
