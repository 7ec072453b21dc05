"""The one shape of every error (RFC 9457), and which error gets which status."""

import difflib
import math
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Final

from flask import Flask, Response, current_app, g, request
from pydantic import ValidationError
from pydantic_core import to_json
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import NotFound as UnknownRoute

from cronzimus.api.hostile import Malformed, TooLarge, WrongType
from cronzimus.common.logger import get_logger
from cronzimus.errors import (
    Conflict,
    CronzimusError,
    Fault,
    Forbidden,
    Invalid,
    NotFound,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from cronzimus.models.faults import refusal
from cronzimus.utils.ids import new_id

PROBLEM_JSON: Final = "application/problem+json"
_MOST_FAULTS: Final = 20
_LONGEST_DETAIL: Final = 500

LEGACY_PREFIX: Final = "/scheduler"

_log = get_logger(__name__)


class Refusal(CronzimusError):
    """A refusal of the front itself: it brings its own status and headers."""

    def __init__(
        self, status: int, message: str, *, code: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message, code=code)
        self.status = status
        self.headers = dict(headers or {})


_STATUS: Final[Mapping[type[CronzimusError], int]] = {
    Malformed: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    TooLarge: 413,
    WrongType: 415,
    Invalid: 422,
    TooMany: 429,
    Unavailable: 503,
}


def problem(
    status: int,
    *,
    code: str,
    detail: str,
    faults: Iterable[Fault] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An answer that says what went wrong; the routes of the older shape get their own key as well."""
    detail = detail if len(detail) <= _LONGEST_DETAIL else f"{detail[:_LONGEST_DETAIL]}…"
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "errors": [{"field": fault.field, "message": fault.message} for fault in _first(tuple(faults))],
        "request_id": request_id(),
        **({"error_message": detail} if is_legacy_route() else {}),
    }
    response = Response(to_json(body), status=status, content_type=PROBLEM_JSON)
    response.headers.update(headers or {})
    return response


def _first(faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
    """As many as a person reads; who sent thousands wrong needs no list of them."""
    kept = faults[:_MOST_FAULTS]
    return kept if len(kept) == len(faults) else (*kept, Fault("", f"and {len(faults) - len(kept)} more"))


def is_legacy_route() -> bool:
    """Whether the request goes to the routes of Flask-APScheduler's shape."""
    return request.path == LEGACY_PREFIX or request.path.startswith(f"{LEGACY_PREFIX}/")


def request_id() -> str:
    """The id of this request: the client's when it is fit to print, else a new one."""
    if "request_id" not in g:
        given = request.headers.get("X-Request-ID", "")
        is_fit = 0 < len(given) <= 128 and given.isascii() and given.isprintable()
        g.request_id = given if is_fit else new_id().hex
    return str(g.request_id)


def register_problems(app: Flask) -> None:
    """Answer every exception as a problem."""
    app.register_error_handler(Exception, _answer)


def _answer(error: Exception) -> Response:
    if isinstance(error, ValidationError):
        error = refusal(error)
    if isinstance(error, CronzimusError):
        return _answer_ours(error)
    if isinstance(error, HTTPException):
        return _answer_http(error)
    return _answer_unforeseen(error)


def _answer_ours(error: CronzimusError) -> Response:
    if isinstance(error, Refusal):
        return problem(error.status, code=error.code, detail=error.message, headers=error.headers)
    status = next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), None)
    if status is None:
        return _answer_unforeseen(error)
    if status == HTTPStatus.UNPROCESSABLE_ENTITY and is_legacy_route():
        status = HTTPStatus.BAD_REQUEST
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        _log.warning("{} {} not answered: {}", request.method, request.path, error.message)
    headers = {"Retry-After": "1"} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    if isinstance(error, TooMany):
        headers = {"Retry-After": str(math.ceil(error.retry_after))}
    return problem(status, code=error.code, detail=error.message, faults=error.faults, headers=headers)


def _answer_http(error: HTTPException) -> Response:
    """Keep what werkzeug says in headers, such as Allow; say the rest in our shape."""
    if error.code is None or error.code < HTTPStatus.BAD_REQUEST:
        return error.get_response()  # type: ignore[return-value]
    headers = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
    if isinstance(error, UnknownRoute):
        return problem(404, code="NOT_FOUND", detail=_nothing_there(), headers=headers)
    if error.code == HTTPStatus.METHOD_NOT_ALLOWED:
        detail = f"{request.method} is not possible here; allowed: {headers.get('Allow', 'nothing')}"
        return problem(405, code="METHOD_NOT_ALLOWED", detail=detail, headers=headers)
    status = HTTPStatus(error.code)
    code = status.name if status >= HTTPStatus.INTERNAL_SERVER_ERROR else f"{status.name}"
    return problem(status, code=code, detail=f"{status.description or status.phrase}", headers=headers)


def _answer_unforeseen(error: Exception) -> Response:
    """Tell the log everything and the client nothing but where to look."""
    _log.opt(exception=error).error("{} {} failed (request {})", request.method, request.path, request_id())
    detail = f"the service failed on this request; its log tells more under request id {request_id()}"
    return problem(500, code="INTERNAL_ERROR", detail=detail)


def _nothing_there() -> str:
    path = request.path[:200]
    rules = sorted({rule.rule for rule in current_app.url_map.iter_rules()})
    near = difflib.get_close_matches(path, rules, n=1, cutoff=0.8)
    return f"nothing is served at {path!r}" + (f"; did you mean {near[0]!r}?" if near else "")
