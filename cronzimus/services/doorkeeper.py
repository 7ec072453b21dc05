"""What is written and forgotten about who comes in, beside the path of requests."""

import time
from datetime import timedelta
from typing import Final

from cronzimus.services.access import Access
from cronzimus.services.audit import Audit

_EVERY_SECONDS: Final = 5.0
_PRUNE_EVERY_SECONDS: Final = 3600.0


class Doorkeeper:
    """`step` is called for ever by a loop, in every process: each writes what was used there."""

    def __init__(self, access: Access, audit: Audit, audit_kept: timedelta) -> None:
        self._access = access
        self._audit = audit
        self._audit_kept = audit_kept
        self._pruned_at: float | None = None

    def step(self) -> float:
        """One round; seconds until the next."""
        self._access.credentials.write_uses()
        if self._pruned_at is None or time.monotonic() - self._pruned_at > _PRUNE_EVERY_SECONDS:
            self._pruned_at = time.monotonic()
            self._access.prune()
            self._audit.prune(self._audit_kept)
        return _EVERY_SECONDS
