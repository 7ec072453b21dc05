"""What days off and blackouts make of due instants: a pure part of the decision, asked only of jobs that have any."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cronzimus.models.blackout import Blackout, closure
from cronzimus.models.firing import Reason
from cronzimus.models.job import JobDefinition

# So many instants are looked at to find the last one of a blackout that holds.
_MOST_LOOKED_AT = 1000


class Off(NamedTuple):
    """An instant that does not fire, why, and in words."""

    at: datetime
    reason: Reason
    note: str


class Start(NamedTuple):
    """When a firing may start, where that is not at once, and in words."""

    not_before: datetime | None
    note: str | None


AT_ONCE = Start(None, None)


class Foreseen(NamedTuple):
    """What will become of an instant that has not come, as far as time off and clocks decide it."""

    fires: bool
    reason: Reason | None
    notes: tuple[str, ...]


@dataclass(slots=True)
class Sorted:
    """Instants by what time off makes of them; `starts` holds only those that do not simply start."""

    off: list[Off] = field(default_factory=list)
    together: list[Off] = field(default_factory=list)
    due: list[datetime] = field(default_factory=list)
    starts: dict[datetime, Start] = field(default_factory=dict)


def sort_out(definition: JobDefinition, windows: Sequence[Blackout], instants: Sequence[datetime]) -> Sorted:
    """Part the instants that stand for nothing from those that are due.

    `off` are skipped. `together` lie in a blackout that holds, and a later one of the same blackout fires for them.
    """
    found = Sorted()
    for at in instants:
        if (off := why_off(definition, windows, at)) is not None:
            found.off.append(off)
        elif (held := _hold(definition, windows, at)) is None:
            found.due.append(at)
            if (note := moved_here(definition, at)) is not None:
                found.starts[at] = Start(None, note)
        elif isinstance(held, Off):
            found.together.append(held)
        else:
            found.due.append(at)
            found.starts[at] = held
    return found


def why_off(definition: JobDefinition, windows: Sequence[Blackout], at: datetime) -> Off | None:
    """Why nothing fires at this instant: a day off, else a blackout that skips; None when something does."""
    schedule = definition.schedule
    if (why := schedule.why_off(at)) is not None:
        moved = schedule.moved_to(at)
        tail = "" if moved is None else f"; moved to {wall(definition, moved)}"
        return Off(at, Reason.CALENDAR, f"{why}{tail}")
    closed = closure(windows, at, definition.timezone) if windows else None
    if closed is None or not closed.skips:
        return None
    return Off(at, Reason.BLACKOUT, f"{closed.window.name()} until {wall(definition, closed.ends)}")


def moved_here(definition: JobDefinition, at: datetime) -> str | None:
    """From where the instant moved, in words; None for one that is written."""
    origin = definition.schedule.moved_from(at)
    if origin is None:
        return None
    return f"moved from {wall(definition, origin)}, {definition.schedule.why_off(origin)}"


def foresee(definition: JobDefinition, windows: Sequence[Blackout], at: datetime) -> Foreseen:
    """What is to be said of an instant beforehand; `windows` are the blackouts of the job and of the house."""
    clock = definition.schedule.dst_note(at)
    notes = [clock] if clock else []
    off = why_off(definition, windows, at)
    if off is not None:
        kind = "day off: " if off.reason is Reason.CALENDAR else ""
        return Foreseen(False, off.reason, (*notes, f"{kind}{off.note}"))
    held = _hold(definition, windows, at)
    if isinstance(held, Off):
        return Foreseen(False, held.reason, (*notes, f"held: a later instant runs at the end of {held.note}"))
    said = (moved_here(definition, at), held and held.note)
    return Foreseen(True, None, (*notes, *(note for note in said if note)))


def held_until(definition: JobDefinition, windows: Sequence[Blackout], at: datetime) -> datetime | None:
    """The end of the blackout that holds this instant, if one does."""
    closed = closure(windows, at, definition.timezone) if windows else None
    return closed.ends if closed is not None and not closed.skips else None


def wall(definition: JobDefinition, at: datetime) -> str:
    """An instant on the job's wall clock."""
    return at.astimezone(ZoneInfo(definition.zone)).strftime("%a %Y-%m-%d %H:%M:%S %Z")


def _hold(definition: JobDefinition, windows: Sequence[Blackout], at: datetime) -> Off | Start | None:
    closed = closure(windows, at, definition.timezone) if windows else None
    if closed is None:
        return None
    said = f"{closed.window.name()} until {wall(definition, closed.ends)}"
    if any(True for _ in _due_within(definition, windows, at, closed.ends)):
        return Off(at, Reason.BLACKOUT, said)
    return Start(closed.ends, f"held by {said}")


def _due_within(
    definition: JobDefinition, windows: Sequence[Blackout], at: datetime, ends: datetime
) -> Iterator[datetime]:
    """The later instants of the same blackout that are not off."""
    following = definition.schedule.next_after(at)
    for _ in range(_MOST_LOOKED_AT):
        if following is None or following >= ends:
            return
        if why_off(definition, windows, following) is None:
            yield following
        following = definition.schedule.next_after(following)
