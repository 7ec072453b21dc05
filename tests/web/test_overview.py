"""The first page."""

from flask.testing import FlaskClient

from cronzimus.common.db import Database
from tests.web.pages import read


def test_the_house_at_a_glance(web: FlaskClient, hourly: str) -> None:
    main = read(web, "/").one("main")
    assert "1 active jobs" in main.text and "Nobody leads" in main.text
    assert "Nothing runs." in main.text and "Nothing went wrong." in main.text
    assert main.one("li", id="next-hourly").one("a").attributes["href"] == "/jobs/hourly"
    assert len(main.one("svg", **{"class": "bars"}).all("g")) == 24


def test_failures_are_told_without_secrets(web: FlaskClient, hourly: str, database: Database) -> None:
    web.post("/api/v1/jobs/hourly/run")
    database.execute(
        "UPDATE cronzimus.runs SET state = 'failed', ended_at = clock_timestamp(), started_at = queued_at,"
        """ error = '{"message": "<b>no</b> postgresql://u:hunter22@db/x"}'"""
    )
    page = web.get("/").text
    assert "&lt;b&gt;no&lt;/b&gt; postgresql://u:***@db/x" in page and "hunter22" not in page
