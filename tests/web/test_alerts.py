"""What is wrong, and what people do about it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cronzimus.common.db import Database
from cronzimus.house import House
from cronzimus.models.alert import Alert
from cronzimus.utils.ids import new_id
from tests.alerting import raised
from tests.web.pages import Element, press, read
from tests.web.test_web import CLOSED


def rows(web: FlaskClient, path: str = "/alerts") -> dict[str, Element]:
    """The rows of the list by what they tell."""
    found = [row for row in read(web, path).one("main").all("tr") if "data-row" in row.attributes]
    return {row.one("th").text: row for row in found}


def alert(house: House, alert_id: object) -> Alert:
    (found,) = [one for one in house.operating.telling.alerts.list().items if one.id == alert_id]
    return found


def test_what_is_wrong_is_listed(web: FlaskClient, hourly: str, database: Database) -> None:
    alert_id = raised(database, summary="hourly failed: no rows", severity="critical", occurrences=3)
    row = rows(web)["hourly failed: no rows"]
    assert row.one("th").one("a").attributes["href"] == f"/alerts/{alert_id}"
    assert row.one("td", **{"data-name": "About"}).one("a").attributes["href"] == "/jobs/hourly"
    assert [row.one("td", **{"data-name": name}).text for name in ("Severity", "Rule", "Times", "State")] == [
        "critical",
        "jobs-fail",
        "3",
        "open",
    ]
    assert row.one("td", **{"data-name": "Since"}).one("time").attributes["data-show"] == "ago"


@pytest.mark.parametrize(
    ("subject", "href"), [("queue/slow", "/runs?state=pending"), ("scheduler", "/workers")]
)
def test_an_alert_leads_to_what_it_is_about(
    web: FlaskClient, database: Database, subject: str, href: str
) -> None:
    raised(database, subject)
    about = rows(web)[f"{subject} failed"].one("td", **{"data-name": "About"})
    assert (about.text, about.one("a").attributes["href"]) == (subject, href)


def test_an_alert_of_a_run_leads_to_the_run(web: FlaskClient, database: Database) -> None:
    run_id = new_id()
    alert_id = raised(database, f"run/{run_id}", job_id="hourly", run_id=run_id)
    for page in (rows(web)[f"run/{run_id} failed"], read(web, f"/alerts/{alert_id}").one("main")):
        assert [one.attributes["href"] for one in page.all("a", **{"class": "run"})] == [f"/runs/{run_id}"]
        assert page.one("a", **{"class": "job"}).attributes["href"] == "/jobs/hourly"


def test_the_address_says_which(web: FlaskClient, database: Database) -> None:
    raised(database, "job/a")
    raised(database, "job/b", resolution="it succeeded", severity="info")
    raised(database, "job/c", rule_id="other")
    assert [*rows(web)] == ["job/c failed", "job/a failed"]
    assert [*rows(web, "/alerts?all=true")] == ["job/c failed", "job/b failed", "job/a failed"]
    assert [*rows(web, "/alerts?state=resolved")] == ["job/b failed"]
    assert [*rows(web, "/alerts?all=true&severity=info")] == ["job/b failed"]
    assert [*rows(web, "/alerts?rule_id=other")] == ["job/c failed"]
    assert [*rows(web, "/alerts?job_id=a")] == ["job/a failed"]
    assert web.get("/alerts?state=closed").status_code == 422


def test_a_filter_stays_while_one_looks_at_another_list(web: FlaskClient, database: Database) -> None:
    raised(database)
    page = read(web, "/alerts?rule_id=jobs-fail&all=true&limit=1")
    lists = page.one("nav", **{"aria-label": "Which alerts"})
    assert lists.one("a", **{"aria-current": "true"}).text == "all"
    assert [one.attributes["href"] for one in lists.all("a")] == [
        "/alerts?rule_id=jobs-fail",
        "/alerts?rule_id=jobs-fail&state=resolved",
        "/alerts?rule_id=jobs-fail&all=true",
    ]
    assert page.one("form", role="search").one("input", name="all").attributes["value"] == "true"
    twin = page.one("link", rel="alternate", type="application/json").attributes["href"]
    assert twin == "/api/v1/alerts?limit=1&offset=0&rule_id=jobs-fail"


def test_the_twin_shows_the_same(web: FlaskClient, database: Database) -> None:
    raised(database, resolution="it succeeded")
    open_id = raised(database)
    twin = read(web, "/alerts").one("link", rel="alternate", type="application/json").attributes["href"]
    assert [one["id"] for one in (web.get(twin).json or {})["items"]] == [str(open_id)]


def test_long_lists_have_pages(web: FlaskClient, database: Database) -> None:
    for number in range(3):
        raised(database, f"job/a{number}")
    page = read(web, "/alerts?limit=2")
    following = page.one("a", rel="next").attributes["href"]
    assert [*rows(web, following)] == ["job/a0 failed"]
    assert "2–" not in read(web, "/alerts?limit=3").text


def test_nothing_is_wrong(web: FlaskClient, database: Database) -> None:
    assert "Nothing is wrong." in read(web, "/alerts").text
    assert "No alert matches." in read(web, "/alerts?job_id=a").text
    assert "Nothing was wrong." in read(web, "/alerts?all=true").text


def test_somebody_takes_care(web: FlaskClient, house: House, database: Database) -> None:
    alert_id = raised(database)
    action = f"/alerts/{alert_id}/acknowledge"
    answer = press(web, "/alerts", action)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/alerts")
    assert alert(house, alert_id).acknowledged_by == "api"
    row = rows(web)["job/hourly failed"]
    assert "api takes care" in row.text and row.all("form", action=action) == []
    audited = house.operating.audit.list(target=f"alert/{alert_id}").items
    assert [(one.action, one.actor, one.door) for one in audited] == [("alert.acknowledge", "api", "web")]


def test_silence_lasts_as_long_as_chosen_and_can_end(
    web: FlaskClient, house: House, database: Database
) -> None:
    alert_id = raised(database)
    action = f"/alerts/{alert_id}/silence"
    form = rows(web)["job/hourly failed"].one("form", action=action)
    assert [one.attributes["value"] for one in form.all("option")] == ["1h", "8h", "24h", "72h", "168h"]
    assert press(web, f"/alerts/{alert_id}", action, length="8h").headers["Location"] == f"/alerts/{alert_id}"
    until = alert(house, alert_id).silenced_until
    assert until is not None and abs(until - datetime.now(UTC) - timedelta(hours=8)) < timedelta(minutes=1)
    row = rows(web)["job/hourly failed"]
    assert "silenced, ends" in row.text and row.one("form", action=action).one("button").text == "Tell again"
    press(web, "/alerts", action)
    assert alert(house, alert_id).silenced_until is None


def test_who_changed_an_alert_is_where_they_were(web: FlaskClient, database: Database) -> None:
    path, alert_id = "/alerts?rule_id=jobs-fail&limit=5", raised(database)
    for action, values in (("acknowledge", {}), ("silence", {"length": "1h"})):
        assert press(web, path, f"/alerts/{alert_id}/{action}", **values).headers["Location"] == path


def test_a_silence_that_is_over_is_none(web: FlaskClient, database: Database) -> None:
    raised(database)
    database.execute("UPDATE cronzimus.alerts SET silenced_until = clock_timestamp() - interval '1 second'")
    row = rows(web)["job/hourly failed"]
    assert "silenced" not in row.text and row.all("button")[-1].text == "Silence"


def test_another_length_is_refused(web: FlaskClient, house: House, database: Database) -> None:
    alert_id = raised(database)
    assert press(web, "/alerts", f"/alerts/{alert_id}/silence", length="1y").status_code == 422
    assert alert(house, alert_id).silenced_until is None


def test_what_is_over_is_left_alone(web: FlaskClient, database: Database) -> None:
    open_id = raised(database)
    alert_id = raised(database, resolution="run 7 succeeded")
    page = read(web, f"/alerts/{alert_id}").one("main")
    assert "resolved" in page.text and "run 7 succeeded" in page.text
    assert page.all("form", method="post") == []
    form = read(web, "/alerts").one("form", action=f"/alerts/{open_id}/acknowledge")
    token = form.one("input", name="csrf_token").attributes["value"]
    answer = web.post(
        f"/alerts/{alert_id}/acknowledge", data={"csrf_token": token}, headers={"Accept": "text/html"}
    )
    assert answer.status_code == 409 and "is over already" in answer.text


def test_an_alert_shows_what_was_sent(web: FlaskClient, database: Database) -> None:
    alert_id = raised(database)
    assert "Nobody was told of it." in read(web, f"/alerts/{alert_id}").text
    database.execute(
        "INSERT INTO cronzimus.notifications (alert_id, channel, kind, attempts, delivered_at, failed_at, error)"
        " VALUES (%(id)s, 'ops', 'raised', 1, clock_timestamp(), NULL, NULL),"
        " (%(id)s, 'mail', 'raised', 4, NULL, NULL, '<b>refused</b> smtp://u:hunter22@mail'),"
        " (%(id)s, 'gone', 'raised', 9, NULL, clock_timestamp(), 'no such host')",
        {"id": alert_id},
    )
    table = read(web, f"/alerts/{alert_id}").one("section", **{"aria-labelledby": "sent-title"})
    sent = {row.one("th").text: row for row in table.one("tbody").all("tr")}
    assert {
        name: (row.all("span")[0].text, row.one("td", **{"data-name": "Attempts"}).text)
        for name, row in sent.items()
    } == {"gone": ("failed", "9"), "mail": ("waiting", "4"), "ops": ("delivered", "1")}
    assert sent["mail"].one("td", **{"data-name": "Last error"}).text == "<b>refused</b> smtp://u:***@mail"
    assert sent["mail"].one("time", **{"data-show": "in"})


def test_a_summary_is_text_without_secrets(web: FlaskClient, database: Database) -> None:
    alert_id = raised(database, summary="<i>no</i> postgresql://u:hunter22@db/x")
    for path in ("/alerts", f"/alerts/{alert_id}"):
        page = web.get(path).text
        assert "&lt;i&gt;no&lt;/i&gt; postgresql://u:***@db/x" in page and "hunter22" not in page


@pytest.mark.parametrize("path", ["/alerts/nightly", "/alerts/00000000-0000-7000-8000-000000000000"])
def test_what_is_not_there_is_not_found(web: FlaskClient, path: str) -> None:
    assert web.get(path, headers={"Accept": "text/html"}).status_code == 404


def test_forged_forms_are_refused(web: FlaskClient, house: House, database: Database) -> None:
    alert_id = raised(database)
    for verb in ("acknowledge", "silence"):
        assert web.post(f"/alerts/{alert_id}/{verb}").status_code == 403
    assert alert(house, alert_id).acknowledged_by is None


def test_who_reads_changes_nothing_and_who_operates_may(
    site: Callable[..., Flask], database: Database
) -> None:
    web = site(**CLOSED).test_client()
    alert_id = raised(database)
    for verb in ("acknowledge", "silence"):
        path = f"/alerts/{alert_id}/{verb}"
        assert web.post(path, headers={"Authorization": "Bearer read-key"}).status_code == 403
    page = read(web, "/alerts", headers={"Authorization": "Bearer operate-key"})
    assert len(page.one("main").all("form", method="post")) == 2


def test_the_navigation_leads_here_and_the_page_is_live(web: FlaskClient, database: Database) -> None:
    alert_id = raised(database)
    page = read(web, "/alerts")
    entry = page.one("nav", **{"aria-label": "Pages"}).one("a", href="/alerts")
    assert entry.attributes["aria-current"] == "page" and entry.attributes["data-go"] == "e"
    assert page.one("body").attributes["data-topics"] == "alert"
    assert page.one("span", **{"data-state": f"alert/{alert_id}"}).text == "open"
    assert read(web, f"/alerts/{alert_id}").one("body").attributes["data-job"] == "hourly"
