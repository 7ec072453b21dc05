"""How many runs would go on at once: two timetables walked side by side, each run as long as runs of its job are."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cronzimus.models.blackout import Blackout
from cronzimus.models.job import JobDefinition
from cronzimus.models.plan import Load
from cronzimus.models.policy import Overlap
from cronzimus.services.foresight import fires

# So many instants are walked at most; what lies beyond is left out and `until` says so.
MOST_INSTANTS = 50_000

_MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Line:
    """One job of a timetable: when it is due next, and how long a run of it takes."""

    definition: JobDefinition
    first: datetime | None
    length: timedelta
    in_before: bool = True
    in_after: bool = True
    windows: tuple[Blackout, ...] = ()

    def instants(self, until: datetime) -> Iterator[datetime]:
        """Its due instants up to `until`."""
        due_at = self.first
        while due_at is not None and due_at <= until:
            yield due_at
            due_at = self.definition.schedule.next_after(due_at)


@dataclass(slots=True)
class _Running:
    """The runs of one job: how many go on, how many wait for one to end, how many were replaced."""

    open: int = 0
    waiting: int = 0
    replaced: int = 0


@dataclass(slots=True)
class _Side:
    """One timetable in motion; `begins` and `ends` hold what is still to happen."""

    begins: list[tuple[datetime, int]] = field(default_factory=list)
    ends: list[tuple[datetime, int]] = field(default_factory=list)
    runs: dict[int, _Running] = field(default_factory=dict)
    total: int = 0
    minute: datetime | None = None
    in_minute: int = 0
    load: Load = Load()


def loads(lines: Iterable[Line], since: datetime, until: datetime) -> tuple[Load, Load, datetime]:
    """The load of the lines before and after, and up to when it was looked at."""
    known = list(lines)
    before, after = _Side(), _Side()
    walked = 0
    for due_at, number in heapq.merge(*(_numbered(line, number, until) for number, line in enumerate(known))):
        if walked == MOST_INSTANTS:
            until = due_at
            break
        walked += 1
        line = known[number]
        if not fires(line.definition, (*line.definition.blackouts, *line.windows), due_at):
            continue
        begins = due_at + line.definition.schedule.delay_of(due_at)
        for side, is_in in ((before, line.in_before), (after, line.in_after)):
            if is_in:
                _advance(side, due_at, known)
                heapq.heappush(side.begins, (begins, number))
    _advance(before, until, known)
    _advance(after, until, known)
    return before.load, after.load, max(since, until)


def _numbered(line: Line, number: int, until: datetime) -> Iterator[tuple[datetime, int]]:
    return ((at, number) for at in line.instants(until))


def _advance(side: _Side, to: datetime, lines: list[Line]) -> None:
    """Let everything happen that comes before `to`; what ends at an instant makes room for what begins there."""
    while side.begins and side.begins[0][0] < to:
        at, number = heapq.heappop(side.begins)
        _end_until(side, at, lines)
        _begin(side, at, number, lines[number])


def _end_until(side: _Side, at: datetime, lines: list[Line]) -> None:
    while side.ends and side.ends[0][0] <= at:
        ended, number = heapq.heappop(side.ends)
        runs = side.runs[number]
        if runs.replaced:
            runs.replaced -= 1
        elif runs.waiting:
            runs.waiting -= 1
            heapq.heappush(side.ends, (ended + lines[number].length, number))
        else:
            runs.open -= 1
            side.total -= 1


def _begin(side: _Side, at: datetime, number: int, line: Line) -> None:
    policy, runs = line.definition.policy, side.runs.setdefault(number, _Running())
    if policy.max_running is not None and runs.open >= policy.max_running:
        if policy.overlap is Overlap.QUEUE:
            runs.waiting = min(runs.waiting + 1, policy.max_queued)
        elif policy.overlap is Overlap.REPLACE:
            runs.replaced += 1
            heapq.heappush(side.ends, (at + line.length, number))
        return
    runs.open += 1
    side.total += 1
    heapq.heappush(side.ends, (at + line.length, number))
    _remember(side, at)


def _remember(side: _Side, at: datetime) -> None:
    minute = at - (at - datetime.min.replace(tzinfo=at.tzinfo)) % _MINUTE
    side.in_minute = side.in_minute + 1 if minute == side.minute else 1
    side.minute = minute
    load = side.load
    peak = (side.total, at) if side.total > load.peak else (load.peak, load.peak_at)
    starts = (side.in_minute, minute) if side.in_minute > load.starts else (load.starts, load.starts_at)
    side.load = Load(*peak, *starts)
