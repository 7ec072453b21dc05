"""People: who may sign in, and what each may do. There is always one left who can change that."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from cronzimus.common.db import Database, Refused
from cronzimus.common.sql import queries
from cronzimus.errors import Conflict, Fault, Invalid, NotFound
from cronzimus.models.access import USER_NAME, Role, User
from cronzimus.models.page import Page
from cronzimus.services.audit import Audit
from cronzimus.services.passwords import Passwords

_SQL = queries("cronzimus.services.sql", "users.sql")
_SESSIONS = queries("cronzimus.services.sql", "access.sql")
_NO_SESSION: Final = ""


class People:
    """Add, change, remove. `by` names who does it. All may raise DatabaseUnavailable."""

    def __init__(
        self,
        database: Database,
        audit: Audit,
        passwords: Passwords,
        forget: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._audit = audit
        self._passwords = passwords
        self._forget = forget

    def add(self, name: str, role: Role, *, password: str | None = None, by: str) -> User:
        """A new person; without a password they come in through the provider. Raises Conflict USER_EXISTS, Invalid."""
        _check_name(name)
        hashed = None if password is None else self._passwords.hashed(password)
        return self._insert(name, role, hashed, (None, None), by)

    def get(self, name: str) -> User:
        """One person; raises NotFound USER_NOT_FOUND."""
        user = self._database.fetch_one(_SQL["get"], {"name": name}, row=User)
        if user is None:
            raise _unknown(name)
        return user

    def list(self, *, limit: int = 50, offset: int = 0) -> Page[User]:
        """People by name."""
        items = self._database.fetch_all(_SQL["page"], {"limit": limit, "offset": offset}, row=User)
        (total,) = self._database.fetch_one(_SQL["count"]) or (0,)
        return Page(tuple(items), total, limit, offset)

    def set_role(self, name: str, role: Role) -> User:
        """From now on they may do what the role says. Raises NotFound, Conflict LAST_ADMIN."""
        with self._changing():
            before, _ = self._locked(name, keeps_admin=role == Role.ADMIN)
            if before != role:
                self._database.execute(_SQL["set_role"], {"name": name, "role": role})
                self._audit.record("user.role", f"user/{name}", before={"role": before}, after={"role": role})
                self._notify(name)
            return self.get(name)

    def set_disabled(self, name: str, disabled: bool) -> User:
        """Let them in no more, ending their sessions at once, or let them in again. Raises as `set_role` does."""
        with self._changing():
            _, before = self._locked(name, keeps_admin=not disabled)
            if before != disabled:
                self._database.execute(_SQL["set_disabled"], {"name": name, "disabled": disabled})
                action = "user.disable" if disabled else "user.enable"
                self._audit.record(
                    action, f"user/{name}", before={"disabled": before}, after={"disabled": disabled}
                )
                self._end_sessions(name)
            return self.get(name)

    def set_password(self, name: str, password: str, *, keep: str = _NO_SESSION) -> User:
        """Another password; every session but that of digest `keep` ends. Raises NotFound, Invalid."""
        hashed = self._passwords.hashed(password)
        with self._changing():
            if not self._database.execute(_SQL["set_password"], {"name": name, "password_hash": hashed}):
                raise _unknown(name)
            self._audit.record("user.password", f"user/{name}")
            self._end_sessions(name, keep)
            return self.get(name)

    def change(
        self,
        name: str,
        *,
        role: Role | None = None,
        password: str | None = None,
        disabled: bool | None = None,
    ) -> User:
        """All that is said, or nothing; what is None stays. Raises as the single changes do."""
        with self._changing():
            if role is not None:
                self.set_role(name, role)
            if password is not None:
                self.set_password(name, password)
            if disabled is not None:
                self.set_disabled(name, disabled)
            return self.get(name)

    def remove(self, name: str) -> None:
        """Forget a person; what they did stays in the record. Raises NotFound, Conflict LAST_ADMIN."""
        with self._changing():
            role, disabled = self._locked(name, keeps_admin=False)
            self._database.execute(_SQL["delete"], {"name": name})
            self._audit.record("user.remove", f"user/{name}", before={"role": role, "disabled": disabled})
            self._notify(name)

    def verified(self, name: str, password: str) -> User | None:
        """The person whose password this is; None for anybody else, as slowly."""
        row = self._database.fetch_one(_SQL["password_hash"], {"name": name})
        known = row[0] if row else None
        if not self._passwords.match(known, password):
            return None
        if known is not None and self._passwords.is_stale(known):
            fresh = self._passwords.hashed(password)
            self._database.execute(_SQL["set_password"], {"name": name, "password_hash": fresh})
        return self.get(name)

    def knows(self, name: str) -> bool:
        """Whether there is such a person."""
        return self._database.fetch_one(_SQL["known"], {"name": name}) is not None

    def note_arrival(self, name: str) -> None:
        """Remember when they came in last."""
        self._database.execute(_SQL["signed_in"], {"name": name})

    def arrive(self, issuer: str, subject: str, *, name: str, role: Role) -> User:
        """The person a provider vouches for, made at their first time; their role is what the provider says.

        Raises Invalid for a name that cannot be one, Conflict USER_EXISTS for one that is somebody else's.
        """
        row = self._database.fetch_one(_SQL["of_subject"], {"issuer": issuer, "subject": subject})
        if row is not None:
            return self._follow(row[0], role)
        _check_name(name)
        return self._insert(name, role, None, (issuer, subject), "oidc")

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """One transaction; afterwards this process knows nobody any more, as every other one soon."""
        with self._database.transaction():
            yield
        self._forget()

    def _follow(self, name: str, role: Role) -> User:
        try:
            return self.set_role(name, role)
        except Conflict:
            return self.get(name)  # the last admin stays one, whatever the provider says meanwhile

    def _insert(
        self, name: str, role: Role, hashed: str | None, oidc: tuple[str | None, str | None], by: str
    ) -> User:
        columns = {"name": name, "role": role, "password_hash": hashed, "by": by}
        try:
            with self._database.transaction():
                self._database.execute(_SQL["insert"], {**columns, "issuer": oidc[0], "subject": oidc[1]})
                self._audit.record("user.add", f"user/{name}", after={"role": role, "issuer": oidc[0]})
                return self.get(name)
        except Refused as refused:
            raise Conflict(f"a user {name!r} exists already", code="USER_EXISTS") from refused

    def _locked(self, name: str, *, keeps_admin: bool) -> tuple[Role, bool]:
        """Role and whether disabled, held still; refused when the last admin would be one no more."""
        admins = {admin for (admin,) in self._database.fetch_all(_SQL["lock_admins"])}
        row = self._database.fetch_one(_SQL["lock"], {"name": name})
        if row is None:
            raise _unknown(name)
        if not keeps_admin and admins == {name}:
            raise Conflict(f"{name!r} is the last admin: make another one first", code="LAST_ADMIN")
        return Role(row[0]), bool(row[1])

    def _end_sessions(self, name: str, keep: str = _NO_SESSION) -> None:
        self._database.execute(_SESSIONS["close_sessions"], {"name": name, "but": keep})
        self._notify(name)

    def _notify(self, name: str) -> None:
        self._database.execute(_SQL["notify"], {"about": name})


def _check_name(name: Any) -> None:
    if not re.fullmatch(USER_NAME, name):
        message = "must begin with a-z or 0-9 and hold only a-z, 0-9, . _ @ + -"
        raise Invalid(f"name: {message}", faults=(Fault("name", message),))


def _unknown(name: str) -> NotFound:
    return NotFound(f"there is no user {name!r}", code="USER_NOT_FOUND")
