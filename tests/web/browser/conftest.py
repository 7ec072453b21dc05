"""A real browser before a living house: whatever it complains about, or asks of another host, fails the test."""

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from cronzimus.app import create_app
from cronzimus.house import House
from cronzimus.settings import Settings
from tests.heart import until

NAMES = ("chromium", "chromium-browser", "google-chrome")
# A desk by day and a telephone by night.
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1200, "height": 900}},
    "dark-phone": {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}},
}
SERIOUS = {"serious", "critical"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs a browser."""
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.browser)


@dataclass
class Served:
    """A house with its pages behind a socket."""

    url: str
    house: House


@dataclass
class Visit:
    """One open page, and what it should not have done."""

    page: Page
    url: str
    faults: list[str] = field(default_factory=list)
    allowed: set[str] = field(default_factory=set)
    """Parts of complaints that a test asked for, such as an answer that is a 404."""

    def go(self, path: str) -> Page:
        """Open a page and wait until it is live."""
        self.page.goto(f"{self.url}{path}")
        self.page.wait_for_selector("#chip.on")
        return self.page

    def breaches(self) -> list[str]:
        """What a person who cannot see or point would stumble over, if it is serious."""
        found = Axe().run(self.page).response["violations"]
        return [
            f"{one['id']}: {one['help']}: {[node['html'][:120] for node in one['nodes'][:3]]}"
            for one in found
            if one["impact"] in SERIOUS
        ]

    def watch(self) -> None:
        """Note everything a page should not do."""
        self.page.on("console", lambda said: said.type == "error" and self.faults.append(said.text))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", lambda asked: self._note_request(asked.url))

    def _note_request(self, url: str) -> None:
        if not url.startswith((f"{self.url}/", "data:", "blob:")):
            self.faults.append(f"asked {url}")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser of this machine, gone before the next module: its event loop runs in the thread of the tests."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"no browser here: none of {', '.join(NAMES)} is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def served(database_url: str) -> Iterator[Served]:
    """A house that fires and runs, on a free port."""
    sections = {
        "scheduler": {"sample_job": False},
        "database": {"min_connections": 1},
        "alerts": {"channels": ({"name": "ops", "type": "log"},)},
    }
    settings = Settings.model_validate(sections)
    app = create_app(settings=settings, start=False)
    house = House(settings, url=database_url)
    app.extensions["cronzimus"] = house
    house.start()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    until(lambda: house.readiness.report().ready and house.leadership.term is not None)
    yield Served(f"http://127.0.0.1:{server.server_port}", house)
    house.drain()
    server.shutdown()
    thread.join()
    server.server_close()
    house.stop()


@pytest.fixture(params=LOOKS)
def visit(chromium: Browser, served: Served, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A page in each look; at the end it must have had nothing to complain about."""
    context = chromium.new_context(**LOOKS[request.param])
    visit = Visit(context.new_page(), served.url)
    visit.page.set_default_timeout(15_000)
    visit.watch()
    yield visit
    context.close()
    assert [fault for fault in visit.faults if not any(part in fault for part in visit.allowed)] == []
