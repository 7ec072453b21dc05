"""Forged requests: whatever a browser sends along by itself proves nothing, a token only our pages know does.

The token is derived from a cookie that scripts cannot read: the session's, or, for who has none, one made for
this purpose. So it needs no storage, every process knows it, and it changes with the session.
"""

import hashlib
import hmac
from typing import Final

from flask import Response, current_app, g, request

from cronzimus.api import cookies
from cronzimus.api.security import Means
from cronzimus.errors import Forbidden
from cronzimus.utils.tokens import new_secret

HEADER: Final = "X-CSRF-Token"
FIELD: Final = "csrf_token"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

_COOKIE: Final = "cronzimus_form"
_PURPOSE: Final = b"cronzimus: a form of ours"
_PROGRAMS: Final = ("/api/", "/scheduler")
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")


def csrf_token(session: str | None = None) -> str:
    """What the forms and scripts of this browser's pages send along: field `csrf_token` or X-CSRF-Token.

    `session` is the secret of one that begins with this answer.
    """
    seed = session or _seed()
    if seed is None:
        seed = g.new_form_seed = g.get("new_form_seed") or new_secret()
    return _token(seed)


def is_page(path: str) -> bool:
    """Whether a path is one of those that people look at, not programs."""
    return not path.startswith(_PROGRAMS) and path != "/scheduler"


def wants_csrf() -> bool:
    """Whether this request changes something and a browser could have been tricked into it.

    So does every form of a page, whoever sends it, and whatever a session's cookie lets pass; a bearer's
    token is sent by no browser by itself, and where no route is nothing changes.
    """
    if request.method in SAFE or request.endpoint is None or g.caller.means == Means.TOKEN:
        return False
    return g.caller.means == Means.SESSION or is_page(request.path)


def check_csrf() -> None:
    """Refuse a change that none of our pages asked for; raises Forbidden CSRF."""
    if not wants_csrf():
        return
    seed, given = _seed(), request.headers.get(HEADER) or _field()
    if seed is None or not hmac.compare_digest(_token(seed).encode(), given.encode()):
        raise Forbidden(
            f"the page this came from is out of date: load it again (programs send {HEADER})", code="CSRF"
        )


def plant_seed(response: Response) -> Response:
    """Give the browser the cookie its new token is derived from."""
    if "new_form_seed" in g:
        cookies.give(response, _COOKIE, g.new_form_seed)
    return response


def _seed() -> str | None:
    return cookies.session_secret() or cookies.read(_COOKIE)


def _token(seed: str) -> str:
    return hmac.new(seed.encode(), _PURPOSE, hashlib.sha256).hexdigest()


def _field() -> str:
    if request.mimetype not in _FORMS:
        return ""
    request.max_content_length = current_app.config["CRONZIMUS_MAX_BODY_BYTES"]
    return request.form.get(FIELD, "")
