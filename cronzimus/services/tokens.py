"""API tokens: made once, told once, revoked at once."""

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from cronzimus.common.db import Database, Refused
from cronzimus.common.sql import queries
from cronzimus.errors import Conflict, Fault, Invalid, NotFound
from cronzimus.models.access import RANK, ApiToken, NewToken
from cronzimus.models.page import Page
from cronzimus.services.audit import Audit
from cronzimus.settings import Scope
from cronzimus.utils.ids import new_id
from cronzimus.utils.tokens import SHOWN, digest, new_token

_SQL = queries("cronzimus.services.sql", "tokens.sql")


class Tokens:
    """`by` names who does it. All may raise DatabaseUnavailable."""

    def __init__(self, database: Database, audit: Audit, forget: Callable[[], None] = lambda: None) -> None:
        self._database = database
        self._audit = audit
        self._forget = forget

    def make(
        self, name: str, scopes: Iterable[Scope], *, expires_at: datetime | None = None, by: str
    ) -> NewToken:
        """A new token; its secret is in the answer and nowhere else. Raises Conflict TOKEN_EXISTS, Invalid."""
        token_id, secret = new_id(), new_token()
        kept = sorted(set(scopes), key=RANK.__getitem__)
        columns = {"id": token_id, "name": name, "prefix": secret[:SHOWN], "scopes": kept, "by": by}
        try:
            with self._database.transaction():
                self._refuse_past(expires_at)
                self._database.execute(
                    _SQL["insert"], {**columns, "sha256": digest(secret), "expires_at": expires_at}
                )
                after = {"name": name, "scopes": kept, "expires_at": expires_at and expires_at.isoformat()}
                self._audit.record("token.make", f"token/{token_id}", after=after)
                return NewToken(self.get(token_id), secret)
        except Refused as refused:
            raise Conflict(f"a token {name!r} exists already", code="TOKEN_EXISTS") from refused

    def get(self, token_id: UUID) -> ApiToken:
        """One token; raises NotFound TOKEN_NOT_FOUND."""
        token = self._database.fetch_one(_SQL["get"], {"id": token_id}, row=ApiToken)
        if token is None:
            raise NotFound(f"there is no token {token_id}", code="TOKEN_NOT_FOUND")
        return token

    def list(self, *, everything: bool = False, limit: int = 50, offset: int = 0) -> Page[ApiToken]:
        """Tokens that may be used, the youngest first; with `everything` also those that expired or were revoked."""
        params = {"all": everything, "limit": limit, "offset": offset}
        items = self._database.fetch_all(_SQL["page"], params, row=ApiToken)
        (total,) = self._database.fetch_one(_SQL["count"], {"all": everything}) or (0,)
        return Page(tuple(items), total, limit, offset)

    def revoke(self, token_id: UUID, *, by: str) -> ApiToken:
        """From now on nobody comes in with it, in any process; revoking twice is a no-op. Raises NotFound."""
        with self._database.transaction():
            token = self.get(token_id)
            if self._database.execute(_SQL["revoke"], {"id": token_id, "by": by}):
                before = {"name": token.name, "scopes": list(token.scopes)}
                self._audit.record("token.revoke", f"token/{token_id}", before=before)
                self._database.execute(_SQL["notify"], {"about": str(token_id)})
        self._forget()
        return self.get(token_id)

    def named(self, name: str) -> ApiToken:
        """The token of that name that was not revoked; raises NotFound TOKEN_NOT_FOUND."""
        row = self._database.fetch_one(_SQL["live_named"], {"name": name})
        if row is None:
            raise NotFound(f"there is no token {name!r}", code="TOKEN_NOT_FOUND")
        return self.get(row[0])

    def _refuse_past(self, expires_at: datetime | None) -> None:
        (now,) = self._database.fetch_one(_SQL["clock"]) or (None,)
        if expires_at is not None and expires_at <= now:
            fault = Fault("expires_at", "must lie in the future")
            raise Invalid(f"{fault.field}: {fault.message}", faults=(fault,))
