"""What a person does from the first day on, in a browser before a real process of a closed house.

With PICTURES=1 it also takes the picture of a run that the README shows.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from cronzimus.house import House
from cronzimus.models.access import Role
from cronzimus.settings import Settings
from tests.e2e.service import Fleet
from tests.heart import definition
from tests.web.browser.conftest import LOOKS, Visit
from tests.web.browser.test_pictures import take_pictures

PASSWORD = "correct horse battery"
TALKS = """
import time


def talk():
    for number in range(3000):
        print(f"line {number}", flush=True)
        time.sleep(0.1)
"""
PAGES = ["/", "/jobs", "/jobs/talk", "/jobs/talk/edit", "/jobs/new", "/runs", "/tokens"]
PATIENCE = 20_000


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    """The same database, without a process of its own: only what the story takes for given is put there."""
    house = House(Settings.model_validate({"scheduler": {"sample_job": False}}), url=database_url)
    house.operating.access.people.add("eva", Role.ADMIN, password=PASSWORD, by="test")
    yield house
    house.stop()


@pytest.fixture
def fleet(tmp_path: Path, database_url: str) -> Iterator[Fleet]:
    """A closed house whose one function talks for minutes."""
    allowed = json.dumps(["talks"])
    fleet = Fleet(tmp_path, database_url, {}, api__auth__enabled=True, scheduler__allowed_functions=allowed)
    (tmp_path / "lib" / "talks.py").write_text(TALKS)
    yield fleet
    fleet.close()


@pytest.mark.parametrize("look", LOOKS)
def test_the_first_day(chromium: Browser, house: House, fleet: Fleet, look: str) -> None:
    context = chromium.new_context(**LOOKS[look])
    visit = Visit(context.new_page(), f"http://127.0.0.1:{fleet.start().wait_ready().port}")
    visit.page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    visit.watch()
    page = visit.page
    sign_in(visit)
    make_a_job(page)
    run = follow_and_cancel(page)
    find_out_why(page)
    nobody_stumbles(visit, [*PAGES, run])
    if os.environ.get("PICTURES") and look == "light":
        take_pictures(visit, {"run": run})
    pause_many(visit, house)
    roll_back(visit, house)
    context.close()
    assert visit.faults == []


def sign_in(visit: Visit) -> None:
    visit.page.goto(f"{visit.url}/jobs")
    expect(visit.page).to_have_url(re.compile("/login"))
    visit.page.get_by_label("Name").fill("eva")
    visit.page.get_by_label("Password").fill(PASSWORD)
    visit.page.get_by_role("button", name="Sign in").click()
    expect(visit.page.locator("h1")).to_contain_text("Jobs")


def make_a_job(page: Page) -> None:
    page.get_by_role("link", name="New job").click()
    page.locator("#id").fill("talk")
    page.locator("#what").fill("talks:talk")
    page.locator("#trigger").select_option("interval")
    page.locator("#unit").select_option("seconds")
    page.locator("#every").fill("2")
    expect(page.locator("#preview tbody tr")).to_have_count(5)
    page.locator("#more").fill('{"policy": {"isolation": "process"}}')
    page.get_by_role("button", name="Make the job").click()
    expect(page).to_have_url(re.compile("/jobs/talk$"))


def follow_and_cancel(page: Page) -> str:
    """It fires while one looks, and says what it does while it does it; where the run is shown."""
    runs = page.locator("[aria-labelledby=runs-title]")
    expect(runs.locator(".s-running").first).to_be_visible()
    runs.locator("a.run").first.click()
    expect(page.locator("#log")).to_contain_text("line 3\n")
    expect(page.locator("#log")).to_contain_text("line 20\n")
    page.get_by_role("button", name="Cancel").first.click()
    page.get_by_role("button", name="Yes").click()
    expect(page.locator("h1 .state")).to_have_text("cancelled")
    return re.sub(r"^https?://[^/]+", "", page.url)


def find_out_why(page: Page) -> None:
    page.locator("h1 a").click()
    ledger = page.locator("#ledger")
    expect(ledger.locator(".s-skipped").first).to_be_visible()
    expect(ledger).to_contain_text("an earlier run of it was not finished")


def pause_many(visit: Visit, house: House) -> None:
    for number in range(10):
        house.timetable.add(definition(f"quiet-{number}"), by="test")
    page = visit.go("/jobs")
    expect(page.locator("tbody tr")).to_have_count(11)
    page.locator("[data-every=batch]").check()
    page.locator("#batch").get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Yes").click()
    expect(page.locator("tbody .s-paused")).to_have_count(11)
    assert house.timetable.list(status="paused").total == 11


def roll_back(visit: Visit, house: House) -> None:
    page = visit.page
    page.goto(f"{visit.url}/jobs/talk/edit")
    page.locator("#description").fill("a mistake")
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_url(re.compile("/jobs/talk$"))
    assert house.timetable.get("talk").definition["description"] == "a mistake"
    page.goto(f"{visit.url}/jobs/talk/versions/1")
    page.get_by_role("button", name="Roll back to this version").click()
    page.get_by_role("button", name="Yes").click()
    expect(page).to_have_url(re.compile("/jobs/talk$"))
    assert house.timetable.get("talk").definition["description"] == ""


def nobody_stumbles(visit: Visit, paths: list[str]) -> None:
    for path in paths:
        visit.page.goto(f"{visit.url}{path}")
        expect(visit.page.locator("main h1")).to_have_count(1)
        assert visit.breaches() == [], path
        wide = visit.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wide <= 0, f"{path} is wider than the window"
