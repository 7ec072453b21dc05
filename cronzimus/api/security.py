"""Who may call: closed by default, open only for a developer on this very machine.

A request needs no token when all of these hold: the environment is development, the configured and the
actual listening address are loopback, `api.auth.enabled` is not true, the Host header names this machine
(a page that rebinds its own name to 127.0.0.1 fails here), and no proxy says that it speaks for someone else.
"""

import hashlib
import hmac
import ipaddress
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Request, current_app, g, request
from werkzeug.exceptions import MethodNotAllowed

from cronzimus.api.problems import Refusal
from cronzimus.errors import ConfigError, Forbidden
from cronzimus.settings import Scope, Settings

RANK: Final[Mapping[str, int]] = {"read": 1, "operate": 2, "admin": 3}
ANYONE: Final = "anyone"

_SCOPE: Final = "__cronzimus_scope__"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_RELAYED: Final = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip")

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, and how much they may do."""

    name: str
    rank: int


@dataclass(frozen=True, slots=True)
class Key:
    """A token as it is kept: its SHA-256, never itself."""

    digest: str
    caller: Caller


def needs(scope: Scope) -> Callable[[View], View]:
    """Declare which scope a view wants; goes below the route."""
    return lambda view: _mark(view, scope)


def anyone(view: View) -> View:
    """Declare that a view answers without a token."""
    return _mark(view, ANYONE)


def scope_of(view: Callable[..., Any] | None) -> str | None:
    """The declared scope of a view: read, operate, admin or anyone; None when it declares none."""
    return getattr(view, _SCOPE, None)


def caller() -> str:
    """The name under which what this request changes is recorded."""
    return str(g.caller.name)


def may_be_open(settings: Settings) -> bool:
    """Whether these settings let a local developer in without a token."""
    host, _ = settings.listen
    return (
        settings.environment == "development" and settings.api.auth.enabled is not True and is_loopback(host)
    )


def check_can_start(settings: Settings) -> None:
    """Refuse to serve openly: outside a developer's loopback at least one token must exist."""
    if may_be_open(settings) or settings.api.auth.tokens:
        return
    host, _ = settings.listen
    raise ConfigError(
        f"every route on {host} ({settings.environment}) wants a token and none is configured: "
        "set CRONZIMUS_API_TOKEN or api.auth.tokens, or bind to 127.0.0.1 in development",
        code="NO_TOKEN_CONFIGURED",
    )


def check_every_route(app: Flask) -> None:
    """Stop the start when a route forgot to say who may call it."""
    forgotten = [
        rule.rule for rule in app.url_map.iter_rules() if not scope_of(app.view_functions[rule.endpoint])
    ]
    if forgotten:
        raise RuntimeError(f"routes without a scope: {', '.join(sorted(forgotten))}; use needs() or anyone()")


def is_loopback(host: str) -> bool:
    """Whether a name or address can only mean this machine."""
    name = host.strip("[]").lower()
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


class Gate:
    """Decides for each request whether it may pass."""

    def __init__(self, settings: Settings) -> None:
        self._may_be_open = may_be_open(settings)
        self._keys = tuple(
            Key(token.digest, Caller(token.name, max(RANK[scope] for scope in token.scopes)))
            for token in settings.api.auth.tokens
        )
        self._origins = frozenset(settings.api.cors_origins if settings.api.cors_enabled else ())

    def admit(self) -> None:
        """Let the request pass with a caller, or raise why not."""
        self._refuse_other_sites()
        scope = self._wanted_scope()
        if scope == ANYONE:
            g.caller = Caller("anyone", 0)
        elif self._is_local_developer():
            g.caller = Caller("api", RANK["admin"])
        else:
            g.caller = self._known_caller()
            _refuse_lesser(g.caller, scope)

    def allows_origin(self, origin: str | None) -> bool:
        """Whether pages of that origin may call and read answers."""
        return origin is not None and origin in self._origins

    def _refuse_other_sites(self) -> None:
        if request.method not in _SAFE and not self.allows_origin(request.headers.get("Origin")):
            if _is_cross_site(request):
                raise Forbidden("a page of another site may not do this", code="CROSS_SITE")

    def _wanted_scope(self) -> str:
        """Unknown routes tell nothing to strangers either; a wrong method on an open route may be told."""
        if request.method == "OPTIONS" and self.allows_origin(request.headers.get("Origin")):
            return ANYONE
        if request.endpoint is None:
            return ANYONE if _is_open_path() else "read"
        if request.method == "OPTIONS":
            return "read"
        return scope_of(current_app.view_functions[request.endpoint]) or "admin"

    def _is_local_developer(self) -> bool:
        return (
            self._may_be_open
            and is_loopback(request.environ.get("SERVER_NAME", ""))
            and is_loopback(_host_name(request.headers.get("Host", "")))
            and not any(name in request.headers for name in _RELAYED)
        )

    def _known_caller(self) -> Caller:
        scheme, _, presented = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not presented.strip():
            raise _unauthorized("this route wants a token: send Authorization: Bearer <token>")
        digest = hashlib.sha256(_raw(presented.strip())).hexdigest()
        # Every key is compared, so that the time taken does not tell which one matched.
        found = [key.caller for key in self._keys if hmac.compare_digest(key.digest, digest)]
        if not found:
            raise _unauthorized("this token is not known", error="invalid_token")
        return found[0]


def _mark(view: View, scope: str) -> View:
    setattr(view, _SCOPE, scope)
    return view


def _unauthorized(message: str, *, error: str | None = None) -> Refusal:
    challenge = 'Bearer realm="cronzimus"' + (f', error="{error}"' if error else "")
    return Refusal(401, message, code="UNAUTHORIZED", headers={"WWW-Authenticate": challenge})


def _refuse_lesser(known: Caller, scope: str) -> None:
    if known.rank < RANK[scope]:
        challenge = f'Bearer realm="cronzimus", error="insufficient_scope", scope="{scope}"'
        message = f"this route wants a token with scope {scope}; {known.name!r} does not have it"
        raise Refusal(403, message, code="INSUFFICIENT_SCOPE", headers={"WWW-Authenticate": challenge})


def _raw(header: str) -> bytes:
    """The bytes the client sent: WSGI hands headers over as Latin-1."""
    try:
        return header.encode("latin-1")
    except UnicodeEncodeError:
        return header.encode()


def _host_name(host: str) -> str:
    name, _, port = host.rpartition(":")
    return name if name and port.isdigit() and not host.endswith("]") else host


def _is_cross_site(asked: Request) -> bool:
    """Browsers say where a request comes from; programs say nothing and pass."""
    site = asked.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site.lower() not in ("same-origin", "none")
    origin = asked.headers.get("Origin")
    return origin is not None and _authority(origin) != asked.headers.get("Host", "").lower()


def _authority(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _is_open_path() -> bool:
    if not isinstance(request.routing_exception, MethodNotAllowed):
        return False
    return _any_open(rule.endpoint for rule in current_app.url_map.iter_rules() if rule.rule == request.path)


def _any_open(endpoints: Iterable[str]) -> bool:
    return any(scope_of(current_app.view_functions[endpoint]) == ANYONE for endpoint in endpoints)
