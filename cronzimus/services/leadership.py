"""Which replica fires: a lease row judged by the database's clock, trusted by this process's own."""

import time
from collections.abc import Callable
from datetime import timedelta
from threading import Event
from uuid import uuid4

from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.errors import DatabaseUnavailable
from cronzimus.models.leader import Term

_SQL = queries("cronzimus.services.sql", "leadership.sql")
_NAME = "scheduler"
_STANDBY_SECONDS = 0.5
_RENEW_SECONDS = 1.0
_RETRY_SECONDS = 0.25


class Leadership:
    """One replica's side of the election; `step` is called for ever by a loop.

    1. Note the monotonic clock, then ask the database for the term: a slow answer shortens our trust.
    2. Without an answer nothing is known: trust what is left of the term, then stand down.
    3. A refusal means that another replica leads: stand down at once.

    The ledger never relies on this. The firing statement checks holder, epoch and deadline again.
    """

    def __init__(
        self,
        database: Database,
        holder_name: str,
        *,
        term_seconds: float = 6.0,
        on_gain: Callable[[Term], None] = lambda _: None,
        on_lose: Callable[[], None] = lambda: None,
        may_lead: Callable[[], bool] = lambda: True,
    ) -> None:
        self.holder = str(uuid4())
        self.holder_name = holder_name
        self.last_contact: float | None = None
        self._database = database
        self._term_seconds = term_seconds
        self._margin = min(1.0, term_seconds / 4)
        self._on_gain, self._on_lose, self._may_lead = on_gain, on_lose, may_lead
        self._term: Term | None = None
        self._resigned = Event()

    @property
    def term(self) -> Term | None:
        """The term while it may be trusted."""
        term = self._term
        return term if term is not None and term.is_trusted(time.monotonic()) else None

    def step(self) -> float:
        """Win, keep or lose the term; seconds until the next step."""
        if self._resigned.is_set():
            return _STANDBY_SECONDS
        if not self._may_lead():
            self.resign()
            self._resigned.clear()
            self._touch()
            return _STANDBY_SECONDS
        started = time.monotonic()
        try:
            epoch = self._ask()
        except DatabaseUnavailable:
            if self.term is None:
                self._stand_down()
            return _RETRY_SECONDS
        self.last_contact = time.monotonic()
        if self._resigned.is_set() and epoch is not None:
            # Resigned while the question was under way: the answer came too late to be accepted.
            self._database.execute(_SQL["resign"], self._key(epoch))
            return _STANDBY_SECONDS
        self._settle(epoch, started)
        return _STANDBY_SECONDS if self._term is None else _RENEW_SECONDS

    def resign(self) -> None:
        """Give the term up now, so that another replica can lead without waiting."""
        self._resigned.set()
        term = self._term
        self._stand_down()
        if term is not None:
            self._database.execute(_SQL["resign"], self._key(term.epoch))

    def current(self) -> tuple[str, int, bool] | None:
        """Name of the last leader, its epoch, and whether its term still runs."""
        row = self._database.fetch_one(_SQL["current"], {"name": _NAME})
        return None if row is None else (row[0], row[1], row[2])

    def _ask(self) -> int | None:
        params = {
            **self._key(0),
            "holder_name": self.holder_name,
            "term": timedelta(seconds=self._term_seconds),
        }
        row = self._database.fetch_one(_SQL["campaign"], params)
        return None if row is None else int(row[0])

    def _touch(self) -> None:
        try:
            self._database.fetch_one(_SQL["pulse"])
            self.last_contact = time.monotonic()
        except DatabaseUnavailable:
            return

    def _settle(self, epoch: int | None, started: float) -> None:
        previous = self._term
        if epoch is None:
            self._stand_down()
            return
        trusted_until = started + self._term_seconds - self._margin
        begun = previous.started if previous and previous.epoch == epoch and self.term else started
        self._term = Term(self.holder, epoch, begun, trusted_until)
        if previous is None:
            self._on_gain(self._term)

    def _stand_down(self) -> None:
        if self._term is not None:
            self._term = None
            self._on_lose()

    def _key(self, epoch: int) -> dict[str, object]:
        return {"name": _NAME, "holder": self.holder, "epoch": epoch}

    def fence(self, term: Term) -> dict[str, object]:
        """The parameters by which a statement checks that `term` still holds."""
        return self._key(term.epoch)
