"""What the routes about tokens, people and sessions accept and answer."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from cronzimus.api.queries import RUN_ID, Instant, PageQuery, truth
from cronzimus.api.support import Body, Query
from cronzimus.errors import NotFound
from cronzimus.models.access import (
    LONGEST_PASSWORD,
    SHORTEST_PASSWORD,
    TOKEN_NAME,
    USER_NAME,
    ApiToken,
    Role,
    User,
)
from cronzimus.models.faults import shown
from cronzimus.settings import Scope


def _password(value: object) -> object:
    """Never echoed: a refusal says what is wrong and not what was typed."""
    if not isinstance(value, str):
        raise ValueError("must be a text")
    if not SHORTEST_PASSWORD <= len(value) <= LONGEST_PASSWORD:
        raise ValueError(f"must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    return value


def _typed(value: object) -> object:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_PASSWORD:
        raise ValueError(f"must be a text of 1 to {LONGEST_PASSWORD} characters")
    return value


def _token_id(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch(RUN_ID, value):
        raise NotFound(f"no token has the id {shown(value)}; token ids are UUIDs", code="TOKEN_NOT_FOUND")
    return value


def _user_name(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch(USER_NAME, value):
        raise NotFound(f"no user is called {shown(value)}", code="USER_NOT_FOUND")
    return value


_PASSWORD_SCHEMA = {
    "type": "string",
    "format": "password",
    "minLength": SHORTEST_PASSWORD,
    "maxLength": LONGEST_PASSWORD,
}
_TYPED_SCHEMA = {"type": "string", "format": "password", "minLength": 1, "maxLength": LONGEST_PASSWORD}
Password = Annotated[str, BeforeValidator(_password), WithJsonSchema(_PASSWORD_SCHEMA)]
TypedPassword = Annotated[str, BeforeValidator(_typed), WithJsonSchema(_TYPED_SCHEMA)]
UserName = Annotated[str, Field(pattern=USER_NAME)]


class TokenPath(BaseModel):
    """A token in the path."""

    token_id: Annotated[UUID, BeforeValidator(_token_id)]


class UserPath(BaseModel):
    """A person in the path."""

    name: Annotated[
        str, BeforeValidator(_user_name), WithJsonSchema({"type": "string", "pattern": USER_NAME})
    ]


class TokenQuery(PageQuery):
    """Which tokens."""

    all: Annotated[bool, BeforeValidator(truth)] = Field(
        default=False, description="also those that expired or were revoked"
    )


class LeaveQuery(Query):
    """Which sessions end."""

    everywhere: Annotated[bool, BeforeValidator(truth)] = Field(
        default=False, description="every session of the person, not only this one"
    )


class TokenBody(Body):
    """A token to make."""

    name: Annotated[str, Field(pattern=TOKEN_NAME)] = Field(description="who uses it")
    scopes: list[Scope] = Field(min_length=1, max_length=3, description="any of read, operate, admin")
    expires_at: Instant | None = Field(default=None, description="from then on it opens nothing")


class UserBody(Body):
    """A person who may sign in."""

    name: UserName
    role: Role
    password: Password | None = Field(default=None, description="none: only through the provider")


class UserPatch(Body):
    """What changes about a person; what is absent stays."""

    role: Role | None = None
    password: Password | None = None
    disabled: bool | None = Field(default=None, strict=True, description="whether they may come in no more")


class SignInBody(Body):
    """Who somebody says they are."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    password: TypedPassword


class PasswordBody(Body):
    """Another password for the person who asks."""

    current: TypedPassword
    password: Password


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Page(_Answer):
    total: int
    limit: int
    offset: int


class TokenView(_Answer):
    """A token, without its secret."""

    id: UUID
    name: str
    prefix: str = Field(description="how it begins, to recognise it by")
    scopes: list[Scope]
    state: Literal["live", "expired", "revoked"]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="to the minute")
    revoked_at: datetime | None
    revoked_by: str | None


class TokenMade(TokenView):
    """A token that was just made."""

    token: str = Field(description="the secret, told this once")


class TokenPage(_Page):
    """Tokens, the youngest first."""

    items: list[TokenView]


class UserView(_Answer):
    """A person who may sign in."""

    name: str
    role: Role
    has_password: bool
    issuer: str | None = Field(description="the provider that vouches for them")
    disabled: bool
    created_by: str
    created_at: datetime
    updated_at: datetime
    signed_in_at: datetime | None


class UserPage(_Page):
    """People by name."""

    items: list[UserView]


class SessionView(_Answer):
    """Who is asking, and what they may do."""

    name: str
    role: Role | None = Field(description="of people; tokens have none")
    scope: Scope
    means: Literal["nothing", "token", "session"] = Field(description="what they are known by")
    csrf_token: str | None = Field(description="for X-CSRF-Token, where a session wants it")


def token_view(token: ApiToken, now: datetime) -> dict[str, Any]:
    """A token, and whether it still opens anything."""
    expired = token.expires_at is not None and token.expires_at <= now
    return {
        "id": token.id,
        "name": token.name,
        "prefix": token.prefix,
        "scopes": token.scopes,
        "state": "revoked" if token.revoked_at else "expired" if expired else "live",
        "created_by": token.created_by,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
        "revoked_at": token.revoked_at,
        "revoked_by": token.revoked_by,
    }


def user_view(user: User) -> dict[str, Any]:
    """A person, without anything of their password."""
    return {
        "name": user.name,
        "role": user.role,
        "has_password": user.has_password,
        "issuer": user.issuer,
        "disabled": user.disabled_at is not None,
        "created_by": user.created_by,
        "created_at": user.created_at,
        "updated_at": user.updated_at,
        "signed_in_at": user.signed_in_at,
    }
