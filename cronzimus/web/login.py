"""Coming in and going out by a form."""

from typing import Final

from flask import Flask, Response, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from cronzimus.api import cookies
from cronzimus.api.gate import SignInWanted
from cronzimus.api.security import Means, anyone, needs
from cronzimus.api.support import V1, house
from cronzimus.errors import TooMany, Unauthenticated
from cronzimus.web.forms import check_form, local_path
from cronzimus.web.room import Answer, address, page, room, wants_part

pages = room("login")

_PATH: Final = "/login"


@pages.get("/login")
@anyone
def show_login() -> Answer:
    """The form, and where it leads."""
    return _form(local_path(request.args.get("next")) or "/")


@pages.post("/login")
@anyone
def sign_in() -> AnyResponse | tuple[Answer, int]:
    """Begin a session."""
    check_form()
    name, following = request.form.get("name", "")[:200], local_path(request.form.get("next")) or "/"
    try:
        came = house().operating.access.sign_in(
            name, request.form.get("password", ""), request.remote_addr, before=cookies.session_secret()
        )
    except (Unauthenticated, TooMany) as refused:
        status = 401 if isinstance(refused, Unauthenticated) else 429
        return _form(following, name, refused.message), status
    response = redirect(following, 303)
    cookies.give_session(response, came.secret)  # type: ignore[arg-type]
    return response


@pages.post("/logout")
@needs("read")
def sign_out() -> AnyResponse:
    """End it."""
    check_form()
    secret = cookies.session_secret()
    if secret is not None:
        house().operating.access.sign_out(secret)
    response = redirect(_PATH, 303)
    cookies.take_session(response)  # type: ignore[arg-type]
    return response


def ask_to_sign_in(app: Flask) -> None:
    """Lead people whom nobody knows to the form, and back afterwards."""
    app.register_error_handler(SignInWanted, _asked)


def signed_in() -> str:
    """The name of the person who looks; empty when nobody signed in."""
    known = g.get("caller")
    return known.name if known is not None and known.means == Means.SESSION else ""


def _asked(wanted: SignInWanted) -> AnyResponse:
    if wants_part():
        return Response(status=401)
    return redirect(address(_PATH, next=wanted.came_for), 303)


def _form(following: str, name: str = "", fault: str = "") -> str:
    """Who has another way to come in is told so."""
    provider = address("/login/oidc", next=following) if house().operating.access.provider else ""
    shown = {"following": following, "name": name, "fault": fault, "provider": provider}
    return page("login.html", twin=f"{V1}/session", **shown)
