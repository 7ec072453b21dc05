"""Every route against every kind of caller; the routes come from the app, so a new one is tested unasked."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cronzimus.api import build_flask
from cronzimus.api.security import ANYONE, RANK, scope_of
from cronzimus.settings import Settings
from tests.api.fakes import FakeHouse, a_run, document

TOKENS = tuple({"name": scope, "token": f"{scope}-key", "scopes": (scope,)} for scope in RANK)
SECTIONS: dict[str, Any] = {"environment": "production", "api": {"auth": {"tokens": TOKENS}}}
STRANGERS = {
    "no token": {},
    "wrong token": {"Authorization": "Bearer other-key"},
    "wrong scheme": {"Authorization": "Basic admin-key"},
}

# What each route wants, written down here a second time on purpose: a scope that slips is a hole.
OPEN = {"/api/health", "/livez", "/readyz"}
OPERATING = {"pause", "resume", "run", "cancel", "retry"}


def routes() -> Iterator[tuple[str, str]]:
    """Every method of every route."""
    for rule in build_flask(Settings()).url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"OPTIONS"}):
            yield method, rule.rule


def wanted(method: str, rule: str) -> str:
    """The scope a route should want, told from its method and name alone."""
    if rule in OPEN:
        return ANYONE
    if method in ("GET", "HEAD"):
        return "read"
    return "operate" if rule.rpartition("/")[2] in OPERATING else "admin"


ROUTES = list(routes())
GUARDED = [(method, rule) for method, rule in ROUTES if rule not in OPEN]


@pytest.fixture
def closed(build: Callable[..., Flask], fake: FakeHouse) -> FlaskClient:
    """A client of an app that asks, with a job and a run to act on."""
    app = build(**SECTIONS)
    web = app.test_client()
    web.post("/api/v1/jobs", json=document(), headers={"Authorization": "Bearer admin-key"})
    fake.runs.put(a_run())
    return web


def asked(web: FlaskClient, fake: FakeHouse, method: str, rule: str, headers: dict[str, str]) -> int:
    run_id = str(next(iter(fake.runs.runs)))
    known = {"job_id": "hourly", "run_id": run_id, "name": "start.js"}
    path = re.sub(r"<(\w+)>", lambda found: known[found[1]], rule)
    body = {"json": document()} if method in ("POST", "PUT", "PATCH") else {}
    return web.open(path, method=method, headers=headers, **body).status_code  # type: ignore[arg-type]


def test_there_are_routes() -> None:
    assert len(ROUTES) > 30 and {rule for _, rule in ROUTES} >= OPEN


@pytest.mark.parametrize(("method", "rule"), ROUTES)
def test_every_route_declares_the_scope_it_should(app: Flask, method: str, rule: str) -> None:
    found = {
        scope_of(app.view_functions[known.endpoint])
        for known in app.url_map.iter_rules()
        if known.rule == rule and method in (known.methods or set())
    }
    assert found == {wanted(method, rule)}


@pytest.mark.parametrize("who", STRANGERS)
@pytest.mark.parametrize(("method", "rule"), GUARDED)
def test_strangers_are_turned_away(
    closed: FlaskClient, fake: FakeHouse, method: str, rule: str, who: str
) -> None:
    assert asked(closed, fake, method, rule, STRANGERS[who]) == 401
    assert fake.timetable.jobs["hourly"].version == 1 and len(fake.runs.runs) == 1


@pytest.mark.parametrize("who", STRANGERS)
@pytest.mark.parametrize("rule", sorted(OPEN))
def test_probes_ask_nobody(closed: FlaskClient, fake: FakeHouse, rule: str, who: str) -> None:
    assert asked(closed, fake, "GET", rule, STRANGERS[who]) == 200


@pytest.mark.parametrize("scope", RANK)
@pytest.mark.parametrize(("method", "rule"), GUARDED)
def test_tokens_open_what_their_scope_covers(
    closed: FlaskClient, fake: FakeHouse, method: str, rule: str, scope: str
) -> None:
    status = asked(closed, fake, method, rule, {"Authorization": f"Bearer {scope}-key"})
    if RANK[scope] >= RANK[wanted(method, rule)]:
        assert status not in (401, 403) and status < 500
    else:
        assert status == 403
        assert fake.timetable.jobs["hourly"].version == 1
