"""API tokens and people: who may come in; a token is made, told once, and revoked at once."""

from collections.abc import Mapping
from typing import Final

from flask import request
from werkzeug.wrappers import Response

from cronzimus.api.access import TokenBody, TokenPath, TokenQuery
from cronzimus.api.security import RANK, caller, needs
from cronzimus.api.support import V1, house
from cronzimus.errors import Conflict, CronzimusError, Invalid
from cronzimus.models.access import NewToken
from cronzimus.web.forms import check_form, done
from cronzimus.web.room import Answer, address, page, room

pages = room("tokens")

_EMPTY: Final[Mapping[str, str]] = {"name": "", "scope": "read", "expires_at": ""}
_PEOPLE: Final = 200


@pages.get("/tokens")
@needs("admin")
def show_tokens() -> Answer:
    """The tokens that may be used, and the people."""
    return _page(_EMPTY)


@pages.post("/tokens")
@needs("admin")
def make_token() -> tuple[Answer, int] | Answer:
    """Make a token; this answer, and nothing else ever, holds its secret."""
    check_form()
    said = {name: request.form.get(name, default).strip() for name, default in _EMPTY.items()}
    try:
        body = _body(said)
        made = house().operating.access.tokens.make(
            body.name, body.scopes, expires_at=body.expires_at, by=caller()
        )
    except (Invalid, Conflict) as refused:
        return _page(said, refused=refused), 409 if isinstance(refused, Conflict) else 422
    return _page(_EMPTY, made=made)


@pages.post("/tokens/<token_id>/revoke")
@needs("admin")
def revoke_token(token_id: str) -> Response:
    """From now on it opens nothing, in any process."""
    check_form()
    known = TokenPath.model_validate({"token_id": token_id}).token_id
    token = house().operating.access.tokens.revoke(known, by=caller())
    return done(f"The token {token.name} opens nothing any more", "/tokens")


def _page(
    said: Mapping[str, str], *, made: NewToken | None = None, refused: CronzimusError | None = None
) -> str:
    query = TokenQuery.model_validate({name: value for name, value in request.args.items() if value})
    access = house().operating.access
    return page(
        "tokens.html",
        twin=f"{V1}/tokens",
        said=said,
        made=made,
        refused=refused.message if refused else "",
        faults={fault.field: fault.message for fault in refused.faults} if refused else {},
        scopes=tuple(RANK),
        everything=query.all,
        found=access.tokens.list(everything=query.all, limit=query.limit, offset=query.offset),
        people=access.people.list(limit=_PEOPLE),
        href=lambda offset: address("/tokens", all="true" if query.all else None, offset=offset),
    )


def _body(said: Mapping[str, str]) -> TokenBody:
    given = {"name": said["name"], "scopes": [said["scope"]], "expires_at": said["expires_at"] or None}
    return TokenBody.model_validate(given)
