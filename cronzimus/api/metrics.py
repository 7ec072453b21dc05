"""Metrics for Prometheus, and the counting of requests."""

import time
from typing import Final

from flask import Flask, Response, current_app, g, request
from flask_openapi3 import APIBlueprint

from cronzimus.api.security import anyone, needs
from cronzimus.api.support import blueprint, house
from cronzimus.common.metrics import Registry
from cronzimus.settings import TelemetrySettings

_EXTENSION: Final = "cronzimus-requests"
_BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_UNMATCHED: Final = "unmatched"


class RequestMetrics:
    """Counts what this process was asked; routes are named by their rule, so that nobody can invent one."""

    def __init__(self) -> None:
        self.registry = registry = Registry()
        self._requests = registry.counter(
            "cronzimus_http_requests", "Requests answered.", ["method", "route", "status"]
        )
        self._seconds = registry.histogram(
            "cronzimus_http_request_duration_seconds",
            "From the request to the first byte of its answer.",
            ["method", "route"],
            bounds=_BOUNDS,
        )

    def begin(self) -> None:
        """Note when the request came."""
        g.began = time.perf_counter()

    def end(self, response: Response) -> Response:
        """Count the answer."""
        rule = request.url_rule
        method, route = (request.method, rule.rule) if rule is not None else ("other", _UNMATCHED)
        self._requests.labels(method, route, response.status_code).inc()
        if "began" in g:
            self._seconds.labels(method, route).observe(time.perf_counter() - g.began)
        return response


def count_requests(app: Flask) -> None:
    """Have every answer of the app counted; call it before the guards are set."""
    metrics = app.extensions[_EXTENSION] = RequestMetrics()
    app.before_request(metrics.begin)
    app.after_request(metrics.end)


def metrics_routes(settings: TelemetrySettings) -> APIBlueprint:
    """The route of the metrics, where and for whom the settings say."""
    api = blueprint("metrics", prefix="")
    allowed = anyone if settings.metrics_public else needs("read")

    @api.get(
        settings.metrics_endpoint,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    @allowed
    def get_metrics() -> Response:
        """Counts of the house and of this process, as Prometheus reads them."""
        here = house()
        state = here.readiness.report().components
        ask = state.get("database") == "up" and state.get("schema") == "ready"
        requests: RequestMetrics = current_app.extensions[_EXTENSION]
        text, media_type = here.operating.scrape.text(
            request.headers.get("Accept", ""), [requests.registry], ask=ask
        )
        return Response(text, content_type=media_type)

    return api
