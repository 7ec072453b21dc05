"""What a waiting run is held by: one text in its row, the same for all that wait for the same, and what it says."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

QUEUE: Final = "queue"
MUTEX: Final = "mutex"
POOL: Final = "pool"
SLOTS: Final = "slots"
RATE: Final = "rate"
WORKER: Final = "worker"
JOB: Final = "job"


@dataclass(frozen=True, slots=True)
class Hold:
    """`held_by`, taken apart.

    There are `queue:NAME` `mutex:KEY` `pool:NAME` `slots:N/NAME` `rate:N/SECONDS/KEY` `worker:WISHES` `job:ID`.
    Runs with the same text wait in one line, so a number that decides when they may go on is part of it: runs that
    share a rate's key and keep to another limit are let go at another moment, and one that wants more slots than its
    pool has must not stand before those that will get theirs.
    """

    kind: str
    name: str
    amount: int | None = None
    seconds: float | None = None

    @classmethod
    def read(cls, held_by: str) -> Self:
        """The parts of the text; of an unknown kind everything behind it is the name."""
        kind, _, rest = held_by.partition(":")
        if kind == SLOTS:
            amount, _, name = rest.partition("/")
            return cls(kind, name, int(amount))
        if kind == RATE:
            amount, seconds, name = rest.split("/", 2)
            return cls(kind, name, int(amount), float(seconds))
        return cls(kind, rest)

    def __str__(self) -> str:
        if self.kind == RATE:
            return f"{RATE}:{self.amount}/{_short(self.seconds or 0)}/{self.name}"
        return f"{SLOTS}:{self.amount}/{self.name}" if self.kind == SLOTS else f"{self.kind}:{self.name}"


def words(
    held_by: str, *, queues: Mapping[str, str] | None = None, pools: Mapping[str, int] | None = None
) -> str:
    """One sentence; it is more exact with the status of each halted queue and the size of each pool."""
    hold = Hold.read(held_by)
    match hold.kind:
        case "queue":
            return f"queue {hold.name} {_halt((queues or {}).get(hold.name))}"
        case "mutex":
            return f"another run holds the mutex {hold.name}"
        case "pool":
            return f"the pool {hold.name} has no free slot for it"
        case "slots":
            return _too_small(hold, pools)
        case "rate":
            return f"its rate ({hold.amount} in {_short(hold.seconds or 0)} s) is used up"
        case "worker":
            return f"no live worker that may take it has room: {_wishes(hold.name)}"
        case "job":
            return f"waits for job {hold.name}"
    return f"waits for {hold.name or hold.kind}"


def halted(queue: str, status: str) -> str:
    """What is said of a run whose queue takes nothing on now."""
    return words(f"{QUEUE}:{queue}", queues={queue: status})


def _halt(status: str | None) -> str:
    if status == "paused":
        return "is paused"
    if status == "draining":
        return "is being drained: what came later waits until it is resumed"
    return "lets nothing start"


def _too_small(hold: Hold, pools: Mapping[str, int] | None) -> str:
    size = (pools or {}).get(hold.name)
    if size is not None:
        closed = "is closed: it has no slots"
        return (
            f"the pool {hold.name} {closed}"
            if size == 0
            else f"it wants {hold.amount} slots, the pool {hold.name} has {size}"
        )
    if pools is not None:
        return f"there is no pool {hold.name}"
    return f"the pool {hold.name} is not there or never has the slots it wants ({hold.amount})"


def _wishes(text: str) -> str:
    """The wishes as somebody would say them; they lie there as JSON."""
    try:
        wishes: dict[str, Any] = json.loads(text)
        labels = [f"label {name}={value}" for name, value in (wishes.get("labels") or {}).items()]
        named = [f"{name} {wishes[name]}" for name in ("kind", "queue", "worker") if wishes.get(name)]
    except (ValueError, AttributeError):
        return text
    return ", ".join([*named, *labels]) or text


def _short(number: float) -> str:
    return repr(number).removesuffix(".0")
