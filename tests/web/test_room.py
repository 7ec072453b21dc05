"""Drawn whole or in part, and once for many."""

from datetime import UTC, datetime

from flask.testing import FlaskClient

from cronzimus.web.room import PART, address
from tests.web.pages import Page


def test_who_has_the_page_gets_only_what_changes(web: FlaskClient, hourly: str) -> None:
    answer = web.get("/jobs", headers={PART: "1"})
    part = Page(answer.text).root
    assert [one.tag for one in part.children] == ["main"] and part.one("tr", id="job-hourly")
    assert part.one("form", action="/jobs/hourly/pause").one("input", name="csrf_token").attributes["value"]


def test_a_part_that_is_as_it_was_is_not_sent_again(web: FlaskClient, hourly: str) -> None:
    first = web.get("/jobs", headers={PART: "1"})
    etag = {"If-None-Match": first.headers["ETag"]}
    assert web.get("/jobs", headers={PART: "1", **etag}).status_code == 304
    web.post("/api/v1/jobs/hourly/pause")
    again = web.get("/jobs", headers={PART: "1", **etag})
    assert again.status_code == 200 and again.headers["ETag"] != first.headers["ETag"]


def test_a_page_names_what_changes_it(web: FlaskClient) -> None:
    body = Page(web.get("/jobs").text).root.one("body")
    assert body.attributes["data-topics"] == "job run" and body.attributes["data-job"] == ""


def test_address_leaves_out_what_says_nothing() -> None:
    assert address("/jobs", q="a b", status=None, tag="", offset=0) == "/jobs?q=a+b&offset=0"
    assert (
        address("/jobs", since=datetime(2026, 1, 1, tzinfo=UTC))
        == "/jobs?since=2026-01-01T00%3A00%3A00%2B00%3A00"
    )
    assert address("/jobs") == "/jobs"


def test_a_page_whose_thing_is_gone_shows_that(web: FlaskClient, hourly: str) -> None:
    web.delete("/api/v1/jobs/hourly")
    answer = web.get("/jobs/hourly", headers={PART: "1", "Accept": "text/html"})
    assert answer.status_code == 200 and "there is no job" in Page(answer.text).root.one("main").text


def test_a_page_stays_as_it_is_while_the_house_is_away(web: FlaskClient) -> None:
    web.application.extensions.pop("cronzimus")
    answer = web.get("/jobs", headers={PART: "1", "Accept": "text/html"})
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
