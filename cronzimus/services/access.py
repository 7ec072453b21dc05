"""Coming in and going out: people sign in, and stay until they leave or are shown the door."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.errors import Forbidden, Unauthenticated
from cronzimus.models.access import Role, SignedIn, User
from cronzimus.models.actor import current_actor
from cronzimus.services.attempts import Attempts
from cronzimus.services.audit import Audit
from cronzimus.services.credentials import Credentials
from cronzimus.services.passwords import Passwords
from cronzimus.services.people import People
from cronzimus.services.provider import Provider, Vouched
from cronzimus.services.tokens import Tokens
from cronzimus.settings import AuthSettings
from cronzimus.utils.tokens import digest, new_secret

_SQL = queries("cronzimus.services.sql", "access.sql")


class Access:
    """Everything about who may come in. All may raise DatabaseUnavailable."""

    def __init__(self, database: Database, audit: Audit, settings: AuthSettings) -> None:
        self._database = database
        self._audit = audit
        self._lasts = timedelta(hours=settings.session_hours)
        self._attempts = Attempts(database)
        self.credentials = Credentials(database, session_lasts=self._lasts)
        forget = self.credentials.forget
        self.people = People(database, audit, Passwords(settings.hashing_memory_mb), forget)
        self.tokens = Tokens(database, audit, forget)
        self.provider = Provider(settings.oidc) if settings.oidc.issuer else None

    def sign_in(
        self, name: str, password: str, address: str | None, *, before: str | None = None
    ) -> SignedIn:
        """A new session; `before` is the secret of the one it replaces.

        Raises Unauthenticated SIGN_IN_REFUSED, the same for a wrong name as for a wrong password, and TooMany
        TOO_MANY_ATTEMPTS.
        """
        name = name.strip().lower()
        self._attempts.count(name, address)
        user = self.people.verified(name, password)
        if user is None:
            self._audit.record("session.refuse", f"user/{self._known_name(name)}")
            raise Unauthenticated("name or password is wrong", code="SIGN_IN_REFUSED")
        self._attempts.forgive(name, address)
        return self.welcome(user, address, before=before)

    def enter(self, vouched: Vouched, address: str | None, *, before: str | None = None) -> SignedIn:
        """A new session of somebody the provider vouches for, who is made at their first time.

        Raises Unauthenticated, Invalid for a name that cannot be one, Conflict USER_EXISTS for somebody else's.
        """
        user = self.people.arrive(vouched.issuer, vouched.subject, name=vouched.name, role=vouched.role)
        return self.welcome(user, address, before=before)

    def welcome(self, user: User, address: str | None, *, before: str | None = None) -> SignedIn:
        """A new session of somebody known for certain; raises Unauthenticated when they may not come in."""
        if user.disabled_at is not None:
            raise Unauthenticated(f"{user.name!r} may not come in any more", code="SIGN_IN_REFUSED")
        secret = new_secret()
        session = {"sha256": digest(secret), "name": user.name, "lasts": self._lasts, "address": address}
        with self._database.transaction(), _acting(user.name):
            if before is not None:
                self._close(before)
            self._database.execute(_SQL["open_session"], session)
            self.people.note_arrival(user.name)
            self._audit.record("session.open", f"user/{user.name}")
        return SignedIn(user.name, Role(user.role), secret)

    def change_password(
        self, name: str, current: str, password: str, address: str | None, *, keep: str
    ) -> None:
        """Let somebody give themselves another password; of their sessions only `keep` stays.

        Raises Forbidden PASSWORD_WRONG, Invalid, and TooMany as `sign_in` does.
        """
        self._attempts.count(name, address)
        if self.people.verified(name, current) is None:
            raise Forbidden("the current password is wrong", code="PASSWORD_WRONG")
        self._attempts.forgive(name, address)
        self.people.set_password(name, password, keep=digest(keep))

    def sign_out(self, secret: str) -> None:
        """End a session, at once and in every process."""
        with self._database.transaction():
            name = self._close(secret)
            if name is not None:
                self._audit.record("session.close", f"user/{name}")
        self.credentials.forget()

    def sign_out_everywhere(self, name: str) -> None:
        """End every session of a person."""
        with self._database.transaction():
            self._database.execute(_SQL["close_sessions"], {"name": name, "but": ""})
            self._audit.record("session.close_all", f"user/{name}")
            self._database.execute(_SQL["notify"], {"about": name})
        self.credentials.forget()

    def anybody(self) -> bool:
        """Whether somebody could come in who may change who may come in."""
        (has_schema,) = self._database.fetch_one(_SQL["has_schema"]) or (False,)
        return bool(has_schema and (self._database.fetch_one(_SQL["admins"]) or (False,))[0])

    def prune(self) -> None:
        """Forget sessions that have ended and guesses that no longer count."""
        self._database.execute(_SQL["forget_sessions"])
        self._attempts.prune()

    def _close(self, secret: str) -> str | None:
        row = self._database.fetch_one(_SQL["close_session"], {"sha256": digest(secret)})
        self._database.execute(_SQL["notify"], {"about": row[0] if row else ""})
        return str(row[0]) if row else None

    def _known_name(self, name: str) -> str:
        """The name when it is somebody's: what was typed may be a password in the wrong field."""
        return name if self.people.knows(name) else "?"


@contextmanager
def _acting(name: str) -> Iterator[None]:
    """Who just signed in acts from here on; before, nobody did."""
    token = current_actor.set(replace(current_actor.get(), name=name))
    try:
        yield
    finally:
        current_actor.reset(token)
