"""A second opinion on cron: slow, simple, and knowing nothing of the package.

It walks a window of UTC time step by step, asks zoneinfo what the wall showed at each step, and reads the
cron line anew for every wall time. What is missing or repeated it sees with its own eyes: a wall time between
two neighbours that nobody showed, and a wall time shown twice.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
WEEKDAYS = "SUN MON TUE WED THU FRI SAT".split()
CORRECTION = timedelta(hours=3)


@dataclass
class Timeline:
    """What a zone's wall clock showed from `start` to `end` (both included), one look per `step`."""

    zone: str
    start: datetime
    end: datetime
    step: timedelta = timedelta(minutes=1)
    shown: dict[datetime, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    missing: dict[datetime, tuple[datetime, timedelta]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        clock = ZoneInfo(self.zone)
        instant, before = self.start, None
        while instant <= self.end:
            wall = instant.astimezone(clock).replace(tzinfo=None, fold=0)
            if before is not None:
                self._note_gap(before + self.step, wall, instant)
            self.shown[wall].append(instant)
            instant, before = instant + self.step, wall

    def _note_gap(self, expected: datetime, wall: datetime, instant: datetime) -> None:
        length = wall - expected
        while expected < wall:
            self.missing[expected] = (instant, length)
            expected += self.step


def firings(timeline: Timeline, line: str, policy: str | None = None) -> list[datetime]:
    """Every instant of the timeline at which the line fires under the policy, in order."""
    parts = line.upper().split()
    second, minute, hour, day, month, weekday = parts if len(parts) == 6 else ["0", *parts]
    follows = policy is None and (minute[0] == "*" or hour[0] == "*")
    found = set()

    def matches(wall: datetime) -> bool:
        return (
            numbers(hour, wall.hour, 23)
            and numbers(minute, wall.minute, 59)
            and numbers(second, wall.second, 59)
            and is_day(wall.date(), day, month, weekday)
        )

    for wall, instants in timeline.shown.items():
        if matches(wall):
            if follows or policy == "both":
                found.update(instants)
            else:
                found.add(instants[-1] if policy == "second" else instants[0])
    for wall, (jump, length) in timeline.missing.items():
        if not follows and policy != "skip" and matches(wall):
            if policy == "shift":
                found.update(timeline.shown[wall + length][:1])
            elif policy is not None or length <= CORRECTION:
                found.add(jump)
    return sorted(found)


@lru_cache(maxsize=100_000)
def numbers(text: str, value: int, high: int, low: int = 0) -> bool:
    """Whether a field of plain numbers holds the value."""
    return any(_term_holds(term, value, high, low) for term in text.split(","))


def _term_holds(term: str, value: int, high: int, low: int) -> bool:
    span, _, step = term.partition("/")
    first, dash, last = span.partition("-")
    if span == "*":
        start, stop = low, high
    else:
        start = int(first)
        stop = int(last) if dash else (high if step else start)
    return start <= value <= stop and (value - start) % int(step or 1) == 0


@lru_cache(maxsize=100_000)
def is_day(today: date, day: str, month: str, weekday: str) -> bool:
    """Whether the three day fields mean this date, by Vixie's rule of the star."""
    if not numbers(_without_names(month, MONTHS, 1), today.month, 12, 1):
        return False
    by_date = any(_is_date(term, today) for term in day.split(","))
    by_weekday = any(_is_weekday(term, today) for term in _without_names(weekday, WEEKDAYS, 0).split(","))
    return by_date and by_weekday if day[0] == "*" or weekday[0] == "*" else by_date or by_weekday


def _without_names(text: str, names: list[str], first: int) -> str:
    for number, name in enumerate(names, first):
        text = text.replace(name, str(number))
    return text


def _is_date(term: str, today: date) -> bool:
    if term == "L":
        return (today + timedelta(days=1)).month != today.month
    if term == "LW":
        return today == max(_workdays(today))
    if term.endswith("W"):
        return _is_nearest_workday(int(term[:-1]), today)
    return numbers(term, today.day, 31, 1)


def _workdays(today: date) -> list[date]:
    month = [today.replace(day=1) + timedelta(days=n) for n in range(31)]
    return [day for day in month if day.month == today.month and day.weekday() < 5]


def _is_nearest_workday(wanted: int, today: date) -> bool:
    try:
        target = today.replace(day=wanted)
    except ValueError:
        return False
    return today == min(_workdays(today), key=lambda day: abs(day - target))


def _is_weekday(term: str, today: date) -> bool:
    number = today.isoweekday() % 7
    if term.endswith("L"):
        return number == int(term[:-1]) % 7 and (today + timedelta(days=7)).month != today.month
    if "#" in term:
        wanted, turn = term.split("#")
        return number == int(wanted) % 7 and (today.day - 1) // 7 + 1 == int(turn)
    return numbers(term, number, 7) or (number == 0 and numbers(term, 7, 7))


def days_between(first: date, last: date, day: str, month: str, weekday: str) -> list[date]:
    """Every date from first to last that the day fields mean."""
    count = (last - first).days + 1
    return [today for n in range(count) if is_day(today := first + timedelta(days=n), day, month, weekday)]


@lru_cache(maxsize=None)
def jumps(zone: str, first_year: int, last_year: int) -> tuple[datetime, ...]:
    """The minutes at which the zone's offset changed, found by looking every six hours."""
    clock = ZoneInfo(zone)
    instant, found = datetime(first_year, 1, 1, tzinfo=UTC), []
    while instant.year <= last_year:
        later = instant + timedelta(hours=6)
        if instant.astimezone(clock).utcoffset() != later.astimezone(clock).utcoffset():
            before = instant.astimezone(clock).utcoffset()
            while instant.astimezone(clock).utcoffset() == before:
                instant += timedelta(minutes=1)
            found.append(instant)
        instant = later
    return tuple(found)


@lru_cache(maxsize=None)
def around(zone: str, instant: datetime, hours: int = 20) -> Timeline:
    """The timeline of some hours before and after an instant."""
    return Timeline(zone, instant - timedelta(hours=hours), instant + timedelta(hours=hours))
