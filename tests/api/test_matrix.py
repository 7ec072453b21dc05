"""Every route against every kind of caller, on a real database.

The routes come from the OpenAPI document and from the app itself, so a new one is tested unasked; what the
document says about who may call is what must happen.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from flask import Flask

from cronzimus.api.csrf import HEADER, SAFE, csrf_token, is_page
from cronzimus.api.security import ANYONE, RANK, check_every_route, scope_of
from cronzimus.app import create_app
from cronzimus.house import House
from cronzimus.models.access import Role
from cronzimus.services.access import Access
from cronzimus.settings import Settings
from cronzimus.utils.tokens import new_token

SETTINGS = Settings.model_validate(
    {
        "environment": "production",
        "scheduler": {"sample_job": False},
        "database": {"min_connections": 0},
        "api": {
            "auth": {
                "tokens": tuple(
                    {"name": f"configured-{scope}", "token": f"{scope}-key", "scopes": (scope,)}
                    for scope in RANK
                ),
                "hashing_memory_mb": 1,
            }
        },
    }
)
SESSION = "cronzimus_session"

# What each route should want, written down here a second time on purpose: a scope that slips is a hole.
OPEN = {"/api/health", "/livez", "/readyz"}
# A body says what is asked, and nothing is changed.
ONLY_LOOKING = {"/api/v1/plan"}
OPERATING = {"pause", "resume", "drain", "run", "cancel", "retry", "rerun", "backfills", "batch"}
# Whoever is on duty quiets an alert and tries whether a channel reaches them; rules are an admin's.
OPERATING |= {"acknowledge", "silence", "test"}
ADMINS_ONLY = ("/api/v1/audit", "/api/v1/tokens", "/api/v1/users")
OWN = {("POST", "/api/v1/session"): ANYONE, ("DELETE", "/api/v1/session"): "read"}
OWN |= {("PUT", "/api/v1/session/password"): "read"}


@dataclass(frozen=True)
class Route:
    """One method of one path, and the scope it declares."""

    method: str
    path: str
    scope: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def app_on_paper() -> Flask:
    return create_app(settings=SETTINGS, start=False)


def template(rule: str) -> str:
    return re.sub(r"<(?:[^<:]+:)?([^>]+)>", r"{\1}", rule)


def documented(app: Flask) -> dict[tuple[str, str], str]:
    """What the OpenAPI document says: the scope of every operation."""
    found = {}
    for path, item in app.api_doc["paths"].items():  # type: ignore[attr-defined]
        for method, operation in item.items():
            (wanted,) = operation["security"] or [{"bearer": [ANYONE]}]
            (found[method.upper(), path],) = wanted["bearer"]
    return found


def declared(app: Flask) -> dict[tuple[str, str], str]:
    """What the views of the app say; a route that says nothing is not let through by anybody's silence."""
    check_every_route(app)
    return {
        (method, template(rule.rule)): str(scope_of(app.view_functions[rule.endpoint]))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"OPTIONS"}
    }


def routes() -> list[Route]:
    app = app_on_paper()
    every = {**declared(app), **documented(app)}
    return [Route(method, path, scope) for (method, path), scope in sorted(every.items())]


PAPER = app_on_paper()
ROUTES = routes()

Credential = Callable[[Access], dict[str, str]]


def token(scope: str, state: str = "live") -> Credential:
    """A token of the database."""

    def headers(access: Access) -> dict[str, str]:
        soon = datetime.now(UTC) + timedelta(hours=1)
        made = access.tokens.make(uuid4().hex, [scope], expires_at=soon, by="t")  # type: ignore[list-item]
        if state == "revoked":
            access.tokens.revoke(made.token.id, by="t")
        if state == "expired":
            access._database.execute(
                "UPDATE cronzimus.api_tokens SET expires_at = clock_timestamp() WHERE id = %s",
                [made.token.id],
            )
        return {"Authorization": f"Bearer {made.secret}"}

    return headers


def session(role: Role, state: str = "live", *, csrf: bool = True) -> Credential:
    """A person who signed in."""

    def headers(access: Access) -> dict[str, str]:
        user = access.people.add(f"u{uuid4().hex}", role, by="t")
        secret = access.welcome(user, None).secret
        if state == "disabled":
            access.people.set_disabled(user.name, True)
        if state == "left":
            access.sign_out(secret)
        if state == "expired":
            access._database.execute(
                "UPDATE cronzimus.sessions SET expires_at = clock_timestamp() WHERE user_name = %s",
                [user.name],
            )
        return {"Cookie": f"{SESSION}={secret}", **({HEADER: form_token(secret)} if csrf else {})}

    return headers


def form_token(secret: str) -> str:
    """What a page shown in this session would send along."""
    with PAPER.test_request_context():
        return csrf_token(secret)


def presents(value: str) -> Credential:
    return lambda access: {"Authorization": value}


STRANGERS: dict[str, Credential] = {
    "no token": lambda access: {},
    "unknown token": presents("Bearer other-key"),
    "unknown token of our shape": presents(f"Bearer {new_token()}"),
    "wrong scheme": presents("Basic admin-key"),
    "unknown session": lambda access: {"Cookie": f"{SESSION}=made-up", HEADER: form_token("made-up")},
    "revoked token": token("admin", "revoked"),
    "expired token": token("admin", "expired"),
    "disabled admin": session(Role.ADMIN, "disabled"),
    "admin who left": session(Role.ADMIN, "left"),
    "expired session": session(Role.ADMIN, "expired"),
}
KNOWN: dict[str, tuple[int, Credential]] = {
    **{f"configured {scope}": (rank, presents(f"Bearer {scope}-key")) for scope, rank in RANK.items()},
    **{f"token {scope}": (rank, token(scope)) for scope, rank in RANK.items()},
    **{f"session {role}": (RANK[role.scope], session(role)) for role in Role},
}


@pytest.fixture(scope="module")
def closed(shared_database_url: str) -> Iterator[Flask]:
    """The app as production runs it; nothing moves by itself."""
    app = app_on_paper()
    app.extensions["cronzimus"] = house = House(SETTINGS, url=shared_database_url)
    house.operating.access.people.add("root", Role.ADMIN, by="t")
    yield app
    house.stop()


def asked(app: Flask, route: Route, credential: Credential) -> tuple[int, str]:
    """Status and code of a request that gets past the gate but never does anything: nothing it names exists."""
    access = app.extensions["cronzimus"].operating.access
    unknown = {"name": "nobody-of-this-name", "job_id": "no-such-job"}
    path = re.sub(r"\{(\w+)\}", lambda found: unknown.get(found[1], str(uuid4())), route.path)
    body = {} if route.method in SAFE else {"data": b"{", "content_type": "application/json"}
    web = app.test_client(use_cookies=False)
    with web.open(path, method=route.method, headers=credential(access), **body) as answer:  # type: ignore[arg-type]
        code = (answer.get_json(silent=True) or {}).get("code", "") if answer.status_code >= 400 else ""
        told = answer.headers.get("WWW-Authenticate", "")
        return answer.status_code, code or ("INSUFFICIENT_SCOPE" if "insufficient_scope" in told else "")


def is_form(route: Route) -> bool:
    return route.method not in SAFE and is_page(route.path)


def test_there_are_routes() -> None:
    assert len(ROUTES) > 50 and {route.path for route in ROUTES} >= OPEN


def test_document_and_app_know_the_same_routes_and_scopes() -> None:
    app = app_on_paper()
    known, told = declared(app), documented(app)
    assert {route: scope for route, scope in told.items() if known.get(route) != scope} == {}
    untold = {
        route
        for route in known
        if route not in told and route[0] != "HEAD" and route[1].startswith("/api/v1")
    }
    assert untold == set()


def test_a_route_that_says_nothing_cannot_escape() -> None:
    app = app_on_paper()
    app.add_url_rule("/api/v1/forgotten", view_func=lambda: "open")
    with pytest.raises(RuntimeError, match="/api/v1/forgotten"):
        declared(app)


@pytest.mark.parametrize("route", [route for route in ROUTES if not is_page(route.path)], ids=str)
def test_every_route_declares_the_scope_it_should(route: Route) -> None:
    if (route.method, route.path) in OWN:
        wanted = OWN[route.method, route.path]
    elif route.path in OPEN:
        wanted = ANYONE
    elif route.path.startswith(ADMINS_ONLY):
        wanted = "admin"
    elif route.method in SAFE or route.path in ONLY_LOOKING:
        wanted = "read"
    else:
        wanted = "operate" if route.path.rpartition("/")[2] in OPERATING else "admin"
    assert route.scope == wanted


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_strangers_are_turned_away(closed: Flask, route: Route) -> None:
    for who, credential in STRANGERS.items():
        status, code = asked(closed, route, credential)
        if route.scope != ANYONE:
            assert (status, who) == (401, who)
        elif not is_form(route):
            assert status not in (401, 403, 500), who
        elif status == 403:
            assert code == "CSRF", who


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_the_known_may_do_what_their_scope_covers(closed: Flask, route: Route) -> None:
    for who, (rank, credential) in KNOWN.items():
        status, code = asked(closed, route, credential)
        if route.scope == ANYONE and is_form(route):
            # An open form asks everybody alike who they are, and for the page's own token.
            assert status != 500 and (status != 403 or code == "CSRF"), (who, status, code)
        elif route.scope == ANYONE or rank >= RANK[route.scope]:
            assert status not in (401, 500) and code not in ("INSUFFICIENT_SCOPE", "CSRF"), (
                who,
                status,
                code,
            )
        else:
            assert (status, code, who) == (403, "INSUFFICIENT_SCOPE", who)


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_session_changes_nothing_without_its_token(closed: Flask, route: Route) -> None:
    status, code = asked(closed, route, session(Role.ADMIN, csrf=False))
    if route.method in SAFE or (route.scope == ANYONE and not is_page(route.path)):
        assert status not in (401, 403, 500)
    else:
        assert (status, code) == (403, "CSRF")
