"""Which of the instants to come stay, appear, vanish or move when one schedule takes the place of another.

The rule: an instant of both stays. Of the rest, an instant that goes and one that comes are one that moved, the
nearest pairs first, if they lie closer together than the longest stretch between two neighbours on either side.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from cronzimus.models.blackout import Blackout
from cronzimus.models.job import JobDefinition
from cronzimus.models.plan import Expected, Move
from cronzimus.services.off import sort_out

# So many instants that time off swallows are passed over in search of one that fires.
_MOST_OFF = 2000

Pair = tuple[Move, datetime | None, datetime | None]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The next instants of one schedule; `cut` when more follow than were asked for."""

    instants: tuple[datetime, ...] = ()
    cut: bool = False


def foreseen(
    definition: JobDefinition, first: datetime | None, ahead: int, windows: Sequence[Blackout] = ()
) -> Foreseen:
    """The next `ahead` instants of a job from `first` on that fire; those on days off and in blackouts do not.

    `windows` are the blackouts of the house that concern it.
    """
    closed = (*definition.blackouts, *windows)
    instants: list[datetime] = []
    due_at, looked_at = first, 0
    while due_at is not None and len(instants) < ahead and looked_at < _MOST_OFF + ahead:
        if fires(definition, closed, due_at):
            instants.append(due_at)
        due_at, looked_at = definition.schedule.next_after(due_at), looked_at + 1
    return Foreseen(tuple(instants), cut=due_at is not None and bool(instants))


def fires(definition: JobDefinition, windows: Sequence[Blackout], due_at: datetime) -> bool:
    """Whether time off leaves this instant alone; `windows` are all blackouts that concern the job."""
    if definition.calendar is None and not windows:
        return True
    return bool(sort_out(definition, windows, [due_at]).due)


def expected(definition: JobDefinition, due_at: datetime) -> Expected:
    """An instant as people will see it on their clock."""
    try:
        local = due_at.astimezone(ZoneInfo(definition.zone)).isoformat()
    except OverflowError:  # the last hours before the year 10000
        local = due_at.isoformat()
    return Expected(due_at, local, definition.schedule.mark_of(due_at))


def paired(before: Foreseen, after: Foreseen) -> tuple[Pair, ...]:
    """What becomes of each instant, in order of time, as far as both sides were looked at."""
    end = min((side.instants[-1] for side in (before, after) if side.cut), default=None)
    old = [at for at in before.instants if end is None or at <= end]
    new = [at for at in after.instants if end is None or at <= end]
    stays = set(old) & set(new)
    goes, comes = [at for at in old if at not in stays], [at for at in new if at not in stays]
    moved = _moved(goes, comes, max(_longest_stretch(old), _longest_stretch(new)))
    pairs: list[Pair] = [(Move.STAYS, at, at) for at in stays]
    pairs += [(Move.MOVES, at, to) for at, to in moved.items()]
    pairs += [(Move.VANISHES, at, None) for at in goes if at not in moved]
    pairs += [(Move.APPEARS, None, at) for at in comes if at not in moved.values()]
    return tuple(sorted(pairs, key=_first_instant))


def _moved(goes: list[datetime], comes: list[datetime], within: timedelta) -> dict[datetime, datetime]:
    near = [(abs(to - at), at, to) for at in goes for to in comes if abs(to - at) < within]
    moved: dict[datetime, datetime] = {}
    taken: set[datetime] = set()
    for _, at, to in sorted(near):
        if at not in moved and to not in taken:
            moved[at] = to
            taken.add(to)
    return moved


def _longest_stretch(instants: Sequence[datetime]) -> timedelta:
    """A lone instant has no neighbour and may move any distance; none at all moves nowhere."""
    if len(instants) == 1:
        return timedelta.max
    return max((later - earlier for earlier, later in pairwise(instants)), default=timedelta(0))


def _first_instant(pair: Pair) -> datetime:
    instants = [at for at in pair[1:] if at is not None]
    return min(instants)
