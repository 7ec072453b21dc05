"""Being told, in a real browser: what goes wrong is seen at once, and what people do about it too."""

from typing import Any

import pytest
from playwright.sync_api import expect

from cronzimus.models.alert_rule import Rule
from cronzimus.models.job import JobDefinition
from tests.heart import definition, until
from tests.web.browser.conftest import Served, Visit

TELLING = ["/alerts", "/alerts/rules", "/alerts/channels"]


def a_job(job_id: str) -> JobDefinition:
    return definition(job_id, trigger={"type": "cron", "expression": "0 0 1 1 *"})


def a_rule(served: Served, when: Any, rule_id: str = "long-pauses") -> None:
    rule = Rule.model_validate({"id": rule_id, "when": when, "severity": "critical", "channels": ["ops"]})
    served.house.operating.telling.rules.add(rule, by="test")


def a_pause(served: Served, job_id: str) -> str:
    """Something that is wrong until the job is resumed; the id of its alert."""
    served.house.timetable.pause(job_id, by="test")
    telling = served.house.operating.telling

    def is_seen() -> bool:
        telling.watch.look()
        return telling.alerts.list(state="open", job_id=job_id).total == 1

    until(is_seen)
    return str(telling.alerts.list(state="open", job_id=job_id).items[0].id)


@pytest.fixture(autouse=True)
def watched_jobs(served: Served) -> None:
    """Two jobs that must not be paused."""
    for job_id in ("a", "a-job-with-a-name-that-needs-some-room"):
        served.house.timetable.add(a_job(job_id), by="test")
    a_rule(served, {"paused_longer_than": 0.1})


def test_what_goes_wrong_is_seen_and_cared_for_without_a_reload(visit: Visit, served: Served) -> None:
    page = visit.go("/alerts")
    expect(page.locator("main")).to_contain_text("Nothing is wrong.")
    alert_id = a_pause(served, "a")
    row = page.locator(f"#alert-{alert_id}")
    expect(row).to_contain_text("a has been paused")
    row.get_by_role("button", name="Acknowledge").click()
    expect(page.locator(".toast")).to_have_text("api takes care of job/a")
    expect(row).to_contain_text("api takes care")
    expect(row.get_by_role("button", name="Acknowledge")).to_have_count(0)
    row.get_by_label("How long job/a is silenced").select_option("8 hours")
    row.get_by_role("button", name="Silence").click()
    expect(row).to_contain_text("silenced, ends in 7 h")
    row.get_by_role("button", name="Tell again").click()
    expect(row.get_by_role("button", name="Silence")).to_be_visible()
    expect(row).not_to_contain_text("silenced, ends")
    served.house.timetable.resume("a", by="test")
    served.house.operating.telling.watch.look()
    expect(page.locator("main")).to_contain_text("Nothing is wrong.")


def test_the_overview_counts_what_is_wrong_without_a_reload(visit: Visit, served: Served) -> None:
    page = visit.go("/")
    tile = page.locator(".tiles li", has_text="open")
    expect(tile).to_have_text("0 alerts open")
    expect(page.locator(".tiles .bad")).to_have_count(0)
    a_pause(served, "a")
    expect(tile).to_have_text("1 alert open")
    expect(page.locator(".tiles .bad")).to_have_text("1 alert open")
    tile.get_by_role("link").click()
    expect(page).to_have_url(f"{visit.url}/alerts")


def test_nobody_stumbles_over_what_is_wrong(visit: Visit, served: Served) -> None:
    alert_id = a_pause(served, "a-job-with-a-name-that-needs-some-room")
    until(lambda: served.house.operating.telling.courier.list(state="delivered").total == 1)
    for path in (*TELLING, f"/alerts/{alert_id}"):
        page = visit.go(path)
        expect(page.locator("main tr[data-row]").first).to_be_visible()
        assert visit.breaches() == []
        width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert width <= 0, f"{path} is wider than the window"


def test_an_alert_shows_by_itself_that_its_message_arrived(visit: Visit, served: Served) -> None:
    alert_id = a_pause(served, "a")
    page = visit.go(f"/alerts/{alert_id}")
    expect(page.locator("[aria-labelledby=sent-title] tbody tr")).to_contain_text("delivered")


def test_a_rule_is_made_in_the_form_and_taken_away(visit: Visit, served: Served) -> None:
    page = visit.go("/alerts/rules")
    page.get_by_role("link", name="New rule").click()
    page.get_by_label("Id").fill("late")
    page.get_by_label("When", exact=True).select_option("not_finished_by")
    page.get_by_label("How long, how many, or by when").fill("half past six")
    page.get_by_label("ops").check()
    page.get_by_role("button", name="Make the rule").click()
    expect(page.locator("#value-note")).to_contain_text("must be a time of day such as 06:30")
    assert visit.breaches() == []
    visit.allowed = {"422"}
    expect(page.get_by_label("ops")).to_be_checked()
    page.get_by_label("How long, how many, or by when").fill("06:30")
    page.get_by_role("button", name="Make the rule").click()
    expect(page).to_have_url(f"{visit.url}/alerts/rules")
    row = page.locator("#rule-late")
    expect(row).to_contain_text("no run succeeded by 06:30")
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Yes").click()
    expect(row).to_have_count(0)
    assert [rule.id for rule in served.house.operating.telling.rules.list().items] == ["long-pauses"]


def test_a_channel_is_tested(visit: Visit, served: Served) -> None:
    page = visit.go("/alerts/channels")
    page.locator("#channel-ops").get_by_role("button").click()
    expect(page.locator(".toast")).to_have_text("ops took the test message")
    expect(page.locator("#outbox tbody tr")).to_contain_text("Test of channel ops")
    assert served.house.operating.telling.courier.list(state="delivered").total == 1


def test_keys_lead_to_the_alerts_and_open_one(visit: Visit, served: Served) -> None:
    alert_id = a_pause(served, "a")
    page = visit.go("/")
    page.keyboard.press("g")
    page.keyboard.press("e")
    expect(page).to_have_url(f"{visit.url}/alerts")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{visit.url}/alerts/{alert_id}")
