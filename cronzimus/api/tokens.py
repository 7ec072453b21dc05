"""API tokens: make, list, revoke."""

from datetime import UTC, datetime
from typing import Any

from cronzimus.api.access import TokenBody, TokenMade, TokenPage, TokenPath, TokenQuery, TokenView, token_view
from cronzimus.api.security import caller, needs
from cronzimus.api.support import V1, blueprint, house, page_of
from cronzimus.models.access import ApiToken

api = blueprint("tokens")


@api.get("/tokens", responses={200: TokenPage})
@needs("admin")
def list_tokens(query: TokenQuery) -> tuple[Any, ...]:
    """List the tokens that may be used, the youngest first."""
    page = house().operating.access.tokens.list(everything=query.all, limit=query.limit, offset=query.offset)
    return page_of(page, _view)


@api.post("/tokens", responses={201: TokenMade})
@needs("admin")
def make_token(body: TokenBody) -> tuple[Any, ...]:
    """Make a token; its secret is in this answer and nowhere else."""
    made = house().operating.access.tokens.make(
        body.name, body.scopes, expires_at=body.expires_at, by=caller()
    )
    location = f"{V1}/tokens/{made.token.id}"
    return {**_view(made.token), "token": made.secret}, 201, {"Location": location}


@api.get("/tokens/<token_id>", responses={200: TokenView})
@needs("admin")
def get_token(path: TokenPath) -> dict[str, Any]:
    """One token, without its secret."""
    return _view(house().operating.access.tokens.get(path.token_id))


@api.delete("/tokens/<token_id>", responses={204: None})
@needs("admin")
def revoke_token(path: TokenPath) -> tuple[str, int]:
    """Revoke a token: from now on it opens nothing, in any process."""
    house().operating.access.tokens.revoke(path.token_id, by=caller())
    return "", 204


def _view(token: ApiToken) -> dict[str, Any]:
    return token_view(token, datetime.now(UTC))
