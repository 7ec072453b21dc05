"""Who acts: set by the door a request came through, read where the change is recorded."""

from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum


class Door(StrEnum):
    """The way somebody came in."""

    API = "api"
    CLI = "cli"
    WEB = "web"
    HOUSE = "house"
    """Nobody came in: the service did it by itself."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, through which door, from where; `request_id` finds the lines of the log that belong to it."""

    name: str
    door: Door
    address: str | None = None
    request_id: str | None = None


HOUSE = Actor("house", Door.HOUSE)
current_actor: ContextVar[Actor] = ContextVar("current_actor", default=HOUSE)
