"""The gate every request passes: who calls, whether they may, and whether they mean it."""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from flask import Request, current_app, g, request
from werkzeug.exceptions import MethodNotAllowed

from cronzimus.api import cookies
from cronzimus.api.csrf import SAFE, check_csrf, is_page
from cronzimus.api.problems import Refusal, request_id
from cronzimus.api.security import ANYONE, RANK, Caller, Means, may_be_open, scope_of
from cronzimus.api.support import house
from cronzimus.errors import DatabaseUnavailable, Forbidden
from cronzimus.models.access import Holder
from cronzimus.models.actor import HOUSE, Actor, Door, current_actor
from cronzimus.settings import Settings
from cronzimus.utils.loopback import is_loopback

_RELAYED: Final = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip")
_STRANGER: Final = Caller("anyone", 0)
_DEVELOPER: Final = Caller("api", RANK["admin"])


@dataclass(frozen=True, slots=True)
class Key:
    """A token of the settings as it is kept: its SHA-256, never itself."""

    digest: str
    caller: Caller


class SignInWanted(Refusal):
    """A person wants to see a page and nobody knows who they are; `came_for` is a path of this host."""

    def __init__(self, came_for: str) -> None:
        super().__init__(
            401, "sign in to see this page", code="UNAUTHORIZED", headers={"WWW-Authenticate": _REALM}
        )
        self.came_for = came_for


class Gate:
    """Decides for each request whether it may pass."""

    def __init__(self, settings: Settings) -> None:
        self._may_be_open = may_be_open(settings)
        self._keys = tuple(
            Key(token.digest, Caller(token.name, max(RANK[scope] for scope in token.scopes), Means.TOKEN))
            for token in settings.api.auth.tokens
        )
        self._origins = frozenset(settings.api.cors_origins if settings.api.cors_enabled else ())

    def admit(self) -> None:
        """Let the request pass with a caller, or raise why not."""
        self._refuse_other_sites()
        scope = self._wanted_scope()
        g.caller = _STRANGER if scope == ANYONE else self._caller()
        current_actor.set(Actor(g.caller.name, _door(), request.remote_addr, request_id()))
        if scope != ANYONE:
            refuse_lesser(g.caller, scope)
        check_csrf()

    def allows_origin(self, origin: str | None) -> bool:
        """Whether pages of that origin may call and read answers."""
        return origin is not None and origin in self._origins

    def _refuse_other_sites(self) -> None:
        if request.method not in SAFE and not self.allows_origin(request.headers.get("Origin")):
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

    def _caller(self) -> Caller:
        """A token of the settings, a token of the database, a session: the first that is presented decides."""
        if self._is_local_developer():
            return _signed_in_developer() or _DEVELOPER
        if "Authorization" in request.headers:
            return self._bearer()
        secret = cookies.session_secret()
        if secret is None:
            raise _nobody("this route wants a token: send Authorization: Bearer <token>")
        holder = house().operating.access.credentials.session(secret)
        if holder is None:
            raise _nobody("this session has ended; sign in again")
        return _person(holder)

    def _is_local_developer(self) -> bool:
        return (
            self._may_be_open
            and is_loopback(request.environ.get("SERVER_NAME", ""))
            and is_loopback(_host_name(request.headers.get("Host", "")))
            and not any(name in request.headers for name in _RELAYED)
        )

    def _bearer(self) -> Caller:
        scheme, _, presented = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not presented.strip():
            raise _unauthorized("this route wants a token: send Authorization: Bearer <token>")
        secret = presented.strip()
        digest = hashlib.sha256(_raw(secret)).hexdigest()
        # Every key is compared, so that the time taken does not tell which one matched.
        found = [key.caller for key in self._keys if hmac.compare_digest(key.digest, digest)]
        if found:
            return found[0]
        holder = house().operating.access.credentials.token(secret)
        if holder is None:
            raise _unauthorized("this token is not known", error="invalid_token")
        return Caller(holder.name, RANK[holder.scope], Means.TOKEN)


def leave(error: BaseException | None) -> None:
    """The request is over: what its thread does from now on, the house does."""
    current_actor.set(HOUSE)


def _signed_in_developer() -> Caller | None:
    """Who signed in on the open loopback is who they said; without a database nobody did."""
    secret = cookies.session_secret()
    if secret is None:
        return None
    try:
        holder = house().operating.access.credentials.session(secret)
    except DatabaseUnavailable:
        return None
    return None if holder is None else _person(holder)


def _person(holder: Holder) -> Caller:
    return Caller(holder.name, RANK[holder.scope], Means.SESSION, holder.role)


def _door() -> Door:
    """What a client says of itself; programs that say nothing come by the API."""
    if g.caller.means == Means.SESSION or is_page(request.path):
        return Door.WEB
    return Door.CLI if request.headers.get("User-Agent", "").startswith("cronzimus/") else Door.API


_REALM: Final = 'Bearer realm="cronzimus"'


def _nobody(message: str) -> Refusal:
    """People are asked to sign in, programs are told what to send."""
    is_for_people = request.method in ("GET", "HEAD") and request.accept_mimetypes.accept_html
    if is_for_people and is_page(request.path) and "Accept" in request.headers:
        return SignInWanted(request.full_path.rstrip("?"))
    return _unauthorized(message)


def _unauthorized(message: str, *, error: str | None = None) -> Refusal:
    challenge = _REALM + (f', error="{error}"' if error else "")
    return Refusal(401, message, code="UNAUTHORIZED", headers={"WWW-Authenticate": challenge})


def refuse_lesser(known: Caller, scope: str) -> None:
    """Refuse a caller who may not do what wants that scope."""
    if known.rank < RANK[scope]:
        challenge = f'{_REALM}, error="insufficient_scope", scope="{scope}"'
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
