"""The first page."""

from flask.testing import FlaskClient

from cronzimus.common.db import Database
from tests.alerting import raised
from tests.web.pages import read


def test_the_house_at_a_glance(web: FlaskClient, hourly: str) -> None:
    main = read(web, "/").one("main")
    assert "1 active jobs" in main.text and "Nobody leads" in main.text
    assert "Nothing runs." in main.text and "Nothing went wrong." in main.text
    assert main.one("li", id="next-hourly").one("a").attributes["href"] == "/jobs/hourly"
    assert len(main.one("svg", **{"class": "bars"}).all("g")) == 24


def test_open_alerts_are_counted_and_lead_to_them(web: FlaskClient, database: Database) -> None:
    for number, (text, kind) in enumerate(
        [("0 alerts open", ""), ("1 alert open", "bad"), ("2 alerts open", "bad")]
    ):
        tile = read(web, "/").one("main").one("a", href="/alerts")
        assert tile.text == text
        assert [
            one.attributes["class"] for one in read(web, "/").all("li") if one.all("a", href="/alerts")
        ] == [kind]
        assert (web.get("/api/v1/overview").json or {})["open_alerts"] == number
        raised(database, f"job/a{number}")
    assert "alert" in read(web, "/").one("body").attributes["data-topics"].split()


def test_failures_are_told_without_secrets(web: FlaskClient, hourly: str, database: Database) -> None:
    web.post("/api/v1/jobs/hourly/run")
    database.execute(
        "UPDATE cronzimus.runs SET state = 'failed', ended_at = clock_timestamp(), started_at = queued_at,"
        """ error = '{"message": "<b>no</b> postgresql://u:hunter22@db/x"}'"""
    )
    page = web.get("/").text
    assert "&lt;b&gt;no&lt;/b&gt; postgresql://u:***@db/x" in page and "hunter22" not in page
