"""Passwords: kept as argon2id, checked at the same cost whether or not there is anything to check against."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from cronzimus.errors import Fault, Invalid, Unavailable
from cronzimus.models.access import LONGEST_PASSWORD, SHORTEST_PASSWORD
from cronzimus.utils.tokens import new_secret

_PASSES: Final = 3
# Each check takes much memory: more than these at once would be a way to exhaust the machine.
_AT_ONCE: Final = 4
_PATIENCE_SECONDS: Final = 10.0


class Passwords:
    """Makes and checks hashes; `memory_mb` is what one of them costs."""

    def __init__(self, memory_mb: int) -> None:
        self._hasher = PasswordHasher(time_cost=_PASSES, memory_cost=memory_mb * 1024, parallelism=1)
        self._turns = threading.BoundedSemaphore(_AT_ONCE)

    def hashed(self, password: str) -> str:
        """What is kept of a password; raises Invalid when it is too short or too long."""
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            message = f"must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters"
            raise Invalid(f"the password {message}", faults=(Fault("password", message),))
        with self._turn():
            return self._hasher.hash(password)

    def match(self, known: str | None, password: str) -> bool:
        """Whether the password is the one of the hash; None, for nobody, takes as long and is never right."""
        nobody = self._nobody
        with self._turn():
            try:
                return self._hasher.verify(known or nobody, password[:LONGEST_PASSWORD]) and known is not None
            except (Argon2Error, InvalidHashError):
                return False

    def is_stale(self, known: str) -> bool:
        """Whether a hash was made at another cost than passwords cost now."""
        return self._hasher.check_needs_rehash(known)

    @cached_property
    def _nobody(self) -> str:
        return self._hasher.hash(new_secret())

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.acquire(timeout=_PATIENCE_SECONDS):
            raise Unavailable("too many people sign in at once; try again", code="SIGN_IN_BUSY")
        try:
            yield
        finally:
            self._turns.release()
