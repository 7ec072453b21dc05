"""Who may come in: people with a role, tokens with scopes, sessions of people."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from cronzimus.settings import Scope

# What a name of a person looks like: as people write names of accounts and addresses of mail.
USER_NAME: Final = r"^[a-z0-9][a-z0-9._@+-]{0,62}$"
TOKEN_NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9 ._@+-]{0,62}$"
SHORTEST_PASSWORD: Final = 10
LONGEST_PASSWORD: Final = 1024

RANK: Final[Mapping[str, int]] = {"read": 1, "operate": 2, "admin": 3}


class Role(StrEnum):
    """What a person may do."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    @property
    def scope(self) -> Scope:
        """The highest scope the role has; it has the lesser ones too."""
        return _SCOPES[self]


_SCOPES: Final[Mapping[Role, Scope]] = {Role.VIEWER: "read", Role.OPERATOR: "operate", Role.ADMIN: "admin"}


@dataclass(frozen=True, slots=True)
class User:
    """A person who may sign in: with a password, through the OpenID Connect provider, or both."""

    name: str
    role: Role
    has_password: bool
    issuer: str | None
    created_by: str
    created_at: datetime
    updated_at: datetime
    signed_in_at: datetime | None
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token as it is kept: never itself; `prefix` is its beginning, by which people recognise it."""

    id: UUID
    name: str
    prefix: str
    scopes: tuple[Scope, ...]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made; `secret` is told this once and kept nowhere."""

    token: ApiToken
    secret: str


@dataclass(frozen=True, slots=True)
class Holder:
    """Who a secret stands for: a token (`role` is None) or a person's session, and for how many seconds yet."""

    key: str
    name: str
    scope: Scope
    role: Role | None
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person who just came in; `secret` goes into the cookie of the browser and nowhere else."""

    name: str
    role: Role
    secret: str
