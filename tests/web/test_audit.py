"""The audit page."""

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient

from tests.web.conftest import TOKENS
from tests.web.pages import read


def test_changes_are_shown_with_before_and_after(web: FlaskClient, hourly: str) -> None:
    web.post("/api/v1/jobs/hourly/pause")
    rows = [one for one in read(web, "/audit").all("tr") if "data-row" in one.attributes]
    assert ["job.pause" in row.text for row in rows][:1] == [True] and "job/hourly" in rows[0].text
    assert [len(row.all("pre")) for row in rows][:1] == [2]
    found = read(web, "/audit?target=job/hourly&action=job.create&actor=")
    assert len([one for one in found.all("tr") if "data-row" in one.attributes]) == 1
    assert "Nothing was changed that matches." in read(web, "/audit?target=job/other").text


def test_only_admins_see_it(site: Callable[..., Flask]) -> None:
    closed = site(environment="production", api={"auth": {"tokens": TOKENS}})
    headers = {"Authorization": "Bearer operate-key", "Accept": "text/html"}
    assert closed.test_client().get("/audit", headers=headers).status_code == 403
    page = read(closed.test_client(), "/", headers=headers)
    assert not page.all("a", href="/audit") and page.all("a", href="/workers")
