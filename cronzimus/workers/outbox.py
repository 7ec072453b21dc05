"""Reports of ended attempts that the ledger has not taken yet; an outage makes them wait, never vanish."""

import threading
from collections import deque
from collections.abc import Sequence

from cronzimus.models.run import Ended, Held


class Outbox:
    """First in, first out; what is taken stays the outbox's until it is confirmed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[Ended] = deque()
        self._taken: list[Ended] = []

    def __len__(self) -> int:
        return len(self._waiting) + len(self._taken)

    def add(self, ended: Ended) -> None:
        """One more report to deliver."""
        self._waiting.append(ended)

    def take(self, limit: int) -> list[Ended]:
        """The oldest reports, those of an unconfirmed take first."""
        with self._lock:
            while self._waiting and len(self._taken) < limit:
                self._taken.append(self._waiting.popleft())
            return list(self._taken)

    def confirm(self) -> None:
        """The ledger has what was taken last."""
        with self._lock:
            self._taken = []

    def held(self) -> Sequence[Held]:
        """The attempts whose report is on its way: their leases must hold until it arrives."""
        with self._lock:
            return [Held(ended.run_id, ended.attempt) for ended in (*self._taken, *self._waiting)]
