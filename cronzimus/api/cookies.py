"""The cookies of the front: for this host alone, out of reach of scripts, over TLS where there is any."""

from typing import Final

from flask import Response, request

_SESSION: Final = "cronzimus_session"
# A session lives no longer than this however often it is used; when it ends sooner, the server says so.
_LONGEST_SECONDS: Final = 30 * 86_400
_LONGEST_VALUE: Final = 200


def name_of(plain: str) -> str:
    """The name of a cookie: over TLS one that no other host and no plain connection could have set."""
    return f"__Host-{plain}" if request.is_secure else plain


def read(plain: str) -> str | None:
    """What the browser holds under a name."""
    value = request.cookies.get(name_of(plain), "")
    return value if 0 < len(value) <= _LONGEST_VALUE else None


def give(response: Response, plain: str, value: str, seconds: int | None = None) -> None:
    """Let the browser hold a value; without `seconds` until it is closed."""
    response.set_cookie(
        name_of(plain),
        value,
        max_age=seconds,
        path="/",
        secure=request.is_secure,
        httponly=True,
        samesite="Lax",
    )


def take_back(response: Response, plain: str) -> None:
    """Let the browser forget a value."""
    response.delete_cookie(name_of(plain), path="/", secure=request.is_secure, httponly=True, samesite="Lax")


def session_secret() -> str | None:
    """The secret of the session this request belongs to, whatever it is worth."""
    return read(_SESSION)


def give_session(response: Response, secret: str) -> None:
    """Let the browser hold a session."""
    give(response, _SESSION, secret, _LONGEST_SECONDS)


def take_session(response: Response) -> None:
    """Let the browser forget its session."""
    take_back(response, _SESSION)
