"""The pages in a real browser: live, by keyboard, for everybody, and silent in the console."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from cronzimus.models.access import Role
from cronzimus.models.backfill import BackfillRequest
from cronzimus.models.blackout import HouseBlackout
from cronzimus.models.calendar import Calendar
from cronzimus.models.job import JobDefinition
from tests.alerting import raised
from tests.heart import definition
from tests.web.browser.conftest import Served, Visit

YEARLY = {"type": "cron", "expression": "0 0 1 1 *"}
FILLED = "from=2024-12-31T00:00Z&to=2026-01-02T00:00Z&outcomes=missing&max_running=1"
ALERT = "0199c2a4-5d10-7000-8000-0000000000a2"
PAGES = [
    "/",
    "/jobs",
    "/jobs/new",
    "/jobs/a",
    "/jobs/a/edit",
    "/jobs/a/run",
    f"/jobs/a/backfill?{FILLED}",
    "/backfills",
    "/calendars",
    "/calendars/new",
    "/calendars/ours/edit",
    "/blackouts/new",
    "/blackouts/night/edit",
    "/jobs/a/versions/1",
    "/runs",
    "/timeline",
    "/queues",
    "/workers",
    "/tokens",
    "/audit",
    "/alerts",
    f"/alerts/{ALERT}",
    "/alerts/rules",
    "/alerts/rules/new",
    "/alerts/channels",
]


def a_job(job_id: str = "a", **more: Any) -> JobDefinition:
    return definition(job_id, **{"trigger": YEARLY, **more})


@pytest.fixture(autouse=True)
def known_job(served: Served) -> None:
    """A job on every page, with a past; a calendar and a blackout."""
    served.house.timetable.add(a_job(tags=["billing"], description="What is due"), by="test")
    served.house.runs.trigger("a", by="test")
    days = {"weekdays": ["sat", "sun"], "days": ["12-24"], "countries": [{"country": "DE"}]}
    served.house.operating.calendars.add(Calendar.model_validate({"id": "ours", **days}), by="test")
    night = {"id": "night", "start": "22:00", "end": "06:00", "tags": ["billing"], "reason": "Backups"}
    served.house.operating.slot_pools.define("db", 5, by="test", description="The replica")
    served.house.operating.blackouts.add(HouseBlackout.model_validate(night), by="test")
    raised(served.house.database, "job/a", id=ALERT, resolution="it succeeded")


def test_nobody_stumbles(visit: Visit) -> None:
    for path in PAGES:
        nobody_stumbles_on(visit, path)


def test_nobody_stumbles_where_there_is_nothing(visit: Visit) -> None:
    visit.allowed = {"404"}
    nobody_stumbles_on(visit, "/nothing-here")


def nobody_stumbles_on(visit: Visit, path: str) -> None:
    visit.page.goto(f"{visit.url}{path}")
    expect(visit.page.locator("main h1"), path).to_have_count(1)
    assert visit.breaches() == [], path
    width = visit.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert width <= 0, f"{path} is wider than the window"


def test_a_run_is_seen_without_a_reload(visit: Visit, served: Served) -> None:
    page = visit.go("/jobs")
    row = page.locator("#job-a")
    expect(row.get_by_role("img")).to_have_attribute("aria-label", "Last 1 runs: 1 success")
    served.house.runs.trigger("a", by="test")
    expect(row.get_by_role("img")).to_have_attribute("aria-label", "Last 2 runs: 2 success")


def test_a_new_job_is_seen_without_a_reload(visit: Visit, served: Served) -> None:
    page = visit.go("/jobs")
    served.house.timetable.add(a_job("b"), by="test")
    expect(page.locator("#job-b")).to_be_visible()
    served.house.timetable.remove("b", by="test")
    expect(page.locator("#job-b")).to_have_count(0)


def test_a_job_is_paused_by_keyboard(visit: Visit, served: Served) -> None:
    page = visit.go("/jobs")
    page.keyboard.press("j")
    expect(page.locator("#job-a")).to_be_focused()
    page.keyboard.press("p")
    expect(page.locator("#job-a .state").first).to_have_text("paused")
    expect(page.locator(".toast")).to_have_text("a is paused")
    assert served.house.timetable.get("a").status == "paused"
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{visit.url}/jobs/a")


def test_the_choice_of_a_whole_page_outlasts_what_happens_meanwhile(visit: Visit, served: Served) -> None:
    page = visit.go("/jobs")
    page.locator("[data-every=batch]").check()
    page.locator("#batch").get_by_role("button", name="Pause").click()
    served.house.timetable.replace(a_job(tags=["changed"]), by="test")
    expect(page.locator("#job-a")).to_contain_text("changed")
    page.get_by_role("button", name="Yes").click()
    expect(page.locator("#job-a .state").first).to_have_text("paused")


def test_keys_lead_to_pages_and_to_the_search(visit: Visit) -> None:
    page = visit.go("/")
    page.keyboard.press("g")
    page.keyboard.press("j")
    expect(page).to_have_url(f"{visit.url}/jobs")
    page.keyboard.press("/")
    expect(page.locator("[data-search]")).to_be_focused()
    page.keyboard.type("billing")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/jobs\?q=billing"))
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()


def test_a_job_is_deleted_only_after_asking(visit: Visit, served: Served) -> None:
    page = visit.go("/jobs/a")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#ask")).to_be_hidden()
    assert served.house.timetable.get("a").id == "a"
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Yes").click()
    expect(page).to_have_url(f"{visit.url}/jobs")
    expect(page.locator(".toast")).to_contain_text("a was deleted")


def test_a_definition_is_rolled_back(visit: Visit, served: Served) -> None:
    served.house.timetable.replace(a_job(queue="slow"), by="test")
    page = visit.go("/jobs/a/versions/1")
    page.get_by_role("button", name="Roll back to this version").click()
    page.get_by_role("button", name="Yes").click()
    expect(page).to_have_url(f"{visit.url}/jobs/a")
    expect(page.locator(".toast")).to_contain_text("as in version 1 again")
    assert served.house.timetable.get("a").definition["queue"] == "default"


def test_times_are_local_and_tell_utc(visit: Visit) -> None:
    page = visit.go("/jobs/a")
    moment = page.locator("[aria-labelledby=versions-title] time").first
    expect(moment).to_have_attribute("title", re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC · "))
    expect(moment).not_to_contain_text("UTC")


def test_a_backfill_is_begun_and_watched(visit: Visit, served: Served) -> None:
    page = visit.go("/jobs/a")
    page.get_by_role("link", name="Backfill", exact=True).click()
    page.get_by_label("From").fill("2024-12-31T00:00Z")
    page.get_by_label("To").fill("2026-01-02T00:00Z")
    page.get_by_role("button", name="Dry run").click()
    expect(page.locator("#estimate tbody tr")).to_have_count(2)
    assert visit.breaches() == [] and served.house.operating.backfills.list().total == 0
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("main h1")).to_contain_text("Backfill of a")
    expect(page.locator("main h1 .state")).to_have_text("done")
    expect(page.locator("#instants .state")).to_have_text(["success", "success"])
    assert visit.breaches() == []
    page.goto(f"{visit.url}/backfills")
    expect(page.get_by_role("img", name="Of 2 instants 2 done")).to_be_visible()
    assert visit.breaches() == []


def test_a_backfill_is_paused_by_keyboard(visit: Visit, served: Served) -> None:
    asked = {"job_id": "a", "from": "2022-01-01T00:00Z", "to": "2026-01-02T00:00Z"}
    backfill = served.house.operating.backfills.start(BackfillRequest.model_validate(asked), by="test")
    served.house.operating.backfills.pause(backfill.id, by="test")
    page = visit.go("/backfills")
    page.keyboard.press("j")
    page.keyboard.press("p")
    expect(page.locator(".toast")).to_have_text("The backfill of a goes on")
    expect(page.locator("tbody .state")).to_have_text("done")


def test_time_off_is_seen_without_a_reload(visit: Visit, served: Served) -> None:
    page = visit.go("/calendars")
    expect(page.locator("#calendar-ours")).to_contain_text("1 own date")
    served.house.operating.blackouts.remove("night", by="test")
    expect(page.locator("#blackout-night")).to_have_count(0)


def test_a_calendar_is_made_and_what_was_mistyped_stays(visit: Visit, served: Served) -> None:
    visit.allowed = {"422"}
    page = visit.go("/calendars")
    page.get_by_role("link", name="New calendar").click()
    page.get_by_label("Id", exact=True).fill("theirs")
    page.get_by_label("sun").check()
    page.get_by_label("Own days").fill("12-24 Eve\n24.12.")
    page.get_by_role("button", name="Make the calendar").click()
    expect(page.locator("#days-note")).to_contain_text("'24.12.' is no day")
    expect(page.get_by_label("sun")).to_be_checked()
    assert visit.breaches() == []
    page.get_by_label("Own days").fill("12-24 Eve")
    page.get_by_role("button", name="Make the calendar").click()
    expect(page).to_have_url(f"{visit.url}/calendars")
    expect(page.locator("#calendar-theirs")).to_contain_text("sun; 1 own date")
    page.get_by_role("button", name="Delete theirs").click()
    page.get_by_role("button", name="Yes").click()
    expect(page.locator("#calendar-theirs")).to_have_count(0)
    assert served.house.operating.calendars.list().total == 1


def test_durations_are_drawn(visit: Visit) -> None:
    page = visit.go("/jobs/a")
    expect(page.locator("[data-chart] canvas")).to_have_count(1)


def test_colours_are_chosen_and_kept(visit: Visit) -> None:
    page = visit.go("/")
    page.locator("#theme").click()
    page.locator("#theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 28)"
    page.goto(f"{visit.url}/jobs")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_chip_says_when_the_stream_is_gone_and_it_comes_back(visit: Visit, served: Served) -> None:
    visit.allowed = {"ERR_FAILED"}
    page = visit.go("/jobs")
    page.route("**/live?*", lambda route: route.abort())
    for watcher in tuple(served.house.operating.hub._watchers):
        watcher.end()
    expect(page.locator("#chip")).to_contain_text("reconnecting")
    served.house.timetable.add(a_job("b"), by="test")
    expect(page.locator("#job-b")).to_have_count(0)
    page.unroute("**/live?*")
    expect(page.locator("#chip")).to_have_text("live")
    expect(page.locator("#job-b")).to_be_visible()


def test_people_sign_in_and_out(visit: Visit, served: Served) -> None:
    served.house.operating.access.people.add(
        "ada", Role.OPERATOR, password="correct horse battery", by="test"
    )
    page = visit.page
    page.goto(f"{visit.url}/login?next=/jobs/a")
    assert visit.breaches() == []
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{visit.url}/jobs/a")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.get_by_role("button", name="Delete")).to_have_count(0)
    page.get_by_role("button", name="ada").click()
    expect(page).to_have_url(f"{visit.url}/login")


def test_what_is_being_typed_survives_a_change(visit: Visit, served: Served) -> None:
    page = visit.go("/jobs/a")
    field = page.get_by_label("Why did it run, or not, at")
    field.fill("2026-03-01")
    served.house.runs.trigger("a", by="test")
    expect(page.locator("[aria-labelledby=runs-title] tbody tr")).to_have_count(2)
    page.locator("h1").click()
    served.house.runs.trigger("a", by="test")
    expect(page.locator("[aria-labelledby=runs-title] tbody tr")).to_have_count(3)
    expect(field).to_have_value("2026-03-01")


def test_ten_jobs_are_paused_at_once(visit: Visit, served: Served) -> None:
    for number in range(11):
        served.house.timetable.add(a_job(f"b-{number:02}"), by="test")
    page = visit.go("/jobs?q=b-")
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_disabled()
    for number in range(10):
        page.get_by_label(f"Choose b-{number:02}").check()
    served.house.runs.trigger("b-10", by="test")
    expect(page.locator("#job-b-10 svg[role=img]")).to_have_count(1)
    page.get_by_role("button", name="Pause 10").click()
    expect(page.locator("#ask-text")).to_have_text("Pause 10 jobs?")
    page.get_by_role("button", name="Yes").click()
    expect(page.locator(".toast")).to_have_text("Paused 10 of 10 jobs")
    expect(page.locator(".state.s-paused")).to_have_count(10)
    assert served.house.timetable.list(status="paused").total == 10
    page.get_by_label("all 11 that match").check()
    expect(page.get_by_role("button", name="Resume 11")).to_be_enabled()
