"""The trace a request belongs to: the caller's, if it says so, else one of its own while spans are sent."""

from contextlib import ExitStack
from typing import Final

from flask import Flask, Response, g, request

from cronzimus.common.telemetry import Span, is_tracing, span, within
from cronzimus.utils.traceparent import parse

# What asks all the time is not worth a trace.
_QUIET: Final = frozenset({"/livez", "/readyz", "/api/health"})


def trace_requests(app: Flask, *quiet: str) -> None:
    """Have every request belong to a trace, except those for the paths that are asked all the time."""
    untold = _QUIET | set(quiet)

    def begin() -> None:
        """Go on in the trace of the caller."""
        g.tracing = stack = ExitStack()
        if request.path in untold:
            return
        stack.enter_context(within(parse(request.headers.get("traceparent"))))
        route = request.url_rule.rule if request.url_rule is not None else "unmatched"
        facts = {"http.request.method": request.method, "http.route": route}
        if is_tracing():
            g.span = stack.enter_context(span(f"{request.method} {route}", "server", facts))

    def tell(response: Response) -> Response:
        """Say how it was answered."""
        told: Span | None = g.get("span")
        if told is not None:
            told.say({"http.response.status_code": response.status_code})
            if response.status_code >= 500:
                told.fail(response.status)
        return response

    def end(error: BaseException | None) -> None:
        """Leave the trace."""
        stack: ExitStack | None = g.pop("tracing", None)
        if stack is not None:
            stack.close()

    app.before_request(begin)
    app.after_request(tell)
    app.teardown_request(end)
