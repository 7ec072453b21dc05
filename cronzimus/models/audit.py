"""What was done, kept for ever after."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cronzimus.models.actor import Door


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One change: who, through which door, from where, what, to what, and how it stood before and after."""

    id: int
    at: datetime
    actor: str
    door: Door
    address: str | None
    request_id: str | None
    action: str
    target: str
    before: Any
    after: Any
