"""A house in the middle of its day, as it looks: with PICTURES=1 the README's pictures are taken anew."""

import os
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from tests.e2e.service import REPOSITORY
from tests.web.browser.conftest import Served, Visit
from tests.web.browser.past import HABITS, live_through

PICTURES = REPOSITORY / "docs" / "pictures"
PATHS = {"overview": "/", "jobs": "/jobs", "job": "/jobs/bank-statements", "timeline": "/timeline?window=6h"}


@pytest.fixture
def busy(served: Served) -> Served:
    """A house with a dozen jobs and a day behind it; two of them are paused."""
    for habit in HABITS:
        served.house.timetable.add(habit.definition, by="ana")
    assert live_through(served.house.database, datetime.now(UTC)) > 400
    for job_id in ("newsletter", "dunning"):
        served.house.timetable.pause(job_id, by="ana")
    return served


def test_a_busy_house_is_seen_at_a_glance(visit: Visit, busy: Served, request: pytest.FixtureRequest) -> None:
    page = visit.go("/")
    expect(page.locator(".tiles")).to_contain_text("10 active jobs")
    expect(page.locator("[aria-labelledby=failures-title] tbody tr").first).to_contain_text("failed")
    hours = page.locator("svg.bars").get_attribute("aria-label") or ""
    assert hours.startswith("Last 24 hours") and " 0 fired" not in hours
    visit.go("/jobs")
    expect(page.locator("tbody tr")).to_have_count(len(HABITS))
    visit.go(PATHS["timeline"])
    expect(page.locator("#lane-search-index svg a").first).to_be_visible()
    assert visit.breaches() == []
    if os.environ.get("PICTURES") and "light" in request.node.name:
        take_pictures(visit, PATHS)


def take_pictures(visit: Visit, paths: dict[str, str]) -> None:
    """One of each page, by day and by night."""
    PICTURES.mkdir(exist_ok=True)
    for scheme in ("light", "dark"):
        visit.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for name, path in paths.items():
            visit.go(path)
            visit.page.screenshot(path=PICTURES / f"{name}-{scheme}.png")
    visit.page.emulate_media(color_scheme="light")
