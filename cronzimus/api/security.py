"""Who may call what: every view declares it, and nothing starts open that should not be.

A request needs no credential when all of these hold: the environment is development, the configured and the
actual listening address are loopback, `api.auth.enabled` is not true, the Host header names this machine
(a page that rebinds its own name to 127.0.0.1 fails here), and no proxy says that it speaks for someone else.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeVar

from flask import Flask, g

from cronzimus.common.logger import get_logger
from cronzimus.errors import ConfigError, DatabaseUnavailable
from cronzimus.models.access import RANK, Role
from cronzimus.settings import Scope, Settings
from cronzimus.utils.loopback import is_loopback

__all__ = [
    "ANYONE",
    "RANK",
    "Caller",
    "Means",
    "anyone",
    "caller",
    "check_can_start",
    "check_every_route",
    "is_loopback",
    "may_be_open",
    "needs",
    "scope_of",
]

ANYONE: Final = "anyone"

_SCOPE: Final = "__cronzimus_scope__"
_log = get_logger(__name__)

View = TypeVar("View", bound=Callable[..., Any])


class Means(StrEnum):
    """By what a caller is known."""

    NOTHING = "nothing"
    """The route asks nobody, or a developer's own loopback does not."""
    TOKEN = "token"  # nosec B105
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, how much they may do, and how they are known; people have a role."""

    name: str
    rank: int
    means: Means = Means.NOTHING
    role: Role | None = None

    @property
    def scope(self) -> Scope | None:
        """The highest scope they have."""
        return next((scope for scope in _SCOPES if RANK[scope] == self.rank), None)


_SCOPES: Final[tuple[Scope, ...]] = ("read", "operate", "admin")


def needs(scope: Scope) -> Callable[[View], View]:
    """Declare which scope a view wants; goes below the route."""
    return lambda view: _mark(view, scope)


def anyone(view: View) -> View:
    """Declare that a view answers without a credential."""
    return _mark(view, ANYONE)


def scope_of(view: Callable[..., Any] | None) -> str | None:
    """The declared scope of a view: read, operate, admin or anyone; None when it declares none."""
    return getattr(view, _SCOPE, None)


def caller() -> str:
    """The name under which what this request changes is recorded."""
    return str(g.caller.name)


def may_be_open(settings: Settings) -> bool:
    """Whether these settings let a local developer in without a credential."""
    return not settings.auth_required


def check_can_start(settings: Settings, anybody: Callable[[], bool] = lambda: False) -> None:
    """Refuse to serve where nobody could ever come in: a token, a provider, or somebody in the database.

    `anybody` asks the database. When that is away the service starts, closed to everybody until it is back.
    """
    auth = settings.api.auth
    if not settings.auth_required or auth.tokens or auth.oidc.issuer is not None:
        return
    try:
        if anybody():
            return
    except DatabaseUnavailable as error:
        _log.warning("Whether anybody may come in is not known before the database is there: {}", error)
        return
    host, _ = settings.listen
    raise ConfigError(
        f"every route on {host} ({settings.environment}) wants a credential and there is none: "
        "set CRONZIMUS_API_TOKEN or api.auth.tokens, or bind to 127.0.0.1 in development, "
        "or make somebody an admin: cronzimus users add NAME --role admin",
        code="NO_TOKEN_CONFIGURED",
    )


def check_every_route(app: Flask) -> None:
    """Stop the start when a route forgot to say who may call it."""
    forgotten = [
        rule.rule for rule in app.url_map.iter_rules() if not scope_of(app.view_functions[rule.endpoint])
    ]
    if forgotten:
        raise RuntimeError(f"routes without a scope: {', '.join(sorted(forgotten))}; use needs() or anyone()")


def _mark(view: View, scope: str) -> View:
    setattr(view, _SCOPE, scope)
    return view
