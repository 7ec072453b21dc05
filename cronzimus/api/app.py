"""The Flask app of the front: every route, every guard, and nothing that serves."""

from typing import Final

from flask import Flask, Response, request
from flask_openapi3 import Info
from werkzeug.middleware.proxy_fix import ProxyFix

from cronzimus.api import (
    alerts,
    as_code,
    audit,
    backfills,
    batch,
    blackouts,
    calendars,
    events,
    firings,
    health,
    insight,
    jobs,
    logs,
    oidc,
    pools,
    preview,
    queues,
    runs,
    scheduler,
    session,
    timeline,
    tokens,
    users,
    versions,
    workers,
    workflows,
)
from cronzimus.api.cors import register_cors
from cronzimus.api.csrf import plant_seed
from cronzimus.api.docs import PAGE_URL, docs_routes
from cronzimus.api.gate import Gate, leave
from cronzimus.api.metrics import count_requests, metrics_routes
from cronzimus.api.problems import register_problems, request_id
from cronzimus.api.security import check_every_route, may_be_open
from cronzimus.api.support import MAX_BODY, Api, HouseRequest
from cronzimus.api.tracing import trace_requests
from cronzimus.settings import Settings
from cronzimus.version import version

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

# In the order of API.md.
_ROOMS: Final = (
    health,
    jobs,
    versions,
    batch,
    preview,
    runs,
    workflows,
    calendars,
    blackouts,
    backfills,
    queues,
    pools,
    logs,
    firings,
    events,
    session,
    oidc,
    tokens,
    users,
    audit,
    as_code,
    insight,
    timeline,
    workers,
    alerts,
)


def build_flask(settings: Settings) -> Flask:
    """The app with every route of the front; give it the house as `app.extensions["cronzimus"]`."""
    info = Info(title=settings.app.name, version=version(), description=settings.app.description)
    app = Api(info=info, is_open=may_be_open(settings))
    app.config[MAX_BODY] = int(settings.api.max_request_size_mb * 1024 * 1024)
    app.config[oidc.REDIRECT_URL] = settings.api.auth.oidc.redirect_url
    app.config[PAGE_URL] = settings.api.docs_url.rstrip("/") or "/docs"
    count_requests(app)
    trace_requests(app, settings.telemetry.metrics_endpoint)
    gate = Gate(settings)
    app.before_request(gate.admit)
    app.teardown_request(leave)
    app.after_request(_finish)
    app.after_request(plant_seed)
    if proxies := settings.server.trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies
        )
    register_cors(app, gate)
    register_problems(app)
    _register_routes(app, settings)
    check_every_route(app)
    return app


def _register_routes(app: Api, settings: Settings) -> None:
    for room in _ROOMS:
        app.register_api(room.api)
    if settings.scheduler.api_enabled:
        app.register_api(scheduler.api)
    if settings.telemetry.metrics_enabled:
        app.register_api(metrics_routes(settings.telemetry))
    app.register_api(docs_routes(app.config[PAGE_URL]))


def _finish(response: Response) -> Response:
    """What every answer carries, and the rest of what the client had to say."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-ID"] = request_id()
    if isinstance(request, HouseRequest) and not request.finish():
        response.headers["Connection"] = "close"
    return response
