"""What every page keeps: one host, no script or style in it, a twin in JSON, nothing without its scope."""

import re
import tomllib
from collections.abc import Callable
from hashlib import sha256
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cronzimus.common.db import Database
from cronzimus.house import House
from cronzimus.models.backfill import BackfillRequest
from cronzimus.models.blackout import HouseBlackout
from cronzimus.models.calendar import Calendar
from tests.alerting import raised
from tests.house.tree import PACKAGE, checkout_files
from tests.web.conftest import TOKENS
from tests.web.pages import read

RUN = "0199c2a4-5d10-7000-8000-0000000000a1"
BACKFILL = "0199c2a4-5d10-7000-8000-0000000000b1"
ALERT = "0199c2a4-5d10-7000-8000-0000000000a2"
PAGES = ["/", "/jobs", "/jobs/hourly", "/jobs/hourly/versions/1", "/jobs/hourly/run", "/runs", f"/runs/{RUN}"]
PAGES += ["/alerts", f"/alerts/{ALERT}", "/alerts/rules", "/alerts/rules/new", "/alerts/channels"]
PAGES += ["/jobs/new", "/jobs/hourly/edit", "/login", "/timeline", "/workers", "/tokens", "/audit"]
PAGES += ["/backfills", f"/backfills/{BACKFILL}", "/jobs/hourly/backfill"]
PAGES += [
    "/queues",
    "/calendars",
    "/calendars/new",
    "/calendars/ours/edit",
    "/blackouts/new",
    "/blackouts/night/edit",
]
KNOWN = {"<job_id>": "hourly", "<version>": "1", "<run_id>": RUN, "<backfill_id>": BACKFILL}
KNOWN |= {"<calendar_id>": "ours", "<blackout_id>": "night", "<alert_id>": ALERT}
DAY = {"job_id": "hourly", "from": "2026-03-01T00:00Z", "to": "2026-03-02T00:00Z"}
CLOSED = {"environment": "production", "api": {"auth": {"tokens": TOKENS}}}
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
STATIC = PACKAGE / "static"


@pytest.fixture
def hourly(hourly: str, house: House, database: Database, monkeypatch: pytest.MonkeyPatch) -> str:
    """A job with a run, a backfill and an alert whose ids are known before, a calendar and a blackout."""
    raised(database, id=ALERT)
    monkeypatch.setattr("cronzimus.services.runs.new_id", lambda: UUID(RUN))
    monkeypatch.setattr("cronzimus.services.backfills.new_id", lambda: UUID(BACKFILL))
    house.runs.trigger(hourly, by="test")
    house.operating.backfills.start(BackfillRequest.model_validate(DAY), by="test")
    house.operating.calendars.add(Calendar(id="ours"), by="test")
    night = {"id": "night", "start": "22:00", "end": "06:00"}
    house.operating.slot_pools.define("db", 5, by="test")
    house.operating.blackouts.add(HouseBlackout.model_validate(night), by="test")
    return hourly


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_from_this_host_only(web: FlaskClient, hourly: str, path: str) -> None:
    page = read(web, path)
    loaded = [
        one.attributes[name]
        for name in ("src", "href", "action")
        for one in page.all()
        if name in one.attributes
    ]
    assert len(loaded) > 8
    assert [url for url in loaded if not url.startswith(("/", "#")) or url.startswith("//")] == []
    for url in {url for url in loaded if url.startswith("/static/")}:
        assert web.get(url).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_a_page_holds_no_script_and_no_style(web: FlaskClient, hourly: str, path: str) -> None:
    page = read(web, path)
    assert [one.text for one in page.all("script") if one.text] == []
    assert page.all("style") == []
    assert [one.attributes for one in page.all() if "style" in one.attributes] == []
    assert [name for one in page.all() for name in one.attributes if name.startswith("on")] == []


@pytest.mark.parametrize("path", [*PAGES, "/nothing-here"])
def test_the_browser_is_told_to_keep_to_that(web: FlaskClient, path: str) -> None:
    answer = web.get(path, headers={"Accept": "text/html"})
    assert answer.mimetype == "text/html"
    policy = answer.headers["Content-Security-Policy"]
    assert dict(part.split(" ", 1) for part in policy.split("; ")) == POLICY
    assert answer.headers["X-Frame-Options"] == "DENY" and answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_its_twin(web: FlaskClient, hourly: str, path: str) -> None:
    page = read(web, path)
    twin = page.one("link", rel="alternate", type="application/json").attributes["href"]
    assert page.one("footer").all("a", href=twin)
    assert web.get(twin).mimetype == "application/json"
    assert web.get(twin).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_a_page_can_be_read_aloud(web: FlaskClient, hourly: str, path: str) -> None:
    page = read(web, path)
    assert page.one("html").attributes["lang"] == "en"
    assert len(page.all("h1")) == 1 and page.one("head").one("title").text
    assert page.one("a", href="#main").text and page.one("main", id="main")
    ids = [one.attributes["id"] for one in page.all() if "id" in one.attributes]
    assert len(ids) == len(set(ids))
    named = [one for one in page.all("button") if one.text or one.attributes.get("aria-label")]
    assert len(named) == len(page.all("button"))


@pytest.mark.parametrize("path", PAGES)
def test_who_may_only_read_is_offered_nothing_else(
    site: Callable[..., Flask], hourly: str, path: str
) -> None:
    web = site(**CLOSED).test_client()
    if path == "/login":
        assert len(read(web, path).one("main").all("form", method="post")) == 1
        return
    if path.endswith(("/run", "/new", "/edit", "/backfill", "/tokens", "/audit")):
        assert web.get(path, headers={"Authorization": "Bearer read-key"}).status_code == 403
        return
    page = read(web, path, headers={"Authorization": "Bearer read-key"})
    assert page.one("main").all("form", method="post") == []


def test_every_page_is_tried_here(app: Flask) -> None:
    own = {"/live", "/static/<digest>/<path:name>"}
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("pages-")]
    shown = {rule.rule for rule in rules if "GET" in (rule.methods or ())} - own
    assert {re.sub(r"<\w+>", lambda name: KNOWN[name[0]], rule) for rule in shown} == set(PAGES)


def test_vendored_files_are_as_they_came() -> None:
    said = tomllib.loads((STATIC / "vendor" / "vendor.toml").read_text(encoding="utf-8"))
    hashes = {name: digest for package in said["package"] for name, digest in package["files"].items()}
    held = {
        path.relative_to(STATIC / "vendor").as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in checkout_files()
        if STATIC / "vendor" in path.parents and path.name != "vendor.toml"
    }
    assert held == hashes
    for package in said["package"]:
        assert package["integrity"].startswith("sha512-") and package["licence"]
        assert f"{package['name']}/LICENSE" in package["files"]


def test_our_scripts_ask_this_host_only() -> None:
    for path in STATIC.glob("*.*"):
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "://" not in text and "eval(" not in text and "innerHTML" not in text, path
