"""Sessions: people sign in with name and password, see who they are, and leave."""

from typing import Any

from flask import Response, g, make_response, request

from cronzimus.api import cookies
from cronzimus.api.access import LeaveQuery, PasswordBody, SessionView, SignInBody
from cronzimus.api.csrf import csrf_token
from cronzimus.api.security import Means, anyone, caller, needs
from cronzimus.api.support import blueprint, house
from cronzimus.errors import Conflict

api = blueprint("session")


@api.post("/session", responses={200: SessionView})
@anyone
def sign_in(body: SignInBody) -> Response:
    """Sign in; the session is a cookie, and changes it makes want the token that comes with it."""
    signed_in = house().operating.access.sign_in(
        body.name, body.password, request.remote_addr, before=cookies.session_secret()
    )
    view = _view(signed_in.name, signed_in.role, signed_in.role.scope, Means.SESSION)
    response = make_response({**view, "csrf_token": csrf_token(signed_in.secret)})
    cookies.give_session(response, signed_in.secret)
    return response


@api.get("/session", responses={200: SessionView})
@needs("read")
def show_session() -> dict[str, Any]:
    """Say who is asking and what they may do."""
    known = g.caller
    token = csrf_token() if known.means == Means.SESSION else None
    return {**_view(known.name, known.role, known.scope, known.means), "csrf_token": token}


@api.delete("/session", responses={204: None})
@needs("read")
def sign_out(query: LeaveQuery) -> Response:
    """Leave: this session ends, or with `everywhere` every one of the person."""
    secret = _own_session()
    access = house().operating.access
    if query.everywhere:
        access.sign_out_everywhere(caller())
    else:
        access.sign_out(secret)
    response = make_response("", 204)
    cookies.take_session(response)
    return response


@api.put("/session/password", responses={204: None})
@needs("read")
def change_password(body: PasswordBody) -> tuple[str, int]:
    """Give oneself another password; every other session of the person ends."""
    secret = _own_session()
    house().operating.access.change_password(
        caller(), body.current, body.password, request.remote_addr, keep=secret
    )
    return "", 204


def _own_session() -> str:
    secret = cookies.session_secret()
    if g.caller.means != Means.SESSION or secret is None:
        raise Conflict("nobody has signed in here: this needs a session", code="NO_SESSION")
    return secret


def _view(name: str, role: Any, scope: Any, means: Means) -> dict[str, Any]:
    return {"name": name, "role": role, "scope": scope, "means": means}
