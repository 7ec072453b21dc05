"""Puts the pages into the app: their rooms, what their templates know, and what their answers carry."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from flask import Flask, Response, g, render_template, request
from jinja2 import StrictUndefined

from cronzimus.api.docs import PAGE_URL
from cronzimus.api.problems import PROBLEM_JSON
from cronzimus.api.security import RANK, check_every_route
from cronzimus.settings import Settings
from cronzimus.version import version
from cronzimus.web import (
    alerts,
    assets,
    audit,
    backfills,
    begin,
    blackouts,
    calendars,
    channels,
    edit,
    forms,
    job,
    jobs,
    login,
    overview,
    queues,
    rules,
    run,
    start,
    stream,
    timeline,
    tokens,
    versions,
    words,
    workers,
)
from cronzimus.web.room import wants_part

ROOMS: Final = (
    assets,
    stream,
    overview,
    jobs,
    edit,
    job,
    start,
    versions,
    begin,
    run,
    timeline,
    backfills,
    calendars,
    blackouts,
    queues,
    workers,
    alerts,
    rules,
    channels,
    audit,
    tokens,
    login,
)
# Address, name, the key that leads there after `g`, and the scope it wants.
NAVIGATION: Final = (
    ("/", "Overview", "o", "read"),
    ("/jobs", "Jobs", "j", "read"),
    ("/runs", "Runs", "r", "read"),
    ("/timeline", "Timeline", "t", "read"),
    ("/alerts", "Alerts", "e", "read"),
    ("/backfills", "Backfills", "b", "read"),
    ("/calendars", "Time off", "c", "read"),
    ("/queues", "Queues", "q", "read"),
    ("/workers", "Workers", "w", "read"),
    ("/audit", "Audit", "a", "admin"),
    ("/tokens", "Tokens", "k", "admin"),
)

_HTML: Final = "text/html"
_THEMES: Final = ("light", "dark")
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_PROGRAMS: Final = ("/api/", "/scheduler")


def register_pages(app: Flask, settings: Settings) -> None:
    """Add every page to an app of the front."""
    app.jinja_options = {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    app.jinja_env.globals.update(_known(app, settings))
    app.jinja_env.filters.update(words.FILTERS)
    for room in ROOMS:
        app.register_blueprint(room.pages)
    login.ask_to_sign_in(app)
    app.after_request(_finish)
    check_every_route(app)


def may(scope: str) -> bool:
    """Whether who looks may do what wants this scope; what they may not is not offered."""
    return int(g.caller.rank) >= RANK[scope]


def _known(app: Flask, settings: Settings) -> Mapping[str, Any]:
    return {
        "house_name": settings.app.name,
        "docs_url": app.config[PAGE_URL],
        "version": version(),
        "navigation": NAVIGATION,
        "asset": assets.asset,
        "may": may,
        "signed_in": login.signed_in,
        "theme": _theme,
        "now": lambda: datetime.now(UTC),
        "csrf_field": forms.csrf_field,
        "told": forms.told,
    }


def _theme() -> str:
    """What the reader chose; empty when the system decides."""
    chosen = request.cookies.get("theme", "")
    return chosen if chosen in _THEMES else ""


def _finish(response: Response) -> Response:
    """Turn problems into pages for people, and give pages what is theirs alone."""
    if response.mimetype == PROBLEM_JSON and _is_for_people() and not _may_pass_over(response):
        response = _problem_page(response)
    if response.mimetype == _HTML and not request.path.startswith(_PROGRAMS):
        response.headers.setdefault("Content-Security-Policy", _POLICY)
        _conditional(response)
        forms.personal(response)
        forms.forget_told(response)
    return response


def _conditional(response: Response) -> None:
    """A part that is as it was need not be sent again."""
    if wants_part() and response.status_code == 200:
        response.add_etag()
        response.make_conditional(request)


def _is_for_people() -> bool:
    wanted = request.accept_mimetypes.best_match([PROBLEM_JSON, _HTML], default=PROBLEM_JSON)
    return wanted == _HTML and not request.path.startswith(_PROGRAMS)


def _may_pass_over(response: Response) -> bool:
    """A part that could not be drawn leaves the page as it is, unless what it shows is gone."""
    return wants_part() and response.status_code != 404


def _problem_page(response: Response) -> Response:
    """What an open page shows may be gone: that is no failure of its looking again."""
    layout, status = ("part.html", 200) if wants_part() else ("base.html", response.status_code)
    problem = response.get_json(force=True)
    shown = render_template("problem.html", layout=layout, twin="", topics="", only_job="", problem=problem)
    page = Response(shown, status=status, mimetype=_HTML)
    page.headers.extend((name, value) for name, value in response.headers if name in ("Retry-After", "Allow"))
    return page
