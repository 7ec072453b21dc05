"""Signing in through the provider: there, and back with what it says."""

import base64
import hmac
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Response, current_app, make_response, redirect, request

from cronzimus.api import cookies
from cronzimus.api.security import anyone
from cronzimus.api.support import blueprint, house
from cronzimus.errors import NotFound, Unauthenticated
from cronzimus.services.provider import Provider, state_of
from cronzimus.utils.tokens import new_secret

api = blueprint("oidc", prefix="/login")

REDIRECT_URL: Final = "CRONZIMUS_OIDC_REDIRECT_URL"
_COOKIE: Final = "cronzimus_oidc"
_SECONDS: Final = 600
_LONGEST_WAY: Final = 100
_MOVED: Final[dict[Any, Any]] = {302: {"description": "to the provider, or to the page one came for"}}


@api.get("/oidc", responses=_MOVED)
@anyone
def leave_for_provider() -> Response:
    """Go to the provider; `next` is the page of this host one came for."""
    seed, came_for = new_secret(), local_path(request.args.get("next", ""))
    response = make_response(redirect(_provider().address(seed, _redirect_url())))
    held = base64.urlsafe_b64encode(came_for.encode()).decode().rstrip("=")
    cookies.give(response, _COOKIE, f"{seed}.{held}", _SECONDS)
    return response


@api.get("/oidc/callback", responses=_MOVED)
@anyone
def come_back() -> Response:
    """Come back from the provider, signed in when it vouches for somebody."""
    provider, (seed, came_for) = _provider(), _held()
    given = {name: request.args.get(name, "") for name in ("state", "code")}
    if not hmac.compare_digest(state_of(seed).encode(), given["state"].encode()) or not given["code"]:
        raise _refused()
    signed_in = house().operating.access.enter(
        provider.vouched(seed, given["code"], _redirect_url()),
        request.remote_addr,
        before=cookies.session_secret(),
    )
    response = make_response(redirect(came_for))
    cookies.take_back(response, _COOKIE)
    cookies.give_session(response, signed_in.secret)
    return response


def local_path(text: str) -> str:
    """The path when it leads to a page of this host, else the first page."""
    is_path = text.startswith("/") and not text.startswith("//") and "\\" not in text and text.isprintable()
    if not is_path or len(text) > _LONGEST_WAY or not text.isascii():
        return "/"
    parts = urlsplit(text)
    return "/" if parts.scheme or parts.netloc else text


def _held() -> tuple[str, str]:
    """The seed of the sign-in that began in this browser, and where it is to end."""
    seed, _, way = (cookies.read(_COOKIE) or "").partition(".")
    if not seed:
        raise _refused()
    try:
        came_for = base64.urlsafe_b64decode(way + "=" * (-len(way) % 4)).decode()
    except ValueError:
        came_for = "/"
    return seed, local_path(came_for)


def _provider() -> Provider:
    provider = house().operating.access.provider
    if provider is None:
        raise NotFound("there is no provider to sign in with", code="NO_PROVIDER")
    return provider


def _redirect_url() -> str:
    return current_app.config[REDIRECT_URL] or f"{request.host_url}login/oidc/callback"


def _refused() -> Unauthenticated:
    return Unauthenticated(
        "this sign-in did not begin in this browser, or too long ago; try again", code="SIGN_IN_REFUSED"
    )
